"""How jobs have ended, in the PostgreSQL store: exact, although a turn seldom writes it (see ``store/endings.py``).

Each node counts the ends that it has written: the rows of jobs tell whose they are. What a node that is gone had not
counted is counted by the one that takes over from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dispatcher.core.jobs.views.endings import HOUR_S, Endings, Slot, Steps
from dispatcher.store.endings import ENDINGS_COLUMNS, MOST_ENDINGS_FORGOTTEN, Unwritten, endings_of, outlived, values_of
from dispatcher.store.postgres.link import Asked, Link, Rows, array, rows_text
from dispatcher.store.postgres.reader import Reader
from dispatcher.store.requests import Save

__all__ = ["EndingCounts", "PostgresEndings", "asks_to_count", "asks_to_forget"]


class EndingCounts:
    """The driver's side. After a transaction whose end is not known to be good, it counts again before it goes on."""

    def __init__(self, link: Link, node: str) -> None:
        self._link, self._node = link, node
        self._unwritten = Unwritten()
        #: What is in memory may not be what the rows of jobs tell.
        self._doubtful = True
        self._in_transaction = False

    def begin(self) -> None:
        """A transaction begins. If another one has not ended it was given up."""
        self._doubtful = self._doubtful or self._in_transaction
        self._in_transaction = True

    def end(self) -> None:
        """The transaction has ended well."""
        self._in_transaction = False

    def undone(self) -> None:
        """A part of the transaction was undone."""
        self._doubtful = True

    def asks(self) -> dict[str, dict[str, Any]]:
        """What must be asked before anything is counted: mostly nothing."""
        node = {"node": self._node}
        return {"counted_clock": node, "ended_since": node} if self._doubtful else {}

    def counted(self, clock: float) -> float | None:
        """The instant up to which ends are counted, if nothing is in memory alone; ``clock``: that of the last turn."""
        return None if self._doubtful else self._unwritten.counted_to(clock)

    def loaded(self, found: dict[str, Rows]) -> None:
        """The answers."""
        if self._doubtful:
            self._unwritten.reload(found["counted_clock"][0][0], found["ended_since"])
            self._doubtful = False

    def save(self, request: Save) -> Iterator[Asked]:
        """Counts the jobs that have ended in the turn; writes the counts if it is time, or if it must be."""
        if self._unwritten.count(request):
            slots, clock = self._unwritten.take()
            yield _to_add(slots)
            yield "save_counted", {"clock": clock, "node": self._node}

    def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads. In the store's thread, outside of a transaction."""
        rows = self._read("window", step_s=steps.step_s, type=type_name, starts=array(steps.starts()))
        written = ((start, endings_of(*counts)) for start, *counts in rows)
        return self._unwritten.with_written(type_name, steps, written)

    def types_of(self, hour: int, most: int) -> list[str]:
        """See EndingReads. As ``window``."""
        rows = self._read("types_of_hour", step_s=HOUR_S, start=hour, most=most)
        return self._unwritten.types_with(hour, (name for (name,) in rows), most)

    def _read(self, statement: str, **values: Any) -> Rows:
        """What is written, when what is not is known."""
        if self._in_transaction:
            self.begin()
            self.end()
        asked = self.asks() | {statement: values}
        found = dict(zip(asked, self._link.at_once(asked.items()), strict=True))
        self.loaded(found)
        return found[statement]


def asks_to_count(ended: Rows) -> Iterator[Asked]:
    """Counts the ends of a node that is gone and had not counted these."""
    if ended:
        unwritten = Unwritten()
        unwritten.reload(0.0, ended)
        yield _to_add(unwritten.take()[0])


def _to_add(slots: Mapping[Slot, Endings]) -> Asked:
    rows = (slot._asdict() | dict(zip(ENDINGS_COLUMNS, values_of(one), strict=True)) for slot, one in slots.items())
    return "add_endings", {"rows": rows_text(rows)}


def asks_to_forget(now_at: float) -> Iterator[Asked]:
    """Forgets the oldest ones whose time is over; each answers how many."""
    for step_s, before in outlived(now_at).items():
        yield "forget_endings", {"step_s": step_s, "before": before, "most": MOST_ENDINGS_FORGOTTEN}


class PostgresEndings:
    """See EndingReads."""

    def __init__(self, rows: EndingCounts, reader: Reader) -> None:
        self._rows, self._reader = rows, reader

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads."""
        return await self._reader.call(partial(self._rows.window, type_name, steps))

    async def windows(self, names: Sequence[str], steps: Steps) -> dict[str, list[tuple[int, Endings]]]:
        """See EndingReads."""
        return await self._reader.call(lambda: {name: self._rows.window(name, steps) for name in names})

    async def types_of(self, hour: int, most: int) -> list[str]:
        """See EndingReads."""
        return await self._reader.call(partial(self._rows.types_of, hour, most))
