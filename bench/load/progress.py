"""What this process has counted, and how it waits: what makes a run fail ends every wait."""

from __future__ import annotations

import asyncio

__all__ = ["Run", "sleep", "until"]


class Run:
    """The counts of this process, and its end."""

    ending = False
    count = 0
    done: asyncio.Future[None]

    @classmethod
    def fail(cls, why: str) -> None:
        """Give up."""
        if not cls.done.done():
            cls.done.set_exception(RuntimeError(why))


async def sleep(seconds: float) -> None:
    """Wait; raises what made the run fail."""
    await asyncio.wait([Run.done], timeout=seconds)
    if Run.done.done():
        Run.done.result()


async def until(future: asyncio.Future[None], timeout_s: float | None = None) -> None:
    """Wait for a future; raises what made the run fail."""
    await asyncio.wait([future, Run.done], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    if Run.done.done():
        Run.done.result()
    if not future.done():
        raise RuntimeError(f"nothing came within {timeout_s} s")
