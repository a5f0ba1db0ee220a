"""How much of the jobs' texts a search reads at once, where no index tells which jobs have its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

__all__ = ["MOST_READ", "SCANNED", "at_once"]

Row = TypeVar("Row", bound=tuple[Any, ...])

#: Jobs whose texts a slice of a search reads.
SCANNED = 200
#: Characters that are read at once. Those beyond ASCII cost the most: so many take some 30 ms.
MOST_READ = 400_000


def at_once(texts: Sequence[Row]) -> Sequence[Row]:
    """The first of these, as far as they are read at once; at least one. A row: a job's number, and its texts."""
    read = 0
    for count, (_, *parts) in enumerate(texts, 1):
        read += sum(len(text) for text in parts if text)
        if read >= MOST_READ:
            return texts[:count]
    return texts
