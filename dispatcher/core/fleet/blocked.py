"""The groups with ready jobs that no worker takes, idle or busy: kept, so that nobody has to look for them.

Either no pool matches the lanes of such a group, or all of its workers are paused, set aside or away. ``Lanes`` tells
of each change that may matter: a job that comes or goes, as a rule, does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dispatcher.core.fleet.groups import Group, Lane
from dispatcher.core.fleet.worker import Standing

__all__ = ["MOST_LANES", "Blocked"]

#: Of the lanes that no pool matches, the first ones are looked at.
MOST_LANES = 1_000


class Blocked:
    """Those groups; the one that has been blocked longest stands first."""

    def __init__(self) -> None:
        self._groups: dict[Group, None] = {}

    def look(self, group: Group) -> None:
        """Its first job has come, or its last one has gone; or the same with its workers that take jobs."""
        if group.jobs and not (group.standing[Standing.IDLE] or group.standing[Standing.BUSY]):
            self._groups.setdefault(group)
        else:
            self._groups.pop(group, None)

    def drop(self, group: Group) -> None:
        """The group is no more."""
        self._groups.pop(group, None)

    def lanes(self, most: int) -> Iterator[tuple[Lane, int]]:
        """Lanes of at most ``most`` groups, with the ready jobs that wait for the same workers as theirs.

        Of a group that has pools it is the lane of the first job. All lanes without a pool are in one group, and wait
        for nothing in common: of these it gives each, MOST_LANES at most.
        """
        for group in islice(self._groups, most):
            for lane in islice(group.waiting(), 1 if group.pools else MOST_LANES):
                yield lane, group.jobs if group.pools else lane.jobs
