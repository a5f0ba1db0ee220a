"""Task files in a test: what ``pagehand.tasks(path)`` gives back."""

from __future__ import annotations

from typing import Any

from .clock import SkippedClock
from .engine import TaskFile
from .taskpage import Site, TaskPage
from .thread import LoopThread

__all__ = ["PlayedTasks"]


class PlayedTasks:
    """A page with real task files."""

    def __init__(
        self,
        thread: LoopThread,
        clock: SkippedClock,
        url: str,
        files: list[TaskFile],
        *,
        run_limit_s: float,
        **options: Any,
    ) -> None:
        self._thread = thread
        self._page = TaskPage(thread.loop, clock, url, files, run_limit_s=run_limit_s)
        thread.call(self._open(options))

    async def _open(self, options: dict[str, Any]) -> None:
        try:
            await self._page.open(**options)
        except BaseException:
            self._page.trouble = ""
            await self._page.close()
            raise

    @property
    def console(self) -> list[str]:
        """What the tasks have written to the console."""
        return list(self._page.console)

    @property
    def waiting(self) -> bool:
        """A task waits for a timer."""
        return bool(self._page.waits)

    def site(self, url: str, answer: Site | Any) -> None:
        """Requests of tasks to addresses that begin so get this: a text, what becomes JSON, or ``(status, either)``.

        Or it is a function of method, address and body that returns one of these; it must not wait. A request to any
        other address finds nobody: status 0, and ``onerror``.
        """
        function: Site = answer if callable(answer) else lambda method, address, body: answer
        self._page.sites[url] = function

    def close(self) -> None:
        """The page is gone. Raises RuntimeError if a task ran for ever."""
        self._thread.call(self._page.close())
