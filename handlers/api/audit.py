"""``/api/v1/audit``: who has done what, and from where. docs/security.md says what is noted."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from handlers import queries
from handlers.api.acts import act_json
from handlers.api.resources import ConsoleApiHandler
from handlers.api.wholelist import give_acts
from handlers.queries import ListFormat

__all__ = ["AuditHandler"]


class AuditHandler(ConsoleApiHandler):
    """The log, page by page or whole."""

    scopes: ClassVar = {"GET": Scope.ADMIN}
    query_fields = queries.ACTS

    async def get(self) -> None:
        """A page, the newest act first; or all pages, as lines or as CSV."""
        wanted = queries.act_filter(self, self.site.clock.utc())
        chosen = queries.format_argument(self)
        self.set_header("Vary", "Origin, Accept")
        if chosen is not ListFormat.JSON:
            return await give_acts(self, wanted, chosen)
        page = await self.site.service.access.acts(wanted)
        self.answer_page([act_json(act) for act in page.items], wanted, page.next_cursor)

    head = get
