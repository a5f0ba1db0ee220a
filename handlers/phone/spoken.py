"""The six letters that a worker page shows while something is wrong: what is wrong, since when, how often it has tried.

    K7F-42Q    five letters of five bits each, and one that checks them

From the highest bit on: 6 bits the place of the code in the catalogue, 11 bits the minute of the day by the clock of
that PC, 8 bits the tries (255: or more). There is no 0, O, 1 or I. The check is a sum with odd weights: it finds each
wrong letter, and two neighbours that changed places unless they are sixteen places apart. static/spoken.js writes it,
and needs no server for that. Pure.
"""

from __future__ import annotations

from msgspec import Struct

from handlers.phone.catalogue import TROUBLES, CodeMeaning

__all__ = ["LETTERS", "MOST_TRIES", "BadCode", "Spoken", "read"]

LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
#: So many, or more.
MOST_TRIES = 255
_WEIGHTS = (1, 3, 5, 7, 9)
_LENGTH = 6
#: Hyphens and dashes, as keyboards and programs make them.
_BETWEEN = "-\u2010\u2011\u2012\u2013\u2014"
_DAY = 24 * 60
_AGAIN = "Let it be read again, letter by letter."


class BadCode(ValueError):
    """It is none; the words say what to ask for."""


class Spoken(Struct, frozen=True):
    """What six letters say."""

    trouble: CodeMeaning
    #: Of the day, by the clock of that PC.
    minute: int
    tries: int

    @property
    def since(self) -> str:
        """``10:31``."""
        return f"{self.minute // 60:02}:{self.minute % 60:02}"


def read(text: str) -> Spoken:
    """Reads what was typed: small letters, blanks, hyphens and dashes do not matter. Raises BadCode."""
    letters = "".join(letter for letter in text.upper() if letter not in _BETWEEN and not letter.isspace())
    odd = sorted({letter for letter in letters if letter not in LETTERS})
    faults = [f"has no {' and no '.join(odd)}"] if odd else []
    if len(letters) != _LENGTH:
        faults.append(f"has {_LENGTH} letters and digits, and these are {len(letters)}")
    if faults:
        raise BadCode(f"A code {', and '.join(faults)}. {_AGAIN}")
    values = [LETTERS.index(letter) for letter in letters]
    if _check(values[:-1]) != values[-1]:
        raise BadCode(f"One of these letters is wrong. {_AGAIN}")
    number = 0
    for value in values[:-1]:
        number = number << 5 | value
    place, minute, tries = number >> 19, number >> 8 & 0x7FF, number & 0xFF
    if place >= len(TROUBLES) or minute >= _DAY:
        raise BadCode(f"This server knows no such code: the page may be of a newer version. {_AGAIN}")
    return Spoken(TROUBLES[place], minute, tries)


def _check(values: list[int]) -> int:
    return sum(weight * value for weight, value in zip(_WEIGHTS, values, strict=True)) % 32
