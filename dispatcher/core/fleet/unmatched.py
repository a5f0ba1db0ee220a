"""The lanes with ready jobs that no worker matches though some offer their type: kept, so that nobody has to look.

They are kept by their type: so a type that is offered from now on, or is not any more, costs the same however many
lanes it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dispatcher.core.fleet.groups import Lane

__all__ = ["Unmatched"]


class Unmatched:
    """Those lanes. ``offered`` says whether a type has a pool."""

    def __init__(self, offered: Callable[[str], bool]) -> None:
        self._offered = offered
        #: Type -> its lanes with ready jobs and without a pool.
        self._lanes: dict[str, dict[Lane, None]] = {}
        #: Of these the types that are offered; the one that came first stands first.
        self._types: dict[str, None] = {}

    def look(self, lane: Lane) -> None:
        """The lane has got its first ready job or has lost its last one; or its first pool, or its last one."""
        if lane.jobs and not lane.group.pools:
            self._lanes.setdefault(lane.type, {}).setdefault(lane)
        elif (lanes := self._lanes.get(lane.type)) is not None:
            lanes.pop(lane, None)
            if not lanes:
                del self._lanes[lane.type]
        else:
            return
        self._look_at_type(lane.type)

    def pools_changed(self, names: Iterable[str]) -> None:
        """A pool that offers these types has come or gone."""
        for name in names:
            if name in self._lanes:
                self._look_at_type(name)

    def _look_at_type(self, name: str) -> None:
        if name in self._lanes and self._offered(name):
            self._types.setdefault(name)
        else:
            self._types.pop(name, None)

    def lanes(self) -> Iterator[Lane]:
        """All of them, type by type, as long as nothing changes."""
        return (lane for name in self._types for lane in self._lanes[name])
