"""Reads beside the turns: each waits for the turn that runs, and a turn that has come goes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import psycopg

from dispatcher.errors import StorageTrouble
from dispatcher.store.postgres.wire import Rows, Wire
from dispatcher.store.thread import StoreThread

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """The store's thread, for reads."""

    def __init__(self, thread: StoreThread, wire: Wire) -> None:
        self._thread, self._wire = thread, wire

    async def one(self, name: str, /, **values: object) -> Rows:
        """The rows that one statement answers. Raises StorageTrouble."""
        return await self.call(partial(self._wire.one, name, **values))

    async def call(self, read: Callable[[], T]) -> T:
        """What ``read`` answers; it runs in the store's thread. Raises StorageTrouble."""
        return await self._thread.read(partial(_read, read))


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except psycopg.OperationalError as error:
        raise StorageTrouble(f"the database does not answer: {error}") from error
