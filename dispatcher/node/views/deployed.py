"""Which versions of their tasks the connected pages of this node have.

Most pages have the same tasks with the same versions: they are walked once, and each kind of page is looked at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct

from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.views.deployed import MOST_VERSIONS, Deployed, TaskVersion, changed_at, has_old, same_version

__all__ = ["Alike", "alike", "deployed", "old_pages", "old_types"]


class Alike(Struct):
    """Pages that offer the same types with the same versions."""

    types: tuple[str, ...]
    versions: Mapping[str, str]
    pages: int = 0


def alike(workers: Iterable[Worker]) -> list[Alike]:
    """The connected pages. Those that said the same share their versions."""
    found: dict[tuple[tuple[str, ...], int], Alike] = {}
    for worker in workers:
        if worker.is_connected():
            key = (worker.types, id(worker.versions))
            if key not in found:
                found[key] = Alike(worker.types, worker.versions)
            found[key].pages += 1
    return list(found.values())


def old_pages(workers: Iterable[Worker], offered: Mapping[str, str]) -> list[Worker]:
    """The connected workers whose pages have an old task."""
    known: dict[int, bool] = {}
    found = []
    for worker in workers:
        if worker.versions and worker.is_connected():
            key = id(worker.versions)
            if key not in known:
                known[key] = has_old(worker.versions, offered)
            if known[key]:
                found.append(worker)
    return found


def old_types(kinds: Iterable[Alike], offered: Mapping[str, str]) -> tuple[int, list[str]]:
    """How many pages have an old task, and the types of which they have one, by name."""
    old = [kind for kind in kinds if has_old(kind.versions, offered)]
    names = {name for kind in old for name in kind.types if has_old({name: kind.versions.get(name, "")}, offered)}
    return sum(kind.pages for kind in old), sorted(names)


def deployed(name: str, offered: str | None, kinds: Iterable[Alike]) -> Deployed:
    """The versions of one task. ``offered``: that of the site; None: it has none."""
    here = [kind for kind in kinds if name in kind.types]
    counts: Counter[str] = Counter()
    latest: dict[str, str] = {}
    for kind in here:
        version = kind.versions.get(name, "")
        digest = version.partition("-")[0]
        counts[digest] += kind.pages
        latest.setdefault(digest, version)
    silent = counts.pop("", 0)
    found = [_told(latest[digest], offered, pages) for digest, pages in counts.items()]
    found.sort(key=lambda one: (not one.newest, -one.pages, one.version))
    old = 0 if offered is None else sum(one.pages for one in found if not one.newest)
    pages = sum(kind.pages for kind in here)
    return Deployed(type=name, version=offered, pages=pages, old=old, silent=silent, versions=found[:MOST_VERSIONS])


def _told(version: str, offered: str | None, pages: int) -> TaskVersion:
    """One that the site offers is told as the site has it, whatever its pages know of the file's time."""
    newest = offered is not None and same_version(version, offered)
    version = offered if newest and offered is not None else version
    return TaskVersion(version, changed_at(version), pages, newest)
