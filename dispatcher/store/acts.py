"""The audit log in the store in memory, and what a page of it is for all stores."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditEntry, AuditFilter, AuditOutcome, AuditPage
from dispatcher.errors import BadParameter
from dispatcher.store.requests import ActsPurge
from dispatcher.store.storable import check_storable
from dispatcher.store.views import SLICE, SLICES

__all__ = ["MOST_ACTS_FORGOTTEN", "Acts", "act_of_row", "page_of", "start_of"]

#: Most acts that one turn forgets, beyond as many as it writes.
MOST_ACTS_FORGOTTEN = 1_000


def start_of(wanted: AuditFilter) -> int | None:
    """The number below which a page begins; None: at the newest act. Raises BadParameter."""
    cursor = wanted.cursor
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadParameter("cursor is not one of ours: take next_cursor of the page before.", parameter="cursor")
    return int(cursor)


def page_of(found: Sequence[AuditEntry], limit: int, below: int) -> AuditPage:
    """``found``: up to one act more than the page has. All from ``below`` on have been looked at; 0: all there are."""
    items = list(found[:limit])
    behind = items[-1].number if len(found) > limit else below
    return AuditPage(items, str(behind) if behind else None)


class Acts:
    """All acts, the oldest first."""

    def __init__(self) -> None:
        self._acts: list[AuditEntry] = []
        #: The age of each, by the queue clock.
        self._clocks: list[float] = []
        self._last = 0

    @staticmethod
    def check(acts: Sequence[AuditEntry]) -> None:
        """Raises if a database would not take it."""
        check_storable([act.actor.name, act.actor.remote, act.action, act.target, act.detail] for act in acts)

    def save(self, acts: Sequence[AuditEntry], clock: float) -> None:
        """Keeps them, each with the next number."""
        self._clocks += [clock] * len(acts)
        for act in acts:
            self._last += 1
            self._acts.append(replace(act, number=self._last))

    def outlived(self, purge: ActsPurge) -> int:
        """How many of the oldest are to be forgotten."""
        return min(max(bisect_left(self._clocks, purge.before), len(self._acts) - purge.kept), purge.limit)

    def forget(self, number: int) -> None:
        """So many of the oldest."""
        del self._acts[:number], self._clocks[:number]

    def page(self, wanted: AuditFilter) -> AuditPage:
        """See port.Store. It looks at as many acts as a database does."""
        start = start_of(wanted)
        end = len(self._acts) if start is None else bisect_left(self._acts, start, key=attrgetter("number"))
        bottom = max(0, end - SLICES * SLICE)
        fitting = (act for act in reversed(self._acts[bottom:end]) if _fits(act, wanted))
        below = self._acts[bottom].number if bottom else 0
        return page_of(list(islice(fitting, wanted.limit + 1)), wanted.limit, below)


def _fits(act: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        wanted.actor in (None, act.actor.name)
        and wanted.action in (None, act.action)
        and wanted.target in (None, act.target)
        and (wanted.after is None or act.at >= wanted.after)
        and (wanted.before is None or act.at < wanted.before)
    )


def act_of_row(
    at: float, name: str, token: str, remote: str, action: str, target: str, detail: str, outcome: str, number: int
) -> AuditEntry:
    """A line of the log from its row, as both databases give it."""
    actor = Actor(name, token, remote)
    return AuditEntry(
        at=at, actor=actor, action=action, target=target, detail=detail, outcome=AuditOutcome(outcome), number=number
    )  # fmt: skip
