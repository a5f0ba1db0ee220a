"""What a turn writes besides jobs: workers, tokens, what is kept of workers and types, acts, messages.

Also how any set of rows is written: as one statement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain

from dispatcher.core.jobs.naming import counted
from dispatcher.store.requests import MOST_FORGOTTEN, MOST_MISSING, Purge, Save
from dispatcher.store.sqlite import statements as sql
from dispatcher.store.sqlite.acts import forget_acts, save_acts
from dispatcher.store.sqlite.hooks import HookRows
from dispatcher.store.sqlite.kept import save_kept
from dispatcher.store.sqlite.tokens import save_tokens

__all__ = ["forget_besides", "save_besides", "write_rows"]

#: Most rows in one statement: rows times columns must stay below SQLite's 32,766 parameters.
_MOST_ROWS = 512


def save_besides(connection: sqlite3.Connection, hooks: HookRows, request: Save) -> None:
    """Writes it, in the transaction that is open."""
    writes = request.writes
    _save_workers(connection, request)
    save_tokens(connection, writes.tokens)
    save_kept(connection, writes.kept)
    if writes.acts:
        save_acts(connection, writes.acts, request.queue_clock)
    if writes.messages or writes.hooks:
        hooks.save(writes.messages, writes.hooks, request.queue_clock)


def forget_besides(connection: sqlite3.Connection, hooks: HookRows, request: Purge) -> bool:
    """Forgets what is old of it, a bounded number of rows. Returns whether there may be more."""
    connection.execute(sql.FORGET_WORKERS, (request.gone_before, MOST_FORGOTTEN))
    connection.execute(sql.FORGET_MANY_WORKERS, (MOST_MISSING, MOST_FORGOTTEN))
    more = forget_acts(connection, request.acts)
    return hooks.forget() or more


def _save_workers(connection: sqlite3.Connection, request: Save) -> None:
    gone = (request.offered_at, request.queue_clock)
    if request.writes.nobody:
        connection.execute(sql.NOBODY_HERE, gone)
    here = request.writes.here
    rows = [(name, counted(name), *((None, None) if here[name] else gone)) for name in here]
    write_rows(connection, sql.SAVE_WORKERS, rows)


def write_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Writes a set of rows, in sizes that are powers of two so that few statements are prepared.

    The last row is repeated to fill up the size: every such statement may be given a row twice.
    """
    if len(rows) == 1:  # most sets of a store with one page are of one row
        connection.execute(sql.for_rows(statement, len(rows[0]), 1), rows[0])
        return
    for start in range(0, len(rows), _MOST_ROWS):
        part = rows[start : start + _MOST_ROWS]
        size = 1 << (len(part) - 1).bit_length()
        values = list(chain.from_iterable(part))
        values += list(part[-1]) * (size - len(part))
        connection.execute(sql.for_rows(statement, len(part[0]), size), values)
