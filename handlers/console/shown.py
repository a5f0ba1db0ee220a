"""How the pages write what others have said: escaped, with marks that nobody would see spelled out, and within a line.

The templates escape everything with ``shown_text``. Only what a person typed into a field goes back as it was. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from tornado.escape import xhtml_escape

__all__ = ["instant", "listed", "short_id", "shown_text"]

#: An id of more characters is shown by its last eight, as the worker page does it.
LONGEST_ID = 16
#: The most types, labels or ids of one worker in a table, and how many characters they may have together.
MOST_LISTED = 10
MOST_CHARACTERS = 120
#: Unicode's embeddings, overrides and isolates. They turn the text around them, also that of the page.
_DIRECTION_MARK = re.compile("[\u202a-\u202e\u2066-\u2069]")


def shown_text(value: str | bytes) -> str:
    """Text for a page: escaped, and with each direction mark shown as ``[U+202E]`` instead of obeyed."""
    return _DIRECTION_MARK.sub(lambda mark: f"[U+{ord(mark[0]):04X}]", xhtml_escape(value))


def short_id(whole: str) -> str:
    """An id for a table; the whole one belongs into the title."""
    return whole if len(whole) <= LONGEST_ID else f"…{whole[-8:]}"


def listed(names: Iterable[str]) -> tuple[Sequence[str], int]:
    """The first names of a list, for a cell of a few lines, and how many are left out. One is always shown."""
    names = list(names)
    shown, room = names[:1], MOST_CHARACTERS
    for name, following in pairwise(names[:MOST_LISTED]):
        room -= len(name)
        if room < len(following):
            break
        shown.append(following)
    return shown, len(names) - len(shown)


def instant(at: float) -> str:
    """An instant for ``<time datetime>``; the page's script reads it, and adds the local time."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
