"""A job as a ``concurrent.futures.Future``."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable
from typing import Any

from .answers import outcome_of
from .client import Client, Job
from .errors import PagehandClientError

__all__ = ["JobFuture"]


class JobFuture(concurrent.futures.Future[Any]):
    """It is pending until the job is over. ``wait``, ``as_completed`` and ``asyncio.wrap_future`` work.

    ``cancel()`` gives up the future at once, and blocks nobody. Soon after, the job is cancelled if it has not begun;
    if it runs, it goes on. So an ``asyncio.wait_for`` whose time is over stops no task in the middle.
    """

    def __init__(self, cancelled: Callable[[JobFuture], None] | None = None) -> None:
        super().__init__()
        #: The job, once the server has taken it.
        self.job: Job | None = None
        self._cancelled = cancelled
        self._once = threading.Lock()

    def cancel(self) -> bool:
        """False if the outcome is known already."""
        if not super().cancel():
            return False
        if self._begin() is not None and self._cancelled is not None:
            self._cancelled(self)
        return True

    def _begin(self) -> bool | None:
        """Whether the outcome may be set. None: somebody has asked before."""
        if not self._once.acquire(blocking=False):
            return None
        return self.set_running_or_notify_cancel()

    def settle(self, client: Client, news: dict[str, Any] | BaseException) -> None:
        """Sets what is known now, unless it was cancelled."""
        if not self._begin():
            return
        if isinstance(news, BaseException):
            if isinstance(news, PagehandClientError) and self.job is not None:
                news = _for_job(news, self.job)
            self.set_exception(news)
            return
        self.job = self.job or Job(client, news)
        self.job.fields = news
        try:
            result = outcome_of(self.job)
        except PagehandClientError as error:
            self.set_exception(error)
        else:
            self.set_result(result)


def _for_job(error: PagehandClientError, job: Job) -> PagehandClientError:
    """A copy: the same trouble may be told to many futures."""
    copy = type(error)(str(error), job=job, problem=error.problem, key=error.key)
    copy.__cause__ = error
    return copy
