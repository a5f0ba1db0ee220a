"""Those who read the whole list of jobs, page after page. A page is read when the one before it has been taken.

Only one page is read at a time, whoever asks for it: between two of them the loop serves everybody else, however many
read. It knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobFilter, JobPage, JobView
from dispatcher.errors import Unavailable

__all__ = ["PAGE", "Walk", "Walks"]

#: Jobs that are read at once.
PAGE = 100


class Walk:
    """One way through the list, from the filter's cursor to its end. Use it as a context, outside of which it does not
    count."""

    def __init__(self, walks: Walks, wanted: JobFilter) -> None:
        self._walks = walks
        self._wanted = replace(wanted, limit=PAGE)
        self._is_over = False

    def __enter__(self) -> Walk:
        self._walks.count += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._walks.count -= 1

    async def next(self) -> list[JobView] | None:
        """The next jobs, or none of them if a rare filter is still being searched; None: the list is over.

        Raises BadParameter for a cursor that is not ours, and Draining.
        """
        if self._is_over:
            return None
        page = await self._walks.page(self._wanted)
        self._wanted = replace(self._wanted, cursor=page.next_cursor)
        self._is_over = page.next_cursor is None
        return page.items


class Walks:
    """All who read the list of one node, at most ``most``."""

    def __init__(self, read: Callable[[JobFilter], Awaitable[JobPage]], most: int) -> None:
        self._read, self._most = read, most
        self._one_reads = asyncio.Lock()
        #: How many read.
        self.count = 0

    def begin(self, wanted: JobFilter) -> Walk:
        """A way through the list. Raises Unavailable."""
        if self.count >= self._most:
            raise Unavailable(f"{self._most} clients read whole lists already (--waiters): read page by page")
        return Walk(self, wanted)

    async def page(self, wanted: JobFilter) -> JobPage:
        """One page, when those who asked before have theirs."""
        async with self._one_reads:
            # Whoever waits for the lock goes on one turn of the loop later, even if the store answers at once.
            await asyncio.sleep(0)
            return await self._read(wanted)
