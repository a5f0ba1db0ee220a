"""What a turn writes besides jobs: workers, tokens, what is kept of workers and types, acts, messages; and how
jobs have ended.
"""

from __future__ import annotations

import sqlite3

from dispatcher.core.jobs.views.naming import counted
from dispatcher.store.requests import MOST_FORGOTTEN, MOST_MISSING, Purge, Save
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.acts import forget_acts, save_acts
from dispatcher.store.sqlite.endings import EndingRows
from dispatcher.store.sqlite.hooks import HookRows
from dispatcher.store.sqlite.kept import save_kept
from dispatcher.store.sqlite.tokens import save_tokens
from dispatcher.store.sqlite.writing import write_rows

__all__ = ["forget_besides", "save_besides"]


def save_besides(connection: sqlite3.Connection, hooks: HookRows, endings: EndingRows, request: Save) -> None:
    """Writes it, in the transaction that is open."""
    writes = request.writes
    _save_workers(connection, request)
    save_tokens(connection, writes.tokens)
    save_kept(connection, writes.kept)
    if writes.acts:
        save_acts(connection, writes.acts, request.queue_clock)
    if writes.messages or writes.hooks:
        hooks.save(writes.messages, writes.hooks, request.queue_clock)
    endings.save(request)


def forget_besides(connection: sqlite3.Connection, hooks: HookRows, endings: EndingRows, request: Purge) -> bool:
    """Forgets what is old of it, a bounded number of rows. Returns whether there may be more."""
    connection.execute(sql.FORGET_WORKERS, (request.gone_before, MOST_FORGOTTEN))
    connection.execute(sql.FORGET_MANY_WORKERS, (MOST_MISSING, MOST_FORGOTTEN))
    more = forget_acts(connection, request.acts)
    more = endings.forget(request.now_at) or more
    return hooks.forget() or more


def _save_workers(connection: sqlite3.Connection, request: Save) -> None:
    gone = (request.offered_at, request.queue_clock)
    if request.writes.nobody:
        connection.execute(sql.NOBODY_HERE, gone)
    here = request.writes.here
    rows = [(name, counted(name), *((None, None) if here[name] else gone)) for name in here]
    write_rows(connection, sql.SAVE_WORKERS, rows)
