"""What a turn writes besides jobs: workers, tokens, what is kept of workers and types, acts, messages; and how
jobs have ended.
"""

from __future__ import annotations

import sqlite3

from dispatcher.store.requests import Purge, Save
from dispatcher.store.sqlite.acts import forget_acts, save_acts
from dispatcher.store.sqlite.endings import EndingRows
from dispatcher.store.sqlite.hooks import HookRows
from dispatcher.store.sqlite.kept import save_kept
from dispatcher.store.sqlite.names import forget_names, save_names
from dispatcher.store.sqlite.tokens import save_tokens

__all__ = ["forget_besides", "save_besides"]


def save_besides(connection: sqlite3.Connection, hooks: HookRows, endings: EndingRows, request: Save) -> None:
    """Writes it, in the transaction that is open."""
    writes = request.writes
    save_names(connection, request)
    save_tokens(connection, writes.tokens)
    save_kept(connection, writes.kept)
    if writes.acts:
        save_acts(connection, writes.acts, request.queue_clock)
    if writes.messages or writes.hooks:
        hooks.save(writes.messages, writes.hooks, request.queue_clock)
    endings.save(request)


def forget_besides(connection: sqlite3.Connection, hooks: HookRows, endings: EndingRows, request: Purge) -> bool:
    """Forgets what is old of it, a bounded number of rows. Returns whether there may be more."""
    forget_names(connection, request.gone_before)
    more = forget_acts(connection, request.acts)
    more = endings.forget(request.now_at) or more
    return hooks.forget() or more
