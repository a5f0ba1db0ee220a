"""How jobs have ended, in the SQLite store: exact, although a turn seldom writes it.

The rows of jobs that have ended say it already, and they are written in the turn. So the counts of the last second are
kept in memory, and are written together, with the instant of the queue clock up to which ends are counted. A start
counts what has ended since, from the rows of jobs; and so does a rollback. A kill loses nothing, and no end is counted
twice. If a job that has ended is removed or goes on, its row will not tell of its end any more: then what is in memory
is written in the same turn. To write the counts in each turn would cost some 3 us a job at 16 jobs in a turn.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from dispatcher.core.jobs.endings import MINUTE_S, Endings, Slot, Steps, counted, slots_of
from dispatcher.core.jobs.histograms import read_text, text_of
from dispatcher.core.jobs.states import JobState
from dispatcher.store.endings import MOST_ENDINGS_FORGOTTEN, outlived, spread
from dispatcher.store.requests import Save
from dispatcher.store.sqlite.writing import write_rows
from dispatcher.store.thread import StoreThread

__all__ = ["EndingRows", "SqliteEndings"]

#: So long counts stay in memory alone, by the queue clock, if turns come; and so many of them.
WRITTEN_EVERY_S = 1.0
MOST_UNWRITTEN = 256

_COUNTS = "succeeded, failed, cancelled, expired, wait, run"
_COUNTED = "SELECT value FROM meta WHERE name = 'counted_clock'"
_SAVE_COUNTED = "UPDATE meta SET value = ? WHERE name = 'counted_clock'"
#: By the same indexes as those of jobs that are outlived.
_SINCE = [
    "SELECT ended_clock, ended_at, type, state, reason, created_at, ready_at, started_at FROM jobs"  # noqa: S608
    f" WHERE ended_clock > ? AND key IS {kind}"
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
#: The last one that goes, if there are as many as go at once.
_LAST_OLD = "SELECT start, type FROM endings WHERE step_s = ? AND start < ? ORDER BY start, type LIMIT 1 OFFSET ?"
_FORGET = "DELETE FROM endings WHERE step_s = ? AND (start, type) <= (?, ?)"
_FORGET_ALL = "DELETE FROM endings WHERE step_s = ? AND start < ?"


class EndingRows:
    """The driver's side: it runs inside the open transaction of a turn."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.reload()

    def reload(self) -> None:
        """Counts again what has ended and is not written: at the start, and after a rollback."""
        #: The ends up to this instant of the queue clock are written.
        self._counted: float = self._db.execute(_COUNTED).fetchone()[0]
        #: The last end that is counted.
        self._last = self._counted
        self._unwritten: dict[tuple[str, int], Endings] = {}
        for statement in _SINCE:
            for clock, ended_at, name, state, *fields in self._db.execute(statement, (self._counted,)):
                self._add(counted([(name, JobState(state), *fields)], ended_at), ended_at)
                self._last = max(self._last, clock)

    def _add(self, ended: Mapping[str, Endings], at: float) -> None:
        minute = int(at // MINUTE_S) * MINUTE_S
        for key, endings in (((name, minute), one) for name, one in ended.items()):
            known = self._unwritten.get(key)
            if known is None:
                self._unwritten[key] = endings
            else:
                known.add(endings)

    def save(self, request: Save) -> None:
        """Counts the jobs that have ended in the turn, and writes the counts if it is time, or if it must be."""
        if request.ended:
            self._add(request.ended, request.offered_at)
            self._last = request.queue_clock
        if self._unwritten and self._must_write(request):
            self._write()

    def _must_write(self, request: Save) -> bool:
        counted = self._counted
        lost = request.ends_lost_clock > counted or self._last <= counted  # no row would tell of it
        return lost or request.queue_clock >= counted + WRITTEN_EVERY_S or len(self._unwritten) >= MOST_UNWRITTEN

    def _write(self) -> None:
        slots = spread(self._unwritten)
        for slot, endings in self._found(slots):
            slots[slot].add(endings)
        write_rows(self._db, _SAVE, [(*slot, *_values(endings)) for slot, endings in slots.items()])
        self._counted = max(self._counted, self._last)
        self._db.execute(_SAVE_COUNTED, (self._counted,))
        self._unwritten = {}

    def _found(self, slots: Iterable[Slot]) -> list[tuple[Slot, Endings]]:
        rows = self._db.execute(_FIND, (json.dumps(list(slots)),))
        return [(Slot(*row[:3]), _endings(*row[3:])) for row in rows]

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
        found = {row[0]: _endings(*row[1:]) for row in rows}
        for (name, minute), endings in self._unwritten.items():
            for slot in slots_of(name, minute):
                if slot.type == type_name and slot.step_s == steps.step_s and slot.start in steps.starts():
                    found.setdefault(slot.start, Endings()).add(endings)
        return list(found.items())


class SqliteEndings:
    """See EndingReads."""

    def __init__(self, rows: EndingRows, thread: StoreThread) -> None:
        self._rows, self._thread = rows, thread

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads."""
        return await self._thread.read(lambda: self._rows.window(type_name, steps))


def _values(one: Endings) -> tuple[object, ...]:
    return one.succeeded, one.failed, one.cancelled, one.expired, text_of(one.wait), text_of(one.run)


def _endings(succeeded: int, failed: int, cancelled: int, expired: int, wait: str, run: str) -> Endings:
    return Endings(succeeded, failed, cancelled, expired, read_text(wait), read_text(run))
