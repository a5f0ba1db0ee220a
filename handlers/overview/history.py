"""``/history``: how jobs have ended in the last 24 hours and in the last 30 days, of one type or of all."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.views.endings import HOUR_S
from handlers.console.page import PageHandler
from handlers.overview.charts import DAY_S, history_of
from handlers.queries import check_query, stats_arguments

__all__ = ["HistoryPage"]

_WINDOWS = ((DAY_S, HOUR_S), (30 * DAY_S, DAY_S))


class HistoryPage(PageHandler):
    """Charts, and the same as numbers."""

    scopes: ClassVar = {"GET": Scope.READ}

    offers_refresh = True

    async def get(self) -> None:
        """The page. Raises BadParameter."""
        check_query(self.request, ("type", "refresh"))
        name, _ = stats_arguments(self)
        types = self.site.service.types
        told = [history_of(await types.ended(name, window_s), step_s) for window_s, step_s in _WINDOWS]
        self.show("history.html", chosen=name, histories=told, types=await self.type_choices())

    head = get
