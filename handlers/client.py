"""Whoever asks may leave while it waits for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["AskingClient"]

T = TypeVar("T")


class AskingClient:
    """Whoever sent one request."""

    __slots__ = ("_waiting", "has_gone")

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Any] | None = None
        self.has_gone = False

    async def patiently(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """Waits as long as the client is there; None if it went away."""
        task = asyncio.ensure_future(waiting)
        self._waiting = task
        try:
            return await task
        except asyncio.CancelledError:
            if self.has_gone:
                return None
            raise

    def leave(self) -> None:
        """It went away: nobody needs to wait any longer."""
        self.has_gone = True
        if self._waiting is not None:
            self._waiting.cancel()
