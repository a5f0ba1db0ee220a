"""How many lists and objects of JSON from outside may stand in one another.

A decoder stops at a limit of the interpreter, which another version has elsewhere: 990 levels in Python 3.11, 10,000
in 3.13. A message that one server takes must not be refused by the next, so there is a limit of our own below all.
"""

from __future__ import annotations

import re
from itertools import accumulate

__all__ = ["MOST_LEVELS", "check_levels"]

#: The server's own calls count towards the limit of Python 3.11, and so does what the text is wrapped in.
MOST_LEVELS = 500

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"?')
_SIGNS = b'[]{}"'
_OTHERS = bytes(set(range(256)) - set(_SIGNS))
#: As signed bytes: 1 opens a level, -1 closes one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


def check_levels(text: str | bytes) -> None:
    """Raises RecursionError, as a decoder does at the interpreter's limit, if more than MOST_LEVELS are open at once.

    It asks no more than that: what is no JSON passes.
    """
    if _openings(text) > MOST_LEVELS and _levels(text) > MOST_LEVELS:
        raise RecursionError(f"more than {MOST_LEVELS} levels")


def _openings(text: str | bytes) -> int:
    """No text has more levels than this. Nearly all have few, and counting is quick."""
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _levels(text: str | bytes) -> int:
    raw = text.encode(errors="replace") if isinstance(text, str) else text
    if b"\\" in raw:
        raw = _ESCAPE.sub(b"", raw)
    # Two quotation marks side by side, of one text or of two, change nothing for what stands around them.
    signs = raw.translate(None, _OTHERS).replace(b'""', b"")
    steps = _STRING.sub(b"", signs).translate(_STEPS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)
