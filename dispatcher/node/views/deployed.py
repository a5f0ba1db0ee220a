"""Which versions of one task the connected pages of this node have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from dispatcher.core.fleet.kinds import PageKind
from dispatcher.core.jobs.views.deployed import (
    MOST_VERSIONS,
    Deployed,
    TaskVersion,
    WithheldTask,
    changed_at,
    digest_of,
    same_version,
)

__all__ = ["deployed"]


def deployed(
    name: str, offered: str | None, kinds: Iterable[PageKind], withheld: Iterable[WithheldTask] = ()
) -> Deployed:
    """The versions of one task. ``offered``: that of the site; None: it has none."""
    here = [kind for kind in kinds if name in kind.types]
    counts: Counter[str] = Counter()
    latest: dict[str, str] = {}
    for kind in here:
        version = kind.versions.get(name, "")
        digest = digest_of(version)
        counts[digest] += len(kind.workers)
        latest.setdefault(digest, version)
    silent = counts.pop("", 0)
    found = [_told(latest[digest], offered, pages) for digest, pages in counts.items()]
    found.sort(key=lambda one: (not one.newest, -one.pages, one.version))
    old = 0 if offered is None else sum(one.pages for one in found if not one.newest)
    pages = sum(len(kind.workers) for kind in here)
    failed = next((one.failed for one in withheld if one.type == name), None)
    return Deployed(
        type=name, version=offered, withheld=failed, pages=pages, old=old, silent=silent, versions=found[:MOST_VERSIONS]
    )


def _told(version: str, offered: str | None, pages: int) -> TaskVersion:
    """One that the site offers is told as the site has it, whatever its pages know of the file's time."""
    newest = offered is not None and same_version(version, offered)
    version = offered if newest and offered is not None else version
    return TaskVersion(version, changed_at(version), pages, newest)
