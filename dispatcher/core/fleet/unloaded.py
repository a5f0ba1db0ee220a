"""The tasks that connected pages could not load, by type: counted as pages come and go, so that nobody walks them.

Pages say it when they register. One that loads its task later, or goes away, is not counted any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from heapq import nlargest
from itertools import islice

from msgspec import Struct

from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.views.unloaded import MOST_NAMED_PAGES, MOST_WHYS, UnloadedWhy

__all__ = ["MOST_LOOKED_AT", "UnloadedTasks"]

#: The reasons of one type among which those of most pages are looked for: as a rule there are two or three.
MOST_LOOKED_AT = 100


class _LackedTask(Struct, eq=False):
    """Of one type."""

    #: Monotonic: since when some page could not load it.
    since: float
    pages: int = 0
    #: By reason: the workers whose pages say so.
    whys: dict[str, dict[str, Worker]] = {}


class UnloadedTasks:
    """Those of one node. ``now`` tells the present instant, monotonic."""

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self._now = now
        #: By type: the one that pages could not load first stands first.
        self._tasks: dict[str, _LackedTask] = {}
        #: Worker -> what its page has said, as it was counted.
        self._of: dict[str, Mapping[str, str]] = {}

    def update(self, worker: Worker) -> None:
        """Call it after every change to a worker; if its page says the same as before, it costs nothing."""
        said = worker.unloaded if worker.is_connected() else {}
        counted = self._of.get(worker.id)
        if counted is said or not (counted or said):
            return
        gone = {name: why for name, why in (counted or {}).items() if said.get(name) != why}
        new = {name: why for name, why in said.items() if (counted or {}).get(name) != why}
        for name, why in new.items():
            task = self._tasks.setdefault(name, _LackedTask(self._now()))
            task.whys.setdefault(why, {})[worker.id] = worker
            task.pages += 1
        self._take_back(worker.id, gone)
        if said:
            self._of[worker.id] = said
        else:
            del self._of[worker.id]

    def remove(self, worker: Worker) -> None:
        """Its page is not here any more."""
        self._take_back(worker.id, self._of.pop(worker.id, {}))

    def _take_back(self, worker_id: str, said: Mapping[str, str]) -> None:
        for name, why in said.items():
            task = self._tasks[name]
            task.pages -= 1
            del task.whys[why][worker_id]
            if not task.whys[why]:
                del task.whys[why]
            if not task.pages:
                del self._tasks[name]

    def first(self, most: int) -> dict[str, float]:
        """The types that pages could not load for longest, at most ``most``; since when, monotonic."""
        return {name: task.since for name, task in islice(self._tasks.items(), most)}

    def pages(self, name: str) -> int:
        """How many connected pages could not load this task."""
        task = self._tasks.get(name)
        return 0 if task is None else task.pages

    def whys(self, name: str) -> list[UnloadedWhy]:
        """The reasons of most pages, with some of these pages."""
        task = self._tasks.get(name)
        some = [] if task is None else list(islice(task.whys.items(), MOST_LOOKED_AT))
        return [
            UnloadedWhy(why, len(here), [(one.id, one.name) for one in islice(here.values(), MOST_NAMED_PAGES)])
            for why, here in nlargest(MOST_WHYS, some, key=lambda each: len(each[1]))
        ]
