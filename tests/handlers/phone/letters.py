"""Six letters as a worker page writes them (static/spoken.js), in Python: a second implementation, and for pages."""

from __future__ import annotations

from handlers.phone.catalogue import TROUBLES
from handlers.phone.spoken import LETTERS, MOST_TRIES, Spoken

__all__ = ["spelled", "written"]


def written(said: Spoken) -> str:
    """``K7F-42Q``."""
    letters = spelled(TROUBLES.index(said.trouble) << 19 | said.minute << 8 | min(said.tries, MOST_TRIES))
    return f"{letters[:3]}-{letters[3:]}"


def spelled(number: int) -> str:
    """25 bits in five letters, and the one that checks them."""
    values = [number >> shift & 31 for shift in (20, 15, 10, 5, 0)]
    check = sum(weight * value for weight, value in zip((1, 3, 5, 7, 9), values, strict=True)) % 32
    return "".join(LETTERS[value] for value in [*values, check])
