"""The audit log in the PostgreSQL store. A page of it is read slice by slice, from the newest act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatcher.access.acts import AuditEntry, AuditFilter, AuditPage
from dispatcher.store.acts import act_of_row, page_of, start_of
from dispatcher.store.postgres.link import Asked, Link, rows_text
from dispatcher.store.views import SLICE

__all__ = ["ActsPages", "acts_asks"]

#: The statement by the field that seldom has many acts of one name.
_STATEMENTS = {"target": "acts_of_target", "actor": "acts_of_actor", "action": "acts_of_action"}
_BEYOND = (1 << 63) - 1


def acts_asks(acts: Sequence[AuditEntry], clock: float) -> Iterator[Asked]:
    """Keeps them, in order."""
    if acts:
        yield "add_acts", {"rows": rows_text(_fields(act, clock) for act in acts)}


class ActsPages:
    """One page, as far as it has been read. Raises BadParameter for a cursor that we did not make."""

    def __init__(self, link: Link, wanted: AuditFilter) -> None:
        self._link, self._wanted = link, wanted
        #: Up to one more than the page has: it tells whether there is another page.
        self._items: list[AuditEntry] = []
        start = start_of(wanted)
        #: The number below which the list goes on.
        self._below = _BEYOND if start is None else start
        named = [name for name in _STATEMENTS if getattr(wanted, name) is not None]
        self._statement = _STATEMENTS[named[0]] if named else "acts"

    def slice(self) -> bool:
        """Reads the next acts, in the store's thread. Returns whether the page is whole."""
        wanted = self._wanted
        room = wanted.limit + 1 - len(self._items)
        rows = self._link.one(
            self._statement, below=self._below, slice=SLICE, actor=wanted.actor, action=wanted.action,
            target=wanted.target, after=wanted.after, before=wanted.before, room=room,
        )  # fmt: skip
        low, looked, *_ = rows[0]
        self._items += [act_of_row(*row[2:]) for row in rows if row[-1] is not None]
        self._below = low if looked == SLICE else 0
        return self._below == 0 or len(self._items) > wanted.limit

    def page(self) -> AuditPage:
        """The page as it has been read."""
        return page_of(self._items, self._wanted.limit, self._below)


def _fields(act: AuditEntry, clock: float) -> dict[str, Any]:
    actor = act.actor
    return {
        "at": act.at, "actor": actor.name, "token": actor.token, "remote": actor.remote, "action": act.action,
        "target": act.target, "detail": act.detail, "outcome": act.outcome.value, "clock": clock,
    }  # fmt: skip
