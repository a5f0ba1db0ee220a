"""Which pages load anew next, so that all have the newest tasks: some at a time, the idle ones first. Pure.

``step`` is asked again and again, with all workers as they are; it remembers the pages that it has named and that are
not back yet. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.views.deployed import old_types

__all__ = ["BACK_S", "REST_S", "Rolling", "RolloutTrouble"]

#: A page that is told to load anew, and has nothing to do, must be back after this time with all that it offered.
BACK_S = 60.0
#: A page does not load anew twice within this time.
REST_S = 60.0


class RolloutTrouble(Struct, frozen=True):
    """Why it must not go on: a code, and words."""

    code: str
    words: str
    #: The worker that it is about, and its name.
    worker: str
    name: str


class _ToldPage(Struct):
    """A page that has been told, and is not back yet."""

    name: str
    boot: str
    types: tuple[str, ...]
    #: What the site offered then, and what the page had of those that it did not have so.
    offered: Mapping[str, str]
    had: Mapping[str, str]
    #: Since when it has nothing to do, or is away; None: it finishes its jobs first.
    idle_at: float | None = None


class Rolling:
    """The pages of one rollout."""

    def __init__(self) -> None:
        self._told: dict[str, _ToldPage] = {}
        #: Ids of the workers that have come back with the new files, and of those that are told no more.
        self.reloaded: set[str] = set()
        self._lost: set[str] = set()
        #: By the types whose files were changed: the versions that these pages had before, each once for each page.
        self.had: dict[str, list[str]] = {}
        self.left = 0

    @property
    def types(self) -> list[str]:
        """The types whose files the reloaded pages have anew, by name."""
        return sorted(self.had)

    @property
    def reloading(self) -> list[str]:
        """Names of the pages that are not back yet."""
        return sorted(told.name for told in self._told.values())

    @property
    def is_over(self) -> bool:
        """As of the last step: no connected page has an old task."""
        return not self._told and not self.left

    def see(self, workers: Mapping[str, Worker], offered: Mapping[str, str], now: float) -> RolloutTrouble | None:
        """Sees which of the pages are back. The first thing that is wrong with one, if something is."""
        for worker_id, told in list(self._told.items()):
            worker = workers.get(worker_id)
            if _is_back(worker, told, offered):
                if trouble := self._came_back(worker_id, worker, told, offered):
                    return trouble
            elif trouble := _late(worker_id, worker, told, offered, now):
                return trouble
        return None

    def came_elsewhere(self, worker_id: str) -> None:
        """The page is at another node now, so it has come back. What it has is seen there."""
        self._told.pop(worker_id, None)

    def begin_again(self) -> None:
        """The site offers something else now: no page counts as reloaded. Those that were told are waited for."""
        self.reloaded = set()

    def lose(self, worker_id: str) -> None:
        """It goes on without this page."""
        self._told.pop(worker_id, None)
        self._lost.add(worker_id)

    def _came_back(
        self, worker_id: str, worker: Worker | None, told: _ToldPage, offered: Mapping[str, str]
    ) -> RolloutTrouble | None:
        del self._told[worker_id]
        if worker is None or not old_types(worker.versions, offered):
            self.reloaded.add(worker_id)
            for name, version in told.had.items():
                self.had.setdefault(name, []).append(version)
        elif told.offered == offered:
            words = f"{told.name} has loaded anew and still has an old file: something keeps it, such as a cache"
            return RolloutTrouble("still_old", words, worker_id, told.name)
        return None  # the files have changed once more: it is told again

    def step(
        self, old: Iterable[Worker], offered: Mapping[str, str], now: float, *, most: int, room: int
    ) -> list[Worker]:
        """Those that are to be told now, of these that have an old task: at most ``most`` are loading anew at once, and
        ``room`` more may begin."""
        old = [worker for worker in old if worker.id not in self._told and worker.id not in self._lost]
        ready = [worker for worker in old if now - worker.registered >= REST_S]
        idle = [worker for worker in ready if not worker.attempts]
        free = max(0, min(most - len(self._told), room))
        # A busy one gets no more jobs, and loads anew when it has none: only if there is no idle one.
        chosen = sorted(idle or ready, key=lambda worker: worker.name)[:free]
        for worker in chosen:
            had = {name: worker.versions[name] for name in old_types(worker.versions, offered)}
            self._told[worker.id] = _ToldPage(worker.name, worker.boot, worker.types, offered, had)
        self.left = len(old) - len(chosen)
        return chosen


def _is_back(worker: Worker | None, told: _ToldPage, offered: Mapping[str, str]) -> bool:
    """A page that has come back offers one type after the other, as their files load."""
    here = worker is not None and worker.is_connected() and worker.boot != told.boot
    return here and worker is not None and not _lacks(worker, told, offered)


def _lacks(worker: Worker, told: _ToldPage, offered: Mapping[str, str]) -> list[str]:
    """The types that it offered before, that the site still has, and that it offers no more."""
    return [name for name in told.types if name in offered and name not in worker.types]


def _late(
    worker_id: str, worker: Worker | None, told: _ToldPage, offered: Mapping[str, str], now: float
) -> RolloutTrouble | None:
    if worker is not None and worker.boot == told.boot and worker.attempts:
        told.idle_at = None
        return None
    told.idle_at = now if told.idle_at is None else told.idle_at
    if now - told.idle_at < BACK_S:
        return None
    code, words = "not_back", f"{told.name} was told to load anew and has not come back within a minute"
    if worker is not None and worker.boot != told.boot and worker.is_connected():
        lacking = ", ".join(_lacks(worker, told, offered))
        code, words = (
            "type_gone",
            f"{told.name} has loaded anew and does not offer {lacking} any more: look at its page",
        )
    return RolloutTrouble(code, words, worker_id, told.name)
