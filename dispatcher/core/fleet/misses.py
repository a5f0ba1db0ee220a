"""The nearest miss: why no worker matches what a job requires, though some offer its type.

It looks names and labels up in the index, and looks at a limited number of pools and workers, never at all.
"""

from __future__ import annotations

from itertools import chain, islice

from msgspec import Struct

from dispatcher.core.fleet.pools import Pools
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.matching import NAME, Requirement, lane_parts, missing

__all__ = ["Miss", "nearest"]

#: Most pools that it looks at for a label, and most workers of a name.
MOST_LOOKED_AT = 1_000


class Miss(Struct, frozen=True):
    """What the workers that come nearest lack."""

    lacks: Requirement
    #: How many workers have a required name; None: no name is required.
    called: int | None = None
    #: Whether one of them offers the type.
    offered: bool = True
    #: Some worker has each of these labels, and none has them all.
    together: bool = False


def nearest(pools: Pools, lane: str) -> Miss:
    """What the nearest workers lack for a lane that no worker matches."""
    type_name, requirement = lane_parts(lane)
    names = dict(requirement).get(NAME)
    if names is not None:
        return _of_name(pools, type_name, requirement, names)
    unmet = tuple(one for one in requirement if not pools.lanes.matcher.anybody(type_name, one, MOST_LOOKED_AT))
    return Miss(unmet) if unmet else Miss(requirement, together=True)


def _of_name(pools: Pools, type_name: str, requirement: Requirement, names: tuple[str, ...]) -> Miss:
    """Looks only at workers of a required name: whoever asks for a name means those."""
    called = sum(pools.count_called(name) for name in names)
    if not called:
        return Miss(((NAME, names),), 0)
    looked_at = islice(chain.from_iterable(map(pools.called, names)), MOST_LOOKED_AT)
    offering = [_lacks(worker, requirement) for worker in looked_at if type_name in worker.types]
    return Miss(min(offering, key=len), called) if offering else Miss((), called, offered=False)


def _lacks(worker: Worker, requirement: Requirement) -> Requirement:
    return missing(requirement, dict(worker.labels), worker.name)
