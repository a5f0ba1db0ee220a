"""What a page of a test does with the jobs of one type: a plan, whose acts come in order."""

from __future__ import annotations

import contextlib
import json
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..simulator.farm import Farm
from ..simulator.hands import HeldAttempt
from .clock import SkippingLoop

__all__ = ["Act", "ActPlan", "Called", "Failed", "Hung", "Stage", "TaskFailure", "Vanished"]


class TaskFailure(Exception):
    """Raised by a function that plays a task: the job fails with these words and this code."""

    def __init__(self, message: str, *, code: str = "test", retry: bool = True) -> None:
        """``retry=False``: the job is not tried again."""
        super().__init__(message)
        self.code = code
        self.retry = retry


class Stage(Protocol):
    """Where an act is played."""

    loop: SkippingLoop

    @property
    def farm(self) -> Farm:
        """The page, in a farm of its own."""

    def vanish(self) -> None:
        """The page is gone, without a word."""

    def started(self, thread: threading.Thread) -> None:
        """A thread works for this page."""


class Act(Protocol):
    """What becomes of one attempt. Called on the loop's thread; it must not wait."""

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        """Plays it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The task fails."""

    failure: TaskFailure

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        """Reports the error."""
        stage.farm.pages[0].hands.fail(held, str(self.failure), code=self.failure.code, retry=self.failure.retry)
        stage.farm.drivers[0].wake()


class Hung:
    """The task does not end; a cancel or its timeout ends it."""

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        """Does nothing."""


class Vanished:
    """The page goes in the middle of the task: a power cut, a closed lid."""

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        """Soon: the page itself is calling now."""
        stage.loop.call_soon(stage.vanish)


@dataclass(frozen=True, slots=True)
class Called:
    """A Python function does the task, in a thread of its own: it may wait, and ask the server."""

    function: Callable[[Any], Any]

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        """Starts it. No time is skipped until it is done."""
        working = stage.loop.working()
        working.__enter__()

        def done(end: Act) -> None:
            working.__exit__(None, None, None)
            end(held, stage)

        def run() -> None:
            end = self._end(held.data)
            with contextlib.suppress(RuntimeError):  # the test is over, and so is the loop
                stage.loop.call_soon_threadsafe(done, end)

        thread = threading.Thread(target=run, name=f"pagehand.testing {held.type}", daemon=True)
        stage.started(thread)
        thread.start()

    def _end(self, data: str) -> Act:
        try:
            return _Finished(json.dumps(self.function(json.loads(data)), allow_nan=False))
        except TaskFailure as failure:
            return Failed(failure)
        except Exception as error:  # noqa: BLE001 (whatever it raises, as in a page)
            words = f"{type(error).__name__}: {error}".rstrip(": ")
            where = traceback.extract_tb(error.__traceback__)[-1]
            return Failed(TaskFailure(f"{words} ({where.filename}, line {where.lineno})", code="exception"))


@dataclass(frozen=True, slots=True)
class _Finished:
    value: str

    def __call__(self, held: HeldAttempt, stage: Stage) -> None:
        stage.farm.pages[0].hands.finish(held, self.value)
        stage.farm.drivers[0].wake()


class ActPlan:
    """Acts for a number of jobs each, before the one for all others."""

    def __init__(self, type: str) -> None:
        nothing = f"the test has said nothing more of {type}: call worker.on({type!r}, a function)"
        self._standing: Act = Failed(TaskFailure(nothing, code="not_planned", retry=False))
        self._first: list[Act] = []

    def put(self, act: Act, times: int | None) -> None:
        """For the next ``times`` jobs, after what was put before; without a number for all others, from now on."""
        if times is None:
            self._standing, self._first = act, []
        elif times < 1:
            raise ValueError("times is 1 or more, or None: from now on")
        else:
            self._first += [act] * times

    def take(self) -> Act:
        """What to do with the next job."""
        return self._first.pop(0) if self._first else self._standing
