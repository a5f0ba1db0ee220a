"""What no database would take, so that the store in memory refuses it, too."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ITEM_ERRORS", "check_values"]

#: Errors that one item can cause by itself.
ITEM_ERRORS = (UnicodeEncodeError, OverflowError)


def check_values(rows: Iterable[Iterable[object]]) -> None:
    """Raises one of ITEM_ERRORS for values that no database would take."""
    for row in rows:
        for value in row:
            if isinstance(value, str):
                value.encode()
            elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
                raise OverflowError(f"{value} is not an integer of 64 bits")
