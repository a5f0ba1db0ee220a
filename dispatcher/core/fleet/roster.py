"""The workers for people to see: lists by name as people count, and counts that are kept.

The lists that people read must not stop the loop, however many pages stand open. So nothing here is counted or sorted
when somebody asks. Each worker stands in one sorted list of all, in one of its state, and in one for each of its
types and each of its labels. A filter reads the shortest of the lists that it names, from the cursor on, and looks
each worker up in the others. A new filter needs a new facet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator

from msgspec import Struct

from dispatcher.core.fleet.worker import Labels, Worker, unnamed
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import WorkerFilter, WorkerStatus
from dispatcher.core.jobs.views.naming import beginnings, counted

__all__ = ["MOST_LOOKED_AT", "NameNews", "Place", "Roster", "shown_state"]

#: Where a worker stands in a list: (name, id).
Place = tuple[str, str]
#: The same, as the lists are sorted: (the name as people count, name, id).
Spot = tuple[str, str, str]
#: One list of workers: (what it is about, the value).
Facet = tuple[str, str]

_ALL: Facet = ("all", "")
_PAUSED: Facet = ("state", WorkerDoing.PAUSED)
#: Those that are connected are looked at for these.
_LOOKED_FOR = (WorkerDoing.READY, WorkerDoing.BUSY, WorkerDoing.STUCK)
#: One page of a list looks at this many workers at most, so that a rare filter holds up nothing.
MOST_LOOKED_AT = 2_000


class _Entry(Struct, frozen=True):
    """A worker as it stands in the lists."""

    spot: Spot
    types: tuple[str, ...]
    labels: Labels
    state: str
    paused: bool
    #: What it does now is looked at when somebody asks: it changes with every job.
    worker: Worker

    def facets(self) -> set[Facet]:
        """The lists that it stands in."""
        labels = (("label", f"{label}:{value}") for label, value in self.labels)
        paused = [_PAUSED] if self.paused else []
        return {_ALL, ("state", self.state), *(("type", name) for name in self.types), *labels, *paused}

    def stands_for(self, worker: Worker, state: str) -> bool:
        """Whether nothing has changed that the lists show."""
        same = self.types is worker.types and self.labels is worker.labels and self.worker is worker
        same = same and self.paused == _is_paused(worker)
        return same and self.state == state and self.spot[1] == worker.name


class NameNews(Struct, frozen=True):
    """What has become of a name."""

    #: The worker that has it now, or had it last.
    worker: str
    #: Whether somebody here has it.
    is_here: bool
    #: Nobody has gone with it: its worker has no name any more.
    gave_up: bool = False


class Roster:
    """The node's workers by name, by state, by type and by label; ``shared``: other nodes hear of them."""

    def __init__(self, *, shared: bool = False) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lists: dict[Facet, list[Spot]] = {}
        #: What has become of names since somebody took this: the store keeps who is missing.
        self._news: dict[str, NameNews] = {}
        #: Ids of workers that have come, changed for people, or gone since somebody took this.
        self._stirred: dict[str, None] = {}
        #: Ids of workers that have come, changed or gone since somebody took this; None: nobody wants to know.
        self._seen: dict[str, None] | None = {} if shared else None

    def take_news(self) -> dict[str, NameNews]:
        """What has become of names since the last call."""
        news, self._news = self._news, {}
        return news

    def take_stirred(self) -> list[str]:
        """The ids of workers that have come, have changed in these lists, or have gone, since the last call."""
        stirred, self._stirred = list(self._stirred), {}
        return stirred

    def take_seen(self) -> list[str]:
        """The ids of workers that have come, changed or gone since the last call."""
        if not self._seen:
            return []
        seen, self._seen = list(self._seen), {}
        return seen

    def is_here(self, name: str) -> bool:
        """Whether a worker here has this name, be it away."""
        everyone = self._lists.get(_ALL, [])
        index = bisect_left(everyone, _spot((name, "")))
        return index < len(everyone) and everyone[index][1] == name

    def update(self, worker: Worker) -> None:
        """Call it after every change to a worker's name, state, types or labels; after any other it costs nothing."""
        self._note(worker)
        state, old = shown_state(worker), self._entries.get(worker.id)
        if old is not None and old.stands_for(worker, state):
            return
        new = _Entry(_spot((worker.name, worker.id)), worker.types, worker.labels, state, _is_paused(worker), worker)
        before, after = set() if old is None else old.facets(), new.facets()
        if old is not None:
            renamed = old.spot != new.spot
            self._leave(old.spot, before if renamed else before - after)
            before = set() if renamed else before
        for facet in after - before:
            insort(self._lists.setdefault(facet, []), new.spot)
        self._entries[worker.id] = new
        self._stirred[worker.id] = None
        if old is None or old.spot != new.spot:
            self._renamed(old, new)

    def _renamed(self, old: _Entry | None, new: _Entry | None) -> None:
        """A worker without a name of its own is no news: nobody can miss it."""
        for entry, has_come in ((old, False), (new, True)):
            if entry is None:
                continue
            _, name, worker_id = entry.spot
            if name != unnamed(worker_id) and self.is_here(name) is has_come:
                self._news[name] = NameNews(worker_id, has_come, gave_up=not has_come and _has_none(new))

    def remove(self, worker: Worker) -> None:
        """Forgets a worker that is gone."""
        self._note(worker)
        old = self._entries.pop(worker.id, None)
        if old is not None:
            self._stirred[worker.id] = None
            self._leave(old.spot, old.facets())
            self._renamed(old, None)

    def _note(self, worker: Worker) -> None:
        if self._seen is not None:
            self._seen[worker.id] = None

    def _leave(self, spot: Spot, facets: set[Facet]) -> None:
        for facet in facets:
            standing = self._lists[facet]
            del standing[bisect_left(standing, spot)]
            if not standing:
                del self._lists[facet]  # made again when somebody needs it: nothing piles up

    def states(self) -> dict[str, int]:
        """How many workers are in each state; states without workers are left out."""
        counts = {state: len(self._lists.get(("state", state), ())) for state in WorkerStatus}
        return {state: count for state, count in counts.items() if count}

    def offering(self, name: str) -> int:
        """How many workers offer this type."""
        return len(self._lists.get(("type", name), ()))

    def called(self, name: str) -> int:
        """How many workers have this name. Those that are away do not count: the same page may have come anew."""
        here = [self._lists.get(("state", state), []) for state in WorkerStatus if state is not WorkerStatus.AWAY]
        first, behind = _spot((name, "")), (counted(name), f"{name}\0", "")
        return sum(bisect_left(standing, behind) - bisect_left(standing, first) for standing in here)

    def offered(self) -> frozenset[str]:
        """Every type that some worker offers. Walks all lists (1 ms for 12,000): not for every turn."""
        return frozenset(value for kind, value in self._lists if kind == "type")

    def _does(self, worker_id: str, state: str) -> bool:
        """Whether the worker does this, if that is what is asked."""
        return state not in _LOOKED_FOR or self._entries[worker_id].worker.doing() == state

    def page(self, wanted: WorkerFilter, after: Place | None) -> tuple[list[str], Place | None]:
        """Ids of the wanted workers behind ``after``, by name, and the place to go on from; None: the list ends."""
        shortest, *others = sorted((self._lists.get(facet, []) for facet in _facets_of(wanted)), key=len)
        found: list[str] = []
        last: Place | None = None
        for looked_at, spot in enumerate(_spots(shortest, wanted, after)):
            if len(found) == wanted.limit or looked_at == MOST_LOOKED_AT:
                return found, last
            last = spot[1:]
            if all(_stands_in(other, spot) for other in others) and self._does(spot[2], wanted.state):
                found.append(spot[2])
        return found, None


def shown_state(worker: Worker) -> WorkerStatus:
    """The state of a worker as people and programs see it."""
    return WorkerStatus.SET_ASIDE if worker.aside else WorkerStatus(worker.state)


def _has_none(entry: _Entry | None) -> bool:
    """Whether this is a worker that has no name."""
    return entry is not None and entry.spot[1] == unnamed(entry.spot[2])


def _called(wanted: WorkerFilter) -> str | None:
    """The whole name, if the filter asks for one as a label; None: it does not."""
    label, _, value = wanted.label.partition(":")
    return value if label == NAME else None


def _spot(place: Place) -> Spot:
    return counted(place[0]), *place


def _spots(standing: list[Spot], wanted: WorkerFilter, after: Place | None) -> Iterator[Spot]:
    """The workers of a list with the wanted name, in order, behind ``after``."""
    called = _called(wanted)
    if called is not None and not called.startswith(wanted.name):
        return
    behind = 0 if after is None else bisect_right(standing, _spot(after))
    for beginning in beginnings(wanted.name) if called is None else [counted(called)]:
        for index in range(max(behind, bisect_left(standing, (beginning, "", ""))), len(standing)):
            spot = standing[index]
            if not spot[0].startswith(beginning) or called not in (None, spot[1]):
                break
            yield spot


def _is_paused(worker: Worker) -> bool:
    return worker.paused or worker.held is not None


def _facets_of(wanted: WorkerFilter) -> list[Facet]:
    label = wanted.label if _called(wanted) is None else ""
    state = WorkerStatus.CONNECTED if wanted.state in _LOOKED_FOR else wanted.state
    facets = [("state", state), ("type", wanted.type), ("label", label)]
    return [facet for facet in facets if facet[1]] or [_ALL]


def _stands_in(standing: list[Spot], spot: Spot) -> bool:
    index = bisect_left(standing, spot)
    return index < len(standing) and standing[index] == spot
