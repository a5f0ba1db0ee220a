"""The audit log in the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatcher.access.acts import Actor, AuditEntry, AuditFilter, AuditOutcome, AuditPage
from dispatcher.store.acts import page_of, start_of
from dispatcher.store.requests import ActsPurge

__all__ = ["forget_acts", "page_of_acts", "save_acts"]

_COLUMNS = "at, actor, token, remote, action, target, detail, outcome"
_SAVE = f"INSERT INTO acts ({_COLUMNS}, clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
#: All numbers between these two are there.
_ENDS = "SELECT (SELECT min(number) FROM acts), (SELECT max(number) FROM acts)"
#: The first act that is kept, if it is among the oldest ones: numbers and the queue clock grow together.
_YOUNG = "SELECT number FROM acts WHERE number < ? AND clock >= ? ORDER BY number LIMIT 1"
_FORGET = "DELETE FROM acts WHERE number < ?"
_PAGE = f"SELECT {_COLUMNS}, number FROM acts WHERE number < ?"  # noqa: S608
#: By the field of the filter.
_CONDITIONS = {
    "actor": " AND actor = ?",
    "action": " AND action = ?",
    "target": " AND target = ?",
    "after": " AND at >= ?",
    "before": " AND at < ?",
}
_ORDER = " ORDER BY number DESC LIMIT ?"
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
    end = most if young is None else min(max(young[0], last - purge.kept + 1), most)
    connection.execute(_FORGET, (end,))
    return end == most


def page_of_acts(connection: sqlite3.Connection, wanted: AuditFilter) -> AuditPage:
    """See port.Store."""
    start = start_of(wanted)
    given = {name: getattr(wanted, name) for name in _CONDITIONS if getattr(wanted, name) is not None}
    statement = _PAGE + "".join(_CONDITIONS[name] for name in given) + _ORDER
    rows = connection.execute(statement, (_BEYOND if start is None else start, *given.values(), wanted.limit + 1))
    return page_of([_act(*row) for row in rows], wanted.limit)


def _row(act: AuditEntry) -> tuple[object, ...]:
    actor = act.actor
    return act.at, actor.name, actor.token, actor.remote, act.action, act.target, act.detail, act.outcome.value


def _act(
    at: float, name: str, token: str, remote: str, action: str, target: str, detail: str, outcome: str, number: int
) -> AuditEntry:
    actor = Actor(name, token, remote)
    return AuditEntry(
        at=at, actor=actor, action=action, target=target, detail=detail, outcome=AuditOutcome(outcome), number=number
    )  # fmt: skip
