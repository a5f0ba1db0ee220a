"""The audit log in the SQLite store. A page of it is read slice by slice.

Acts are listed by their numbers, while a filter's ``after`` and ``before`` are instants of a wall clock that may have
been wrong: so numbers and instants need not grow together. Therefore a read asks an index of each span of numbers
whether it has an act of that time at all, and passes over the others.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from math import inf

from dispatcher.access.acts import AuditEntry, AuditFilter, AuditPage
from dispatcher.store.acts import act_of_row, page_of, start_of
from dispatcher.store.requests import ActsPurge
from dispatcher.store.views import SLICE

__all__ = ["ActsRead", "forget_acts", "save_acts"]

_COLUMNS = "at, actor, token, remote, action, target, detail, outcome"
_SAVE = f"INSERT INTO acts ({_COLUMNS}, clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
#: All numbers between these two are there.
_ENDS = "SELECT (SELECT min(number) FROM acts), (SELECT max(number) FROM acts)"
#: The first act that is kept, if it is among the oldest ones: numbers and the queue clock grow together.
_YOUNG = "SELECT number FROM acts WHERE number < ? AND clock >= ? ORDER BY number LIMIT 1"
_FORGET = "DELETE FROM acts WHERE number < ?"

#: How many numbers a span has; the index acts_at has the same.
_SPAN = 1_000
_IN_SPAN = "SELECT 1 FROM acts INDEXED BY acts_at WHERE number / 1000 = ? AND at >= ? AND at < ? LIMIT 1"
#: To look into an index counts as much as some of the acts that a slice looks at.
_LOOK = 4
#: The next numbers, by the field that seldom has many acts of one name first. Each index ends with the number.
_NEXT = {
    "target": "SELECT number FROM acts INDEXED BY acts_target WHERE target = ?",
    "actor": "SELECT number FROM acts INDEXED BY acts_actor WHERE actor = ?",
    "action": "SELECT number FROM acts INDEXED BY acts_action WHERE action = ?",
}
_NEXT_OF_ALL = "SELECT number FROM acts WHERE ? IS NULL"
_BELOW = " AND number < ? AND number >= ? ORDER BY number DESC LIMIT ?"
_ROWS = f"""
    SELECT {_COLUMNS}, number FROM acts
    WHERE number IN (SELECT value FROM json_each(?1)) AND at >= ?2 AND at < ?3
        AND (?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR action = ?5) AND (?6 IS NULL OR target = ?6)
    ORDER BY number DESC LIMIT ?7
"""  # noqa: S608
_BEYOND = (1 << 63) - 1


def save_acts(connection: sqlite3.Connection, acts: Sequence[AuditEntry], clock: float) -> None:
    """Keeps them, in order."""
    connection.executemany(_SAVE, [(*_row(act), clock) for act in acts])


def forget_acts(connection: sqlite3.Connection, purge: ActsPurge) -> bool:
    """Forgets the oldest. Returns whether there may be more to forget."""
    first, last = connection.execute(_ENDS).fetchone()
    if first is None:
        return False
    most = first + purge.limit
    young = connection.execute(_YOUNG, (most, purge.before)).fetchone()
    end: int = most if young is None else min(max(young[0], last - purge.kept + 1), most)
    connection.execute(_FORGET, (end,))
    return bool(end == most)


class ActsRead:
    """One page, as far as it has been read. Raises BadParameter for a cursor that we did not make."""

    def __init__(self, connection: sqlite3.Connection, wanted: AuditFilter) -> None:
        self._db = connection
        self._wanted = wanted
        #: Up to one more than the page has: it tells whether there is another page.
        self._items: list[AuditEntry] = []
        start = start_of(wanted)
        #: The number below which the list goes on.
        self._below = _BEYOND if start is None else start
        names = [(_NEXT[name], getattr(wanted, name)) for name in _NEXT if getattr(wanted, name) is not None]
        self._next: str
        self._name: str | None
        self._next, self._name = names[0] if names else (_NEXT_OF_ALL, None)
        self._time = (-inf if wanted.after is None else wanted.after, inf if wanted.before is None else wanted.before)
        self._timed = self._time != (-inf, inf)
        #: Each act of the name is on the page.
        self._plain = not self._timed and len(names) < 2

    def slice(self) -> bool:
        """Reads the next acts, in the store's thread. Returns whether the page is whole."""
        looks = 0
        while looks < SLICE:
            top = self._numbers(0, 1)
            if not top:
                self._below = 0
                return True
            looks += self._step(top[0], SLICE - looks)
            if self._room() == 0:
                return True
        return False

    def _room(self) -> int:
        return self._wanted.limit + 1 - len(self._items)

    def _step(self, top: int, most: int) -> int:
        """Reads on from this number, at most ``most`` acts. Returns how much of a slice it takes."""
        span = top // _SPAN if self._timed else 0
        if self._timed and not self._db.execute(_IN_SPAN, (span, *self._time)).fetchone():
            self._below = span * _SPAN
            return _LOOK
        most = min(most, self._room()) if self._plain else most
        numbers = self._numbers(span * _SPAN, most)
        self._items += self._rows(numbers)
        self._below = numbers[-1] if len(numbers) == most else span * _SPAN
        return _LOOK + len(numbers)

    def _numbers(self, above: int, most: int) -> list[int]:
        """The next numbers down to ``above`` that may be wanted."""
        asked = (self._name, self._below, above, most)
        return [number for (number,) in self._db.execute(self._next + _BELOW, asked)]

    def _rows(self, numbers: list[int]) -> list[AuditEntry]:
        wanted = self._wanted
        names = (wanted.actor, wanted.action, wanted.target)
        return [
            act_of_row(*row)
            for row in self._db.execute(_ROWS, (json.dumps(numbers), *self._time, *names, self._room()))
        ]

    def page(self) -> AuditPage:
        """The page as it has been read."""
        return page_of(self._items, self._wanted.limit, self._below)


def _row(act: AuditEntry) -> tuple[object, ...]:
    actor = act.actor
    return act.at, actor.name, actor.token, actor.remote, act.action, act.target, act.detail, act.outcome.value
