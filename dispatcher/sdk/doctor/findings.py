"""What a check found, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "found", "listed", "noted", "plain", "skipped", "span", "wrong"]

_MOST_CHARS = 300
_MINUTE_S = 60
_HOUR_S = 3_600
#: Spans up to here are told in seconds.
_SECONDS_S = 120


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    #: Worth knowing; it works.
    NOTE = "note"
    WRONG = "wrong"
    #: The check could not look.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. ``check`` is stable, for programs; ``mend`` says what to do."""

    check: str
    level: Level
    says: str
    mend: str = ""


def found(check: str, says: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, says)


def noted(check: str, says: str, mend: str = "") -> Finding:
    """It works, and somebody should know."""
    return Finding(check, Level.NOTE, says, mend)


def wrong(check: str, says: str, mend: str) -> Finding:
    """Something must be mended."""
    return Finding(check, Level.WRONG, says, mend)


def skipped(check: str, why: str) -> Finding:
    """Nobody could look."""
    return Finding(check, Level.SKIPPED, why)


def span(seconds: float) -> str:
    """A length of time as people say it."""
    seconds = abs(seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _SECONDS_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    return f"{seconds / _HOUR_S:.0f} h"


def plain(text: str) -> str:
    """What another machine said, short and on one line, without anything that moves a terminal's cursor."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _MOST_CHARS else line[: _MOST_CHARS - 3] + "..."


def listed(names: list[str], most: int = 5) -> str:
    """The first of them, and how many more there are."""
    shown = ", ".join(plain(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
