"""Finds the pools that match a lane, and the known lanes that match a pool: when either is first met, never per turn.

Theory of operation. All pools that offer its type match a lane that requires nothing. Any other lane is *filed* under
one of the labels that it requires, the one that the fewest pools have (a name, as a rule). So a pool finds it by its
own labels, and passes over all lanes that require something else. The other way round, a lane looks through the
smallest set of pools that offer its type or have one of its labels. Ten thousand lanes for ten thousand pages cost ten
thousand look-ups, and no walk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from dispatcher.core.fleet.groups import Lane, Pool
from dispatcher.core.jobs.matching import Requirement

__all__ = ["Matcher"]

#: (label, value).
Pair = tuple[str, str]
Pools = dict[int, Pool]
K = TypeVar("K")
V = TypeVar("V")


class Matcher:
    """The index of pools and lanes by type and by label."""

    def __init__(self) -> None:
        #: Type -> the pools that offer it.
        self._offered: dict[str, Pools] = {}
        #: Label -> the pools that have it.
        self._labelled: dict[Pair, Pools] = {}
        #: Type -> label -> the lanes filed under it; under None: lanes that require nothing.
        self._filed: dict[str, dict[Pair | None, dict[Lane, None]]] = {}

    # -- pools

    def add_pool(self, pool: Pool) -> None:
        """Adds a new pool."""
        for name in pool.types:
            self._offered.setdefault(name, {})[pool.number] = pool
        for pair in pool.labels:
            self._labelled.setdefault(pair, {})[pool.number] = pool

    def remove_pool(self, pool: Pool) -> None:
        """Removes a pool that has no members any more."""
        for name in pool.types:
            _drop(self._offered, name, pool.number)
        for pair in pool.labels:
            _drop(self._labelled, pair, pool.number)

    def count_offering(self, type_name: str) -> int:
        """How many pools offer the type."""
        return len(self._offered.get(type_name, ()))

    def offers(self, type_name: str) -> bool:
        """Whether some pool offers the type."""
        return type_name in self._offered

    def lanes_of(self, pool: Pool) -> Iterator[Lane]:
        """The known lanes that the pool matches."""
        labels = dict(pool.labels)
        for name in pool.types:
            filed = self._filed.get(name)
            if filed is None:
                continue
            yield from filed.get(None, ())
            if None not in filed or len(filed) > 1:
                for pair in pool.labels:
                    yield from (lane for lane in filed.get(pair, ()) if _has_all(lane.requirement, labels))

    # -- lanes

    def lanes_of_type(self, type_name: str) -> list[Lane]:
        """The known lanes of a type."""
        return list({lane: None for lanes in self._filed.get(type_name, {}).values() for lane in lanes})

    def first_of_type(self, type_name: str, most: int) -> list[Lane]:
        """The same, but at most so many of them."""
        filed = (lane for lanes in self._filed.get(type_name, {}).values() for lane in lanes)
        return list(dict.fromkeys(islice(filed, most)))

    def add_lane(self, lane: Lane) -> None:
        """Files a lane that was not known."""
        lane.filed = self._rarest(lane.requirement)
        filed = self._filed.setdefault(lane.type, {})
        for pair in _pairs(lane.filed):
            filed.setdefault(pair, {})[lane] = None

    def remove_lane(self, lane: Lane) -> None:
        """Forgets a lane."""
        filed = self._filed[lane.type]
        for pair in _pairs(lane.filed):
            _drop(filed, pair, lane)
        if not filed:
            del self._filed[lane.type]

    def pools_of(self, type_name: str, requirement: Requirement) -> list[Pool]:
        """The pools that match a lane."""
        offered = self._offered.get(type_name, {})
        rarest = self._rarest(requirement)
        if rarest is None:
            return list(offered.values())
        if len(offered) < self._count(rarest):
            return [pool for pool in offered.values() if _has_all(requirement, dict(pool.labels))]
        found = (pool for pool in self._having(rarest) if pool.number in offered)
        return [pool for pool in found if _has_all(requirement, dict(pool.labels))]

    def anybody(self, type_name: str, wanted: tuple[str, tuple[str, ...]], most: int) -> bool:
        """Whether a pool that offers the type has this label; assumes so after a look at ``most`` pools."""
        offered = self._offered.get(type_name, {})
        if len(offered) < self._count(wanted):
            looked_at = (dict(pool.labels).get(wanted[0]) in wanted[1] for pool in offered.values())
        else:
            looked_at = (pool.number in offered for pool in self._having(wanted))
        return any(found or number == most for number, found in enumerate(looked_at))

    def _rarest(self, requirement: Requirement) -> tuple[str, tuple[str, ...]] | None:
        """The required label that the fewest pools have; None: nothing is required."""
        return min(requirement, key=self._count, default=None)

    def _count(self, wanted: tuple[str, tuple[str, ...]]) -> int:
        return sum(len(self._labelled.get((wanted[0], value), ())) for value in wanted[1])

    def _having(self, wanted: tuple[str, tuple[str, ...]]) -> Iterable[Pool]:
        for value in wanted[1]:
            yield from self._labelled.get((wanted[0], value), {}).values()


def _pairs(wanted: tuple[str, tuple[str, ...]] | None) -> Iterable[Pair | None]:
    return (None,) if wanted is None else ((wanted[0], value) for value in wanted[1])


def _has_all(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    return all(labels.get(label) in values for label, values in requirement)


def _drop(index: dict[K, dict[V, Any]], key: K, value: V) -> None:
    """Takes the value out, and the key if it is left empty, so that nothing piles up."""
    del index[key][value]
    if not index[key]:
        del index[key]
