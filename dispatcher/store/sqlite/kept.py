"""What is kept of workers and types, in the SQLite store: it changes seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec.structs import astuple

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.kept import Hold, KeptType, KeptWorker
from dispatcher.core.jobs.terms import NO_DEFAULTS, TypeDefaults
from dispatcher.store.kept import Kept
from dispatcher.store.thread import StoreThread

__all__ = ["SqliteKept", "save_kept"]

_COLUMNS = "worker, called, name, labels, note, paused, blocked"
_SAVE = f"INSERT OR REPLACE INTO kept ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET = "DELETE FROM kept WHERE worker = ?"
_SLICE = f"SELECT {_COLUMNS} FROM kept WHERE worker > ? ORDER BY worker LIMIT ?"  # noqa: S608
_SAVE_TYPE = "INSERT OR REPLACE INTO kept_types (type, paused, defaults) VALUES (?, ?, ?)"
_FORGET_TYPE = "DELETE FROM kept_types WHERE type = ?"
_SLICE_TYPES = "SELECT type, paused, defaults FROM kept_types WHERE type > ? ORDER BY type LIMIT ?"
_SAVE_CREDENTIAL = "INSERT OR REPLACE INTO credentials (worker, token, digests, at) VALUES (?, ?, ?, ?)"
_FORGET_CREDENTIAL = "DELETE FROM credentials WHERE worker = ?"
_SLICE_CREDENTIALS = "SELECT worker, token, digests, at FROM credentials WHERE worker > ? ORDER BY worker LIMIT ?"
#: Bytes of a SHA-256.
_DIGEST = 32


class SqliteKept:
    """See KeptReads."""

    def __init__(self, connection: sqlite3.Connection, thread: StoreThread) -> None:
        self._db, self._thread = connection, thread

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        return await self._thread.read(lambda: [_worker(*row) for row in self._db.execute(_SLICE, (after, most))])

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        return await self._thread.read(lambda: [_type(*row) for row in self._db.execute(_SLICE_TYPES, (after, most))])

    async def credentials(self, after: str = "", most: int = 1_000) -> list[Credential]:
        """See KeptReads."""
        return await self._thread.read(
            lambda: [_credential(*row) for row in self._db.execute(_SLICE_CREDENTIALS, (after, most))]
        )


def save_kept(connection: sqlite3.Connection, kept: Sequence[Kept]) -> None:
    """Keeps them, in order; of an empty one nothing is kept."""
    for one in kept:
        forget, save, row = _how(one)
        if one.is_empty():
            connection.execute(forget, row[:1])
        else:
            connection.execute(save, row)


def _how(one: Kept) -> tuple[str, str, tuple[object, ...]]:
    """How to forget it, how to save it, and its row, whose first column names it."""
    if isinstance(one, KeptType):
        return _FORGET_TYPE, _SAVE_TYPE, (one.type, _held(one.paused), _defaults(one))
    if isinstance(one, Credential):
        return _FORGET_CREDENTIAL, _SAVE_CREDENTIAL, (one.worker, one.token_id, b"".join(one.digests), one.at)
    return _FORGET, _SAVE, _row(one)


def _credential(worker: str, token: str, digests: bytes, at: float) -> Credential:
    each = tuple(digests[start : start + _DIGEST] for start in range(0, len(digests), _DIGEST))
    return Credential(worker=worker, token_id=token, digests=each, at=at)


def _worker(
    worker: str, called: str, name: str, labels: str, note: str, paused: str | None, blocked: str | None
) -> KeptWorker:
    return KeptWorker(
        id=worker, called=called, name=name, note=note,
        labels=msgspec.json.decode(labels, type=tuple[tuple[str, str], ...]),
        paused=_hold(paused), blocked=_hold(blocked),
    )  # fmt: skip


def _type(name: str, paused: str | None, defaults: str | None) -> KeptType:
    told = NO_DEFAULTS if defaults is None else msgspec.json.decode(defaults, type=TypeDefaults)
    return KeptType(type=name, paused=_hold(paused), defaults=told)


def _defaults(one: KeptType) -> str | None:
    return None if one.defaults == NO_DEFAULTS else _json(one.defaults)


def _row(one: KeptWorker) -> tuple[object, ...]:
    return one.id, one.called, one.name, _json(one.labels), one.note, _held(one.paused), _held(one.blocked)


def _held(hold: Hold | None) -> str | None:
    return None if hold is None else _json(astuple(hold))


def _hold(text: str | None) -> Hold | None:
    return None if text is None else Hold(*msgspec.json.decode(text, type=tuple[float, str, str, bool]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
