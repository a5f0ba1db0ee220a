"""``/history``: how jobs have ended in the last 24 hours and in the last 30 days, of one type or of all."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.views.endings import HOUR_S
from handlers.console.page import PageHandler
from handlers.overview.charts import DAY_S, History, history_of
from handlers.overview.marking import ReadActs, read_acts, shown_of
from handlers.overview.marks import before
from handlers.overview.quarters import quarter_link
from handlers.queries import stats_arguments

__all__ = ["HistoryPage"]

_WINDOWS = ((DAY_S, HOUR_S), (30 * DAY_S, DAY_S))


class HistoryPage(PageHandler):
    """Charts, and the same as numbers."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = ("type",)
    offers_refresh = True

    async def get(self) -> None:
        """The page. Raises BadParameter."""
        name, _ = stats_arguments(self)
        read = await read_acts(self.site, self.site.clock.utc() - _WINDOWS[-1][0], type_name=name)
        day, month = [await self._told(name, window_s, step_s, read) for window_s, step_s in _WINDOWS]
        told = [(day, day.marks), (month, before(month.marks, day.periods[0].at))]
        types = await self.type_choices()
        self.show("history.html", chosen=name, histories=told, types=types, quarter_link=quarter_link)

    head = get

    async def _told(self, name: str, window_s: int, step_s: int, read: ReadActs) -> History:
        ended = await self.site.service.types.ended(name, window_s)
        marks = await shown_of(self.site, read, ended.steps.first)
        return history_of(ended, step_s, marks)
