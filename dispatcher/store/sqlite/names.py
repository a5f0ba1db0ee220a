"""The workers that are known by name, in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from functools import partial

from dispatcher.core.jobs.diaries import KnownWorker
from dispatcher.core.jobs.habits import BLANK, DAY_BEFORE_H, WEEK_H, RollHour, Usual
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.naming import beginnings, counted
from dispatcher.store.kept_rows import diary_text, known_worker_of
from dispatcher.store.requests import MOST_FORGOTTEN, MOST_MISSING, Save
from dispatcher.store.sqlite.writing import write_rows
from dispatcher.store.thread import StoreThread
from dispatcher.store.views import end_of

__all__ = ["SqliteNames", "forget_names", "save_names"]

_SAVE = """
    INSERT INTO workers (name, place, gone_at, gone_clock, worker) VALUES {rows}
    ON CONFLICT (name) DO UPDATE SET
        gone_at = excluded.gone_at, gone_clock = excluded.gone_clock,
        worker = coalesce(excluded.worker, workers.worker),
        diary = iif(coalesce(excluded.worker, workers.worker) IS workers.worker, workers.diary, NULL)
"""
#: ``[name, worker]`` of each that has just come or gone. A worker that has gone under another name was renamed.
_GO_OVER = """
    UPDATE workers SET
        habit = coalesce(workers.habit, former.habit),
        habit_before = coalesce(workers.habit_before, former.habit_before),
        diary = coalesce(workers.diary, former.diary)
    FROM (
        SELECT moved.value ->> 0 AS now, w.habit, w.habit_before, w.diary
        FROM json_each(?) AS moved JOIN workers AS w ON w.worker = moved.value ->> 1
        WHERE w.gone_at IS NOT NULL AND w.name <> moved.value ->> 0
    ) AS former
    WHERE workers.name = former.now
"""
_DROP_FORMER = """
    DELETE FROM workers WHERE gone_at IS NOT NULL AND worker IN (SELECT value ->> 1 FROM json_each(?1))
        AND name NOT IN (SELECT value ->> 0 FROM json_each(?1))
"""
_KEEP_DIARIES = "UPDATE workers SET diary = kept.column2 FROM (VALUES {rows}) AS kept WHERE workers.name = kept.column1"

_NOBODY_HERE = "UPDATE workers SET gone_at = ?, gone_clock = ? WHERE gone_at IS NULL"
#: (gone before, most), and (most that are kept, most that go at once)
_FORGET = """
    DELETE FROM workers WHERE name IN (
        SELECT name FROM workers WHERE gone_clock IS NOT NULL AND gone_clock < ? ORDER BY gone_clock, name LIMIT ?
    )
"""
_FORGET_MANY = """
    DELETE FROM workers WHERE name IN (
        SELECT name FROM workers WHERE gone_clock IS NOT NULL ORDER BY gone_clock DESC, name DESC LIMIT ?2 OFFSET ?1
    )
"""
_DROP = "DELETE FROM workers WHERE gone_at IS NOT NULL AND name IN (SELECT value FROM json_each(?))"
#: (the sign's place in a habit, who went after this is here, blank signs). It writes only what is not as usual.
_CALL_ROLL = """
    UPDATE workers SET
        habit = substr(coalesce(habit, ?3), 1, ?1 - 1) || now.sign || substr(coalesce(habit, ?3), ?1 + 1),
        habit_before = substr(coalesce(habit_before, ?3), 1, ?1 - 1) || substr(coalesce(habit, ?3), ?1, 1)
            || substr(coalesce(habit_before, ?3), ?1 + 1)
    FROM (SELECT name, CASE WHEN gone_at IS NULL OR gone_at > ?2 THEN '1' ELSE '0' END AS sign FROM workers) AS now
    WHERE now.name = workers.name
        AND (habit IS NULL OR substr(habit, ?1, 1) <> now.sign OR substr(habit_before, ?1, 1) <> substr(habit, ?1, 1))
"""

#: By the names as people count: (the first place that may be, behind which place and name, before which place, most)
_MISSING = """
    SELECT name, gone_at, worker FROM workers
    WHERE gone_at IS NOT NULL AND place >= ?1 AND (place, name) > (?2, ?3) AND (?4 IS NULL OR place < ?4)
    ORDER BY place, name LIMIT ?5
"""
#: ``habits.is_usual`` for three roll calls: of each (whether it is past, the sign's place, that of the day before).
_IS_USUAL = " AND ".join(
    f"""CASE substr(iif(?{at}, habit_before, habit), ?{at + 1}, 1)
        WHEN '1' THEN TRUE WHEN '-' THEN substr(habit, ?{at + 2}, 1) = '1' ELSE FALSE END"""
    for at in (1, 4, 7)
)
_USUAL = f"SELECT count(*), count(gone_at) FROM workers WHERE {_IS_USUAL}"  # noqa: S608
_USUAL_GONE = f"""
    SELECT name, gone_at, worker FROM workers WHERE gone_at IS NOT NULL AND {_IS_USUAL}
    ORDER BY gone_at DESC, place, name LIMIT ?10
"""  # noqa: S608


_KNOWN = """
    SELECT name, worker, gone_at, diary FROM workers
    WHERE worker IN (SELECT value FROM json_each(?)) OR name IN (SELECT value FROM json_each(?)) ORDER BY name
"""


def save_names(connection: sqlite3.Connection, request: Save) -> None:
    """Writes who has come and gone, and who is forgotten; then calls the roll."""
    gone, writes = (request.offered_at, request.queue_clock), request.writes
    if writes.nobody:
        connection.execute(_NOBODY_HERE, gone)
    rows = [
        (name, counted(name), *((None, None) if is_here else gone), writes.whose.get(name))
        for name, is_here in writes.here.items()
    ]
    write_rows(connection, _SAVE, rows)
    if writes.whose:
        whose = (json.dumps(list(writes.whose.items())),)
        connection.execute(_GO_OVER, whose)
        connection.execute(_DROP_FORMER, whose)
    if writes.forgotten:
        connection.execute(_DROP, (json.dumps(writes.forgotten),))
    write_rows(connection, _KEEP_DIARIES, [(name, diary_text(one)) for name, one in writes.diaries.items()])
    if writes.roll is not None:
        connection.execute(_CALL_ROLL, (writes.roll.hour + 1, writes.roll.since_at, BLANK))


def forget_names(connection: sqlite3.Connection, before: float) -> None:
    """Forgets those that went before this instant of the queue clock, and those beyond the most that are kept."""
    connection.execute(_FORGET, (before, MOST_FORGOTTEN))
    connection.execute(_FORGET_MANY, (MOST_MISSING, MOST_FORGOTTEN))


class SqliteNames:
    """See NameReads."""

    def __init__(self, connection: sqlite3.Connection, thread: StoreThread) -> None:
        self._db, self._thread = connection, thread

    async def missing(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[MissingWorker]:
        """See NameReads."""
        return await self._thread.read(partial(self._missing, prefix, after, most))

    def _missing(self, prefix: str, after: str | None, most: int) -> list[MissingWorker]:
        behind = ("", "") if after is None else (counted(after), after)
        found: list[MissingWorker] = []
        for first in beginnings(prefix):
            asked = (first, *behind, end_of(first), most - len(found))
            found += [MissingWorker(*row) for row in self._db.execute(_MISSING, asked)]
        return found

    async def usual(self, hours: Sequence[RollHour], most: int = 100) -> Usual:
        """See NameReads."""
        return await self._thread.read(partial(self._usual, hours, most))

    def _usual(self, hours: Sequence[RollHour], most: int) -> Usual:
        three = [hours[0], hours[-1], hours[len(hours) // 2]]
        asked = [part for one in three for part in (one.is_past, one.hour + 1, (one.hour + DAY_BEFORE_H) % WEEK_H + 1)]
        [(workers, gone)] = self._db.execute(_USUAL, asked)
        some = [MissingWorker(*row) for row in self._db.execute(_USUAL_GONE, (*asked, most))] if gone else []
        return Usual(workers, gone, some)

    async def known(self, workers: Collection[str] = (), names: Collection[str] = ()) -> list[KnownWorker]:
        """See NameReads."""
        asked = (json.dumps([*workers]), json.dumps([*names]))
        return await self._thread.read(lambda: [known_worker_of(*row) for row in self._db.execute(_KNOWN, asked)])
