"""What operators have said of workers, in the SQLite store. They say it seldom."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec.structs import astuple

from dispatcher.core.jobs.kept import Hold, KeptWorker

__all__ = ["kept_slice", "save_kept"]

_COLUMNS = "worker, called, name, labels, note, paused, blocked"
_SAVE = f"INSERT OR REPLACE INTO kept ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_FORGET = "DELETE FROM kept WHERE worker = ?"
_SLICE = f"SELECT {_COLUMNS} FROM kept WHERE worker > ? ORDER BY worker LIMIT ?"  # noqa: S608


def save_kept(connection: sqlite3.Connection, kept: Sequence[KeptWorker]) -> None:
    """Keeps them, in order; of an empty one nothing is kept."""
    for one in kept:
        if one.is_empty():
            connection.execute(_FORGET, (one.id,))
        else:
            connection.execute(_SAVE, _row(one))


def kept_slice(connection: sqlite3.Connection, after: str, most: int) -> list[KeptWorker]:
    """The first behind ``after``, by id."""
    return [
        KeptWorker(
            id=worker, called=called, name=name, note=note,
            labels=msgspec.json.decode(labels, type=tuple[tuple[str, str], ...]),
            paused=_hold(paused), blocked=_hold(blocked),
        )
        for worker, called, name, labels, note, paused, blocked in connection.execute(_SLICE, (after, most))
    ]  # fmt: skip


def _row(one: KeptWorker) -> tuple[object, ...]:
    return one.id, one.called, one.name, _json(one.labels), one.note, _held(one.paused), _held(one.blocked)


def _held(hold: Hold | None) -> str | None:
    return None if hold is None else _json(astuple(hold))


def _hold(text: str | None) -> Hold | None:
    return None if text is None else Hold(*msgspec.json.decode(text, type=tuple[float, str, str, bool]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
