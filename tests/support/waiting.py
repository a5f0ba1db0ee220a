"""Waits for another process or the network: it asks again and again, until a deadline.

While a test waits for one thing, ``check_alive`` says whether what should go on beside it still does.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["PATIENCE_S", "check_alive", "eventually", "until"]

#: No step of a test takes longer, even on a loaded machine.
PATIENCE_S = 20.0
_PAUSE_S = 0.02
#: The pause between two questions to this process.
_SHORT_PAUSE_S = 0.001


def until(condition: Callable[[], Any], seconds: float = 10.0, what: str = "the condition") -> Any:
    """Returns the condition's value once it is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:g} s, still not: {what}")
        time.sleep(_PAUSE_S)
    return value


def check_alive(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Raises what a task has failed with: a bug of the test's client, or an answer that must not be."""
    for task in tasks:
        if task.done():
            task.result()


async def eventually(
    condition: Callable[[], Any], *, what: str = "the condition", timeout_s: float = PATIENCE_S
) -> Any:
    """The same while the loop runs; the condition may be awaitable. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        asks_others = inspect.isawaitable(value)
        if asks_others:
            value = await value
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s:g} s, still not: {what}")
        await asyncio.sleep(_PAUSE_S if asks_others else _SHORT_PAUSE_S)
