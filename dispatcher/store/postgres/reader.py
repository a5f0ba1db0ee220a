"""Reads beside the turns: each waits for the turn that runs, and a turn that has come goes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import psycopg

from dispatcher.errors import StorageAway
from dispatcher.store.postgres.link import AWAY_S, Link, Rows, words_of
from dispatcher.store.thread import StoreThread

__all__ = ["Reader"]

T = TypeVar("T")


class Reader:
    """The store's thread, for reads. ``connected`` sees to the connection, or raises."""

    def __init__(self, thread: StoreThread, link: Link, connected: Callable[[], None]) -> None:
        self._thread, self._link, self._connected = thread, link, connected

    async def one(self, name: str, /, **values: object) -> Rows:
        """The rows that one statement answers. Raises StorageAway."""
        return await self.call(partial(self._link.one, name, **values))

    async def call(self, read: Callable[[], T]) -> T:
        """What ``read`` answers; it runs in the store's thread. Raises StorageAway."""
        return await self._thread.read(partial(self._read, read))

    def _read(self, read: Callable[[], T]) -> T:
        self._connected()
        try:
            return read()
        except psycopg.OperationalError as error:
            raise StorageAway(f"the database does not answer: {words_of(error)}", retry_after_s=AWAY_S) from error
        finally:
            self._link.leave()
