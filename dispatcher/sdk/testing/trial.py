"""``Trial``: a server, its worker and a client for it, in the process of a test."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..client.client import Client, Job
from .clock import SkippedClock
from .engine import task_files
from .server import TestedServer
from .tasks import PlayedTasks
from .thread import LoopThread
from .worker import PlayedWorker

__all__ = ["Trial", "serve"]

#: Jobs that the page of a test does at once: one that hangs is in nobody's way.
_SLOTS = 16


class Trial:
    """What the fixture ``pagehand`` is. ``serve`` makes one without pytest."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._clock = SkippedClock()
        self._server = TestedServer(dict(settings), self._clock)
        self._thread = LoopThread(self._clock)
        self._hired: list[PlayedWorker | PlayedTasks] = []
        try:
            self._thread.call(self._server.start())
        except BaseException:
            self._thread.close()
            raise
        #: The address of the server, and its token (empty: it has none).
        self.url, self.token = self._server.url, self._server.token
        #: A client for it; a person's own settings do not count.
        self.client = Client(self.url, self.token, config_file=Path(os.devnull))
        #: The worker: say what it does with which jobs.
        self.worker = self.hire("TEST")

    def __repr__(self) -> str:
        return f"<Trial {self.url}>"

    def hire(self, name: str, *, slots: int = _SLOTS, labels: Mapping[str, str] | None = None) -> PlayedWorker:
        """One more worker: with a name and labels that jobs may require."""
        worker = PlayedWorker(self._thread, self.url, self.token, name=name, slots=slots, labels=labels or {})
        self._hired.append(worker)
        return worker

    def tasks(
        self,
        path: str | Path,
        *,
        name: str = "TASKS",
        slots: int = _SLOTS,
        labels: Mapping[str, str] | None = None,
        skip_waits: bool = True,
        run_limit_s: float = 10,
    ) -> PlayedTasks:
        """Runs the real task files of a directory, or one of them, on a page of its own. Needs the extra ``testing``.

        ``skip_waits``: what a task waits for (``setTimeout``) takes no time: the clock goes on at once, also for the
        job's timeout. Without it the clock runs as ever; see ``advance``. ``run_limit_s``: a script that runs longer
        at a stretch is stopped, and with it the page. Raises TaskFileFault if a file does not work.
        """
        tasks = PlayedTasks(
            self._thread, self._clock, self.url, task_files(Path(path)), run_limit_s=run_limit_s,
            name=name, slots=slots, labels=dict(labels or {}), token=self.token or None,
        )  # fmt: skip
        self._hired.append(tasks)
        if skip_waits:
            self._thread.hurry(lambda: tasks.waiting and self._server.busy())
        return tasks

    def jobs(self, type: str | None = None) -> list[Job]:
        """All jobs as they are now, with everything that is known of them, in the order of their submission."""
        found = list(self.client.jobs(**({"type": type} if type else {})))
        return [job.refresh() for job in reversed(found)]

    def advance(self, seconds: float) -> None:
        """Lets this time pass, at once, for the server and its workers: timeouts, delays, expiry, silence."""
        self._thread.call(self._thread.loop.advance(seconds))

    @contextlib.contextmanager
    def hurrying(self) -> Iterator[None]:
        """Meanwhile no job waits: not for its timeout, its next try, or until a page that has gone is missed.

        It is for an application that waits for its jobs itself: there is no place for an ``advance``.
        """
        wanted = self._server.unsettled
        self._thread.hurry(wanted)
        try:
            yield
        finally:
            self._thread.stroll(wanted)

    def close(self) -> None:
        """Ends everything. Raises what went wrong in a page."""
        with contextlib.ExitStack() as ends:
            ends.callback(self._thread.close)
            ends.callback(lambda: self._thread.call(self._server.stop()))
            ends.callback(self.client.close)
            for worker in self._hired:
                ends.callback(worker.close)


@contextlib.contextmanager
def serve(**settings: Any) -> Iterator[Trial]:
    """A server for a ``with`` block: ``with serve(token="secret", retention_s=60) as pagehand: ...``.

    ``settings`` are those of the server (docs/settings.md); jobs are kept in memory. Raises ValueError for one that
    cannot be used. There may be several at once.
    """
    trial = Trial(settings)
    try:
        yield trial
    finally:
        trial.close()
