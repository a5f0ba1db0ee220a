"""How jobs have ended, in the SQLite store: exact, although a turn seldom writes it (see ``store/endings.py``)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain

from dispatcher.core.jobs.views.endings import ALL_TYPES, HOUR_S, Endings, Slot, Steps
from dispatcher.store.endings import (
    ENDED_COLUMNS,
    ENDINGS_COLUMNS,
    MOST_ENDINGS_FORGOTTEN,
    Unwritten,
    endings_of,
    outlived,
    values_of,
)
from dispatcher.store.requests import Save
from dispatcher.store.sqlite.writing import write_rows
from dispatcher.store.thread import StoreThread

__all__ = ["EndingRows", "SqliteEndings"]

_COUNTS = ", ".join(ENDINGS_COLUMNS)
_COUNTED = "SELECT value FROM meta WHERE name = 'counted_clock'"
_SAVE_COUNTED = "UPDATE meta SET value = ? WHERE name = 'counted_clock'"
#: By the same indexes as those of jobs that are outlived.
_SINCE = [
    f"SELECT {', '.join(ENDED_COLUMNS)} FROM jobs WHERE ended_clock > ? AND key IS {kind}"  # noqa: S608
    for kind in ("NULL", "NOT NULL")
]
_FIND = f"""
    SELECT e.step_s, e.start, e.type, {_COUNTS} FROM json_each(?) AS s JOIN endings AS e
    ON e.step_s = s.value ->> 0 AND e.start = s.value ->> 1 AND e.type = s.value ->> 2
"""  # noqa: S608
_SAVE = f"INSERT OR REPLACE INTO endings (step_s, start, type, {_COUNTS}) VALUES {{rows}}"  # noqa: S608
_WINDOW = f"""
    SELECT start, {_COUNTS} FROM endings
    WHERE step_s = ?1 AND type = ?2 AND start IN (SELECT value FROM json_each(?3))
"""  # noqa: S608
_TYPES_OF = f"""
    SELECT type FROM endings
    WHERE step_s = {HOUR_S} AND start = ? AND type != '{ALL_TYPES}' AND succeeded + failed + cancelled + expired
    ORDER BY failed DESC, succeeded + cancelled + expired DESC, type LIMIT ?
"""  # noqa: S608
#: The last one that goes, if there are as many as go at once.
_LAST_OLD = "SELECT start, type FROM endings WHERE step_s = ? AND start < ? ORDER BY start, type LIMIT 1 OFFSET ?"
_FORGET = "DELETE FROM endings WHERE step_s = ? AND (start, type) <= (?, ?)"
_FORGET_ALL = "DELETE FROM endings WHERE step_s = ? AND start < ?"


class EndingRows:
    """The driver's side: it runs inside the open transaction of a turn."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._unwritten = Unwritten()
        self.reload()

    def reload(self) -> None:
        """Counts again what has ended and is not written: at the start, and after a rollback."""
        [(clock,)] = self._db.execute(_COUNTED)
        self._unwritten.reload(clock, chain.from_iterable(self._db.execute(since, (clock,)) for since in _SINCE))

    def save(self, request: Save) -> None:
        """Counts the jobs that have ended in the turn, and writes the counts if it is time, or if it must be."""
        if self._unwritten.count(request):
            self._write()

    def _write(self) -> None:
        slots, clock = self._unwritten.take()
        for slot, endings in self._found(slots):
            slots[slot].add(endings)
        write_rows(self._db, _SAVE, [(*slot, *values_of(endings)) for slot, endings in slots.items()])
        self._db.execute(_SAVE_COUNTED, (clock,))

    def _found(self, slots: Iterable[Slot]) -> list[tuple[Slot, Endings]]:
        rows = self._db.execute(_FIND, (json.dumps(list(slots)),))
        return [(Slot(*row[:3]), endings_of(*row[3:])) for row in rows]

    def forget(self, now_at: float) -> bool:
        """Forgets the oldest ones whose time is over. Returns whether there may be more."""
        more = False
        for step_s, before in outlived(now_at).items():
            last = self._db.execute(_LAST_OLD, (step_s, before, MOST_ENDINGS_FORGOTTEN - 1)).fetchone()
            if last is None:
                self._db.execute(_FORGET_ALL, (step_s, before))
            else:
                self._db.execute(_FORGET, (step_s, *last))
                more = True
        return more

    def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads."""
        rows = self._db.execute(_WINDOW, (steps.step_s, type_name, json.dumps(list(steps.starts()))))
        return self._unwritten.with_written(type_name, steps, ((row[0], endings_of(*row[1:])) for row in rows))

    def types_of(self, hour: int, most: int) -> list[str]:
        """See EndingReads."""
        written = [name for (name,) in self._db.execute(_TYPES_OF, (hour, most))]
        return self._unwritten.types_with(hour, written, most)


class SqliteEndings:
    """See EndingReads."""

    def __init__(self, rows: EndingRows, thread: StoreThread) -> None:
        self._rows, self._thread = rows, thread

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads."""
        return await self._thread.read(lambda: self._rows.window(type_name, steps))

    async def windows(self, names: Sequence[str], steps: Steps) -> dict[str, list[tuple[int, Endings]]]:
        """See EndingReads."""
        return await self._thread.read(lambda: {name: self._rows.window(name, steps) for name in names})

    async def types_of(self, hour: int, most: int) -> list[str]:
        """See EndingReads."""
        return await self._thread.read(lambda: self._rows.types_of(hour, most))
