"""Reads what charts mark. Each action is asked for by its index, and of each no more than the newest ones are read, so
it costs the same however long the audit log is.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from dispatcher.access.acts import AuditEntry, AuditFilter
from dispatcher.errors import WorkerNotFound
from handlers.overview.marks import MARKED, MOST_MARKS, MOST_NAMED, ActGroup, ChartMarks, grouped, marks_of
from handlers.site import Site

__all__ = ["MOST_READ", "ReadActs", "read_acts", "read_marks", "shown_of"]

#: Acts of each action that are read, the newest ones.
MOST_READ = 200


class ReadActs(Struct, frozen=True):
    """What was read of some time."""

    #: The newest first.
    groups: list[ActGroup]
    #: There may be more, older ones.
    more: bool


async def read_marks(site: Site, after: float, before: float | None = None, type_name: str = "") -> ChartMarks:
    """The marks from ``after`` on, and until ``before``; without those of other types than ``type_name``."""
    return await shown_of(site, await read_acts(site, after, before, type_name), after)


async def read_acts(site: Site, after: float, before: float | None = None, type_name: str = "") -> ReadActs:
    """What the marks are made of."""
    acts: list[AuditEntry] = []
    more = False
    for action in MARKED:
        page = await site.service.access.acts(AuditFilter(action=action, limit=MOST_READ))
        acts += (act for act in page.items if act.at >= after and (before is None or act.at < before))
        more = more or (page.next_cursor is not None and page.items[-1].at >= after)
    return ReadActs(grouped(acts, type_name), more)


async def shown_of(site: Site, read: ReadActs, after: float) -> ChartMarks:
    """The marks of what was read, from ``after`` on."""
    groups = [group for group in read.groups if group.acts[0].at >= after]
    shown = groups[:MOST_MARKS]
    items = marks_of(shown, await _names(site, shown))
    return ChartMarks(items=items, left_out=len(groups) - len(shown), more=read.more)


async def _names(site: Site, groups: Iterable[ActGroup]) -> dict[str, str]:
    """The names of the workers that the marks tell, as far as they are known."""
    of_workers = (group for group in groups if group.acts[0].action.startswith("worker."))
    ids = dict.fromkeys(target for group in of_workers for target in group.targets[:MOST_NAMED])
    names: dict[str, str] = {}
    for worker_id in ids:
        try:
            names[worker_id] = (await site.service.orders.one(worker_id)).shown.name
        except WorkerNotFound:
            continue  # it has gone, and nothing is kept of it
    return names
