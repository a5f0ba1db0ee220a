"""The connected pages by what they have: those that offer the same types with the same versions are one kind.

Most pages are of a few kinds. So nobody walks the pages to say which of them have an old task: each kind is looked at,
and only when the site's files have changed. A page that comes, goes or changes says so here (``Fleet``).
"""

from __future__ import annotations

from collections.abc import Mapping, ValuesView

from msgspec import Struct

from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.views.deployed import old_types

__all__ = ["PageKind", "PageKinds"]


class PageKind(Struct, eq=False):
    """Pages that have the same."""

    types: tuple[str, ...]
    versions: Mapping[str, str]
    #: Ids of the workers.
    workers: set[str]
    #: The types of which they have an old task; None: nobody has looked.
    old: list[str] | None = None


#: Types, and versions in the order of their types.
_Key = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]


class PageKinds:
    """The connected pages of one node."""

    def __init__(self) -> None:
        self._kinds: dict[_Key, PageKind] = {}
        #: Worker -> its types and versions, as they were when somebody looked, and its kind.
        self._of: dict[str, tuple[tuple[str, ...], Mapping[str, str], PageKind]] = {}
        #: What the site offered when somebody looked last.
        self._offered: dict[str, str] = {}

    def all(self) -> ValuesView[PageKind]:
        """Each kind that some page is of."""
        return self._kinds.values()

    def update(self, worker: Worker) -> None:
        """Call it after every change to a worker; if its page has the same as before, it costs nothing."""
        known = self._of.get(worker.id)
        if not worker.is_connected():
            self.remove(worker)
        elif known is None or known[0] is not worker.types or known[1] is not worker.versions:
            self.remove(worker)
            kind = self._kinds.setdefault(_key(worker), PageKind(worker.types, worker.versions, set()))
            kind.workers.add(worker.id)
            self._of[worker.id] = worker.types, worker.versions, kind

    def remove(self, worker: Worker) -> None:
        """Its page is not here any more."""
        if worker.id in self._of:
            kind = self._of.pop(worker.id)[-1]
            kind.workers.remove(worker.id)
            if not kind.workers:
                del self._kinds[_key(kind)]

    def old(self, offered: Mapping[str, str]) -> list[PageKind]:
        """Those that have an old task."""
        if offered != self._offered:
            self._offered = dict(offered)
            for kind in self._kinds.values():
                kind.old = None
        return [kind for kind in self._kinds.values() if self._old_of(kind)]

    def _old_of(self, kind: PageKind) -> list[str]:
        if kind.old is None:
            kind.old = old_types(kind.versions, self._offered)
        return kind.old


def _key(one: Worker | PageKind) -> _Key:
    return one.types, tuple(sorted(one.versions.items()))
