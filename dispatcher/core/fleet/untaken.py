"""The groups with ready jobs whose workers are all paused, set aside or away: kept, so that nobody has to look.

``Lanes`` tells of each change that may matter: a job that comes or goes, as a rule, does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dispatcher.core.fleet.groups import Group, Lane
from dispatcher.core.fleet.worker import Standing

__all__ = ["Untaken"]


class Untaken:
    """Those groups; the one that has been so longest stands first."""

    def __init__(self) -> None:
        self._groups: dict[Group, None] = {}

    def look(self, group: Group) -> None:
        """Its first job has come, or its last one has gone; or the same with its workers that take jobs."""
        open_to_jobs = group.standing[Standing.IDLE] or group.standing[Standing.BUSY]
        if group.jobs and group.pools and not open_to_jobs:
            self._groups.setdefault(group)
        else:
            self._groups.pop(group, None)

    def drop(self, group: Group) -> None:
        """The group is no more."""
        self._groups.pop(group, None)

    def lanes(self, most: int) -> Iterator[tuple[Lane, int]]:
        """Of at most ``most`` groups the lane of the first job, and how many jobs wait for the same workers."""
        for group in islice(self._groups, most):
            yield next(group.waiting()), group.jobs
