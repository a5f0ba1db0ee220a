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

    __slots__ = ("_is_cut", "_waiting", "has_gone", "is_shut", "opens")

    def __init__(self) -> None:
        #: The task that waits, and whether this has cancelled it.
        self._waiting: asyncio.Task[Any] | None = None
        self._is_cut = False
        self.has_gone = False
        #: Its token has ended while it waited.
        self.is_shut = False
        #: Has it told when its token ends; None: it has shown none.
        self.opens: Callable[[Callable[[], None]], Opening] | None = None

    async def patiently(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """Waits as long as the client is there; None if it went away. Raises Unauthorized when its token ends.

        It waits in the task that serves the request: a task of its own would cost two rounds of the loop.
        """
        self._waiting = task = asyncio.current_task()
        held = None if self.opens is None else self.opens(self._shut)
        try:
            done = await waiting
            if self._is_cut:
                await asyncio.sleep(0)  # in the same step: the cancelling comes out here, and at no later wait
            return done
        except asyncio.CancelledError:
            if not self._is_cut or task is None or task.uncancel():
                raise  # somebody else has cancelled it, too
            if self.has_gone:
                return None
            raise Unauthorized(ENDED) from None
        finally:
            self._waiting = None
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
        if self._waiting is not None and not self._is_cut:
            self._is_cut = True
            self._waiting.cancel()
