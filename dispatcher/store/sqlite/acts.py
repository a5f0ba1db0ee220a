"""The audit log in the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatcher.access.acts import Actor, AuditEntry, AuditFilter, AuditOutcome, AuditPage
from dispatcher.store.acts import MOST_ACTS_FORGOTTEN, page_of, start_of

__all__ = ["forget_acts", "page_of_acts", "save_acts"]

_COLUMNS = "at, actor, token, remote, action, target, detail, outcome"
_SAVE = f"INSERT INTO acts ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
#: Beyond its oldest rows this reads nothing: numbers and instants grow together, unless the wall clock was set back.
_FORGET = "DELETE FROM acts WHERE number IN (SELECT number FROM acts WHERE at < ? ORDER BY at LIMIT ?)"
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


def save_acts(connection: sqlite3.Connection, acts: Sequence[AuditEntry]) -> None:
    """Keeps them, in order."""
    connection.executemany(_SAVE, map(_row, acts))


def forget_acts(connection: sqlite3.Connection, before_at: float) -> None:
    """Those that are older, some at a time."""
    connection.execute(_FORGET, (before_at, MOST_ACTS_FORGOTTEN))


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
