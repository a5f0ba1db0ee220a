"""Waits for any number of jobs with a handful of connections.

Today a request can wait for one job alone. So a few threads wait for the oldest jobs, which are often the first to
end. If these hold out, the others are looked at without waiting. What is bounded: threads and connections
(``connections``), and memory (an id and a callback for each job). ``WatchList`` is the strategy, and all of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from .errors import PagehandClientError, Unreachable
from .facts import OPEN

__all__ = ["WatchList", "Watcher"]

#: How long a request waits for one job, if others wait behind it, and if none does. A job that comes meanwhile waits so
#: long for a connection.
_AMONG_MANY_S = 1
_AMONG_FEW_S = 2

#: Hears how a job has ended, or why nobody will know.
Tell: TypeAlias = Callable[["dict[str, Any] | PagehandClientError"], None]


class WatchList:
    """Which job is asked for next, and how long the server may hold the answer. No I/O."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._waiting: deque[str] = deque()
        self._in_vain = 0
        #: How many jobs are still looked at without waiting, because the oldest ones hold out.
        self._quick = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job_id: str) -> None:
        """A job to wait for, after all others."""
        self._waiting.append(job_id)

    def take(self) -> tuple[str, int]:
        """The next job, and how many seconds to wait for it; it is out of the list until it is ``still_open``."""
        job_id = self._waiting.popleft()
        if self._quick:
            self._quick -= 1
            return job_id, 0
        return job_id, _AMONG_MANY_S if self._waiting else _AMONG_FEW_S

    def still_open(self, job_id: str, waited_s: int) -> None:
        """It was asked for in vain, and goes to the end."""
        self._waiting.append(job_id)
        if not waited_s:
            return
        self._in_vain += 1
        if self._in_vain >= self._connections:
            # One look at each. If none is over, waiting for the first ones is as good as anything.
            self._in_vain, self._quick = 0, len(self._waiting)

    def over(self) -> None:
        """A job was over."""
        self._in_vain = 0

    def clear(self) -> list[str]:
        """Takes all."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Watcher:
    """The threads. ``ask`` reads a job: now, or when it is over or some seconds have passed."""

    def __init__(self, ask: Callable[[str, int], dict[str, Any]], connections: int) -> None:
        self._ask = ask
        self._connections = connections
        self._list = WatchList(connections)
        self._tell: dict[str, list[Tell]] = {}
        self._news = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    def watch(self, job_id: str, tell: Tell) -> None:
        """Calls ``tell`` once, from a thread of its own."""
        with self._news:
            if job_id in self._tell:  # the same job twice: a key that was used before
                self._tell[job_id].append(tell)
                return
            self._tell[job_id] = [tell]
            self._list.add(job_id)
            if len(self._threads) < min(self._connections, len(self._tell)):
                self._threads.append(threading.Thread(target=self._run, name="pagehand-watch", daemon=True))
                self._threads[-1].start()
            self._news.notify()

    def close(self) -> None:
        """Waits for nothing more. Requests that are on their way end by themselves, soon."""
        with self._news:
            self._closed = True
            self._tell.clear()
            self._list.clear()
            self._news.notify_all()

    def _run(self) -> None:
        while True:
            with self._news:
                while not self._list and not self._closed:
                    self._news.wait()
                if self._closed:
                    return
                job_id, wait_s = self._list.take()
            self._look(job_id, wait_s)

    def _look(self, job_id: str, wait_s: int) -> None:
        try:
            fields = self._ask(job_id, wait_s)
        except Unreachable as error:
            self._give_up(job_id, error)
        except PagehandClientError as error:
            self._ended(job_id, error)
        except RuntimeError as error:  # the client was closed
            self._give_up(job_id, PagehandClientError(f"nobody waits for the job any more: {error}"))
        else:
            if fields["state"] not in OPEN:
                self._ended(job_id, fields)
                return
            with self._news:
                if job_id in self._tell:
                    self._list.still_open(job_id, wait_s)
                    self._news.notify()

    def _ended(self, job_id: str, news: dict[str, Any] | PagehandClientError) -> None:
        with self._news:
            self._list.over()
            tell = self._tell.pop(job_id, [])
        for each in tell:
            each(news)

    def _give_up(self, job_id: str, error: PagehandClientError) -> None:
        """The server has been away for long: it is for all jobs. Those that are asked for just now find out alone."""
        with self._news:
            ids = [job_id, *self._list.clear()]
        for each in ids:
            self._ended(each, error)
