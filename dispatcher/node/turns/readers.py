"""Counts the readers of the store, so that it is not closed under them. It reads nothing itself."""

from __future__ import annotations

import asyncio

from dispatcher.errors import Draining

__all__ = ["Readers"]


class Readers:
    """A context for each read; may be entered again inside itself. Raises Draining once ``leave`` was called."""

    def __init__(self) -> None:
        self._count = 0
        self._empty: asyncio.Future[None] | None = None
        self.closed = False

    def __enter__(self) -> None:
        if self.closed and not self._count:
            raise Draining("the server is stopping: ask again in a moment")
        self._count += 1

    def __exit__(self, *error: object) -> None:
        self._count -= 1
        if not self._count and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    async def leave(self) -> None:
        """Lets no new reader in; returns when the last one has left."""
        self.closed = True
        if self._count:
            self._empty = asyncio.get_running_loop().create_future()
            await self._empty
