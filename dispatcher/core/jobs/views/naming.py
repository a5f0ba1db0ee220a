"""Names in the order in which people count: ``DESK-2`` before ``DESK-10``. Pure.

A name is sorted by its *counted* form, in which each number has its length before it. Lists in memory and in a
database then stand in one order, by plain comparison.
"""

from __future__ import annotations

import re

__all__ = ["beginnings", "counted"]

_NUMBER = re.compile("[0-9]+")
#: Longer numbers sort as texts.
_MOST_DIGITS = 20


def counted(name: str) -> str:
    """The form of a name that sorts as people count."""
    return _NUMBER.sub(lambda number: _number(len(number[0]), number[0]), name)


def beginnings(prefix: str) -> list[str]:
    """With what the counted names begin that begin with this prefix, in order.

    ``DESK-1`` also begins ``DESK-10``, which stands further down.
    """
    head = prefix.rstrip("0123456789")
    digits = prefix[len(head) :]
    if not digits:
        return [counted(head)]
    lengths = range(min(len(digits), _MOST_DIGITS), _MOST_DIGITS + 1)
    return [counted(head) + _number(length, digits) for length in lengths]


def _number(length: int, digits: str) -> str:
    return f"0{chr(min(length, _MOST_DIGITS))}{digits}"
