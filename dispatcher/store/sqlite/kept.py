"""What is kept of workers and types, in the SQLite store: it changes seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.acts.kept import KeptType, KeptWorker
from dispatcher.store.kept import Kept
from dispatcher.store.kept_rows import (
    CREDENTIAL_COLUMNS,
    TYPE_COLUMNS,
    WORKER_COLUMNS,
    credential_of,
    kept_fields,
    kept_type_of,
    kept_worker_of,
)
from dispatcher.store.thread import StoreThread

__all__ = ["SqliteKept", "save_kept"]


class _Statements:
    """Those of one table, whose first column is its key."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        key, names, marks = columns[0], ", ".join(columns), ", ".join("?" * len(columns))
        self.save = f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
        self.forget = f"DELETE FROM {table} WHERE {key} = ?"  # noqa: S608
        self.slice = f"SELECT {names} FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?"  # noqa: S608


_WORKERS = _Statements("kept", WORKER_COLUMNS)
_TYPES = _Statements("kept_types", TYPE_COLUMNS)
_CREDENTIALS = _Statements("credentials", CREDENTIAL_COLUMNS)


class SqliteKept:
    """See KeptReads."""

    def __init__(self, connection: sqlite3.Connection, thread: StoreThread) -> None:
        self._db, self._thread = connection, thread

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        asked = (_WORKERS.slice, (after, most))
        return await self._thread.read(lambda: [kept_worker_of(*row) for row in self._db.execute(*asked)])

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        asked = (_TYPES.slice, (after, most))
        return await self._thread.read(lambda: [kept_type_of(*row) for row in self._db.execute(*asked)])

    async def credentials(self, after: str = "", most: int = 1_000) -> list[Credential]:
        """See KeptReads."""
        asked = (_CREDENTIALS.slice, (after, most))
        return await self._thread.read(lambda: [credential_of(*row) for row in self._db.execute(*asked)])


def save_kept(connection: sqlite3.Connection, kept: Sequence[Kept]) -> None:
    """Keeps them, in order; of an empty one nothing is kept."""
    for one in kept:
        statements, row = _statements(one), tuple(kept_fields(one).values())
        if one.is_empty():
            connection.execute(statements.forget, row[:1])
        else:
            connection.execute(statements.save, row)


def _statements(one: Kept) -> _Statements:
    if isinstance(one, KeptType):
        return _TYPES
    return _CREDENTIALS if isinstance(one, Credential) else _WORKERS
