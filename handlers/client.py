"""Whoever asks may leave while it waits for its answer, and its token may end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from dispatcher.access.opened import Opening
from dispatcher.errors import Unauthorized

__all__ = ["ENDED", "AskingClient"]

#: What is said to whoever waits when its token ends.
ENDED = "The token opens nothing any more: it is revoked or has expired. What it has submitted stays."

T = TypeVar("T")


class AskingClient:
    """Whoever sent one request."""

    __slots__ = ("_waiting", "has_gone", "is_shut", "opens")

    def __init__(self) -> None:
        self._waiting: asyncio.Future[Any] | None = None
        self.has_gone = False
        #: Its token has ended while it waited.
        self.is_shut = False
        #: Has it told when its token ends; None: it has shown none.
        self.opens: Callable[[Callable[[], None]], Opening] | None = None

    async def patiently(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """Waits as long as the client is there; None if it went away. Raises Unauthorized when its token ends."""
        task = asyncio.ensure_future(waiting)
        self._waiting = task
        held = None if self.opens is None else self.opens(self._shut)
        try:
            return await task
        except asyncio.CancelledError:
            if self.has_gone:
                return None
            if self.is_shut:
                raise Unauthorized(ENDED) from None
            raise
        finally:
            if held is not None:
                held.close()

    def leave(self) -> None:
        """It went away: nobody needs to wait any longer."""
        self.has_gone = True
        self._end()

    def _shut(self) -> None:
        self.is_shut = True
        self._end()

    def _end(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
