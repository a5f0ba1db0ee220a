"""A worker of a test: one page of the simulator, with Python functions as its tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..simulator.driver import Reconnect
from ..simulator.farm import Farm
from ..simulator.hands import HeldAttempt
from .acts import Act, ActPlan, Called, Failed, Hung, TaskFailure, Vanished
from .clock import SkippingLoop
from .thread import LoopThread

__all__ = ["PlayedWorker"]

#: How long the functions of a test may go on after it.
_PATIENCE_S = 10.0


class PlayedWorker:
    """Its page is opened when the first task is put, and offers more types as they come.

    ``times`` is for how many jobs something is said; without a number it is said for all, from now on. What is said
    with a number comes first: ``on("a", fn)`` and then ``fail("a", times=2)`` fails twice and then calls the function.
    """

    def __init__(
        self, thread: LoopThread, url: str, token: str, *, name: str, slots: int, labels: Mapping[str, str]
    ) -> None:
        self._thread = thread
        self._plans: dict[str, ActPlan] = {}
        self._page = _PlayedPage(thread.loop, url, token, self._plans, name=name, slots=slots, labels=labels)

    def on(self, type: str, function: Callable[[Any], Any], *, times: int | None = None) -> None:
        """``function(data)`` does the jobs of this type: what it returns is the result.

        It runs in a thread of its own. Where it raises, the job fails; ``TaskFailure`` says with which code.
        """
        self._put(type, Called(function), times)

    def fail(
        self,
        type: str,
        message: str = "the test lets it fail",
        *,
        code: str = "test",
        retry: bool = True,
        times: int | None = None,
    ) -> None:
        """Jobs of this type fail. ``retry=False``: they are not tried again."""
        self._put(type, Failed(TaskFailure(message, code=code, retry=retry)), times)

    def hang(self, type: str, *, times: int | None = None) -> None:
        """Jobs of this type do not end. Their timeout ends them, or a cancel."""
        self._put(type, Hung(), times)

    def vanish(self, type: str, *, times: int | None = None) -> None:
        """The page goes when it has begun a job of this type, without a word. Another one comes in its place."""
        self._put(type, Vanished(), times)

    def close(self) -> None:
        """Closes the page, and waits for the functions that still run."""
        self._thread.call(self._page.close())
        for thread in self._page.threads:
            thread.join(_PATIENCE_S)
            if thread.is_alive():
                raise RuntimeError(f"{thread.name}: the function still runs {_PATIENCE_S:g} s after the test")

    def _put(self, type: str, act: Act, times: int | None) -> None:
        self._thread.call(self._offer(type, act, times))

    async def _offer(self, type: str, act: Act, times: int | None) -> None:
        plan = self._plans.get(type) or ActPlan(type)
        plan.put(act, times)
        if type not in self._plans:
            self._plans[type] = plan
            await self._page.offer()


class _PlayedPage:
    """The stage of the acts. It is replaced by its like when it has vanished."""

    def __init__(
        self,
        loop: SkippingLoop,
        url: str,
        token: str,
        plans: Mapping[str, ActPlan],
        *,
        name: str,
        slots: int,
        labels: Mapping[str, str],
    ) -> None:
        self.loop = loop
        self.threads: list[threading.Thread] = []
        self._plans = plans
        self._given: dict[str, Any] = {"name": name, "slots": slots, "labels": labels, "token": token or None}
        self._url = url
        self._farms: list[Farm] = []
        self._opening: list[Any] = []

    @property
    def farm(self) -> Farm:
        return self._farms[-1]

    async def offer(self) -> None:
        """Offers what is planned; returns when the server knows."""
        if self._farms:
            self.farm.offer(0, tuple(self._plans))
        else:
            await self._open()
        await self.farm.registered()

    async def _open(self) -> None:
        self._farms.append(
            Farm(
                self._url, types=tuple(self._plans), play=self._play, clock=self.loop.time,
                reconnect=Reconnect(base_s=0.1), **self._given,
            )
        )  # fmt: skip
        await self.farm.start()

    def _play(self, held: HeldAttempt) -> None:
        self._plans[held.type].take()(held, self)

    def vanish(self) -> None:
        """See Stage. Whoever plays on this stage later plays for a page that is gone."""
        self._opening.append(self.loop.create_task(self._replaced()))

    async def _replaced(self) -> None:
        await self.farm.stop(bye=False)
        await self._open()

    def started(self, thread: threading.Thread) -> None:
        """See Stage."""
        self.threads = [known for known in self.threads if known.is_alive()] + [thread]

    async def close(self) -> None:
        """The page says goodbye."""
        for task in self._opening:
            await task
        if self._farms:
            await self.farm.stop()
