"""``/api/v1/audit``: who has done what, and from where. docs/security.md says what is noted."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.acts import AuditEntry
from dispatcher.access.scopes import Scope
from handlers import queries
from handlers.api.jobjson import Json, instant
from handlers.api.resources import ConsoleApiHandler

__all__ = ["AuditHandler"]


class AuditHandler(ConsoleApiHandler):
    """The log, page by page."""

    scopes: ClassVar = {"GET": Scope.ADMIN}
    query_fields = queries.ACTS

    async def get(self) -> None:
        """A page, the newest act first."""
        wanted = queries.act_filter(self, self.site.clock.utc())
        page = await self.site.service.access.acts(wanted)
        self.answer_page([_act_json(act) for act in page.items], wanted, page.next_cursor)

    head = get


def _act_json(act: AuditEntry) -> Json:
    return {
        "id": act.number,
        "at": instant(act.at),
        "actor": act.actor.name,
        "token": act.actor.token or None,
        "remote": act.actor.remote or None,
        "action": act.action,
        "target": act.target or None,
        "detail": act.detail or None,
        "outcome": act.outcome.value,
    }
