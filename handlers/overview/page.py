"""The overview of the console: what somebody must look at first, and the buttons that help at once. It works without
JavaScript.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.views.endings import ALL_TYPES, HOUR_S
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES
from dispatcher.core.jobs.views.quarters import MOST_BACK, QUARTER_S
from handlers import queries
from handlers.console.page import PageHandler
from handlers.console.presses import MOST_PRESSES, Press, offer_withheld, reload_at_once, resume_type, resume_workers
from handlers.overview.bars import chosen, minute_bars
from handlers.overview.charts import DAY_S, history_of
from handlers.overview.concern import Concern
from handlers.overview.concerns import concerns, sentence
from handlers.overview.counters import NOBODY, counters, workers_of
from handlers.overview.looking import beside
from handlers.overview.marking import read_marks
from handlers.overview.quarters import (
    MOST_GONE,
    NOT_KEPT,
    back_argument,
    hours_of,
    jobs_links,
    quarter_argument,
    quarter_link,
    quarters_of,
    read_past,
    steps_back,
    types_shown,
)

__all__ = ["OverviewPage"]


#: What may help and is a page, by the kind of concern: words, and an address to which the type is added.
_HELPS = {
    "never_offered": ("Open a worker page for it", "/worker?types="),
    "not_connected": ("Open a worker page for it", "/worker?types="),
    "no_match": ("Show the workers that offer it", "/workers?type="),
    "long_wait": ("Show the workers that offer it", "/workers?type="),
    "failing": ("Run them again…", "/failures?type="),
}


class _ConcernShown(Struct, frozen=True):
    """A concern as the page shows it."""

    concern: Concern
    presses: list[Press] = []
    #: What may help and is a page: (words, address).
    help: tuple[str, str] | None = None


class OverviewPage(PageHandler):
    """``/``: what somebody must look at, then seven counters, then the types that have most to do."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = queries.OVERVIEW
    offers_refresh = True

    async def get(self) -> None:
        """The page, or that of an earlier quarter of an hour. Raises BadParameter."""
        now_at = self.site.clock.utc()
        if (start := back_argument(self, now_at)) is not None:
            return self.redirect("/" if steps_back(start, now_at) == 0 else quarter_link(start), status=303)
        if (start := quarter_argument(self, now_at)) is not None:
            return await self._look_back(start, now_at)
        return await self._look()

    head = get

    def stands_still(self) -> bool:
        """What is past does not change."""
        return bool(self.request.query_arguments.get("at")) or super().stands_still()

    async def _look_back(self, start: int, now_at: float) -> None:
        site = self.site
        past = await read_past(site, start)
        ended = await site.service.types.ended(ALL_TYPES, DAY_S)
        day = history_of(ended, HOUR_S, await read_marks(site, ended.steps.first))
        first, until = day.periods[0].at, day.periods[-1].at + HOUR_S
        self.show(
            "quarter.html",
            past=past,
            types=types_shown(past),
            day=day,
            bars=chosen(day.charts[0].bars, start, QUARTER_S, first, until),
            back=steps_back(start, now_at),
            most_back=MOST_BACK,
            hours=hours_of(start, now_at),
            quarters=list(quarters_of(start, now_at)),
            quarter_link=quarter_link,
            lists=jobs_links(start),
            not_kept=NOT_KEPT,
            most_gone=MOST_GONE,
            few=FEW_SAMPLES,
        )

    async def _look(self) -> None:
        seen = await self.site.service.overview()
        found = concerns(seen, await beside(self.site, seen))
        self.show(
            "overview.html",
            concerns=[self._shown(concern) for concern in found],
            sentence=sentence(seen, found),
            counters=counters(seen),
            lines=seen.types,
            more_types=seen.more_types,
            nobody=seen.present == NOBODY,
            workers_of=workers_of,
            minute_bars=minute_bars,
            few=FEW_SAMPLES,
            back=0,
            most_back=MOST_BACK,
            quarter_link=quarter_link,
        )

    def _shown(self, concern: Concern) -> _ConcernShown:
        name = concern.type
        if name is not None and concern.code in _HELPS:
            words, address = _HELPS[concern.code]
            return _ConcernShown(concern, help=(words, address + name))
        if concern.code == "in_doubt":
            return _ConcernShown(concern, help=("Decide", "/doubts"))
        if not self.may(Scope.OPERATE):
            return _ConcernShown(concern)
        if concern.code == "everything_paused":
            return _ConcernShown(concern, [resume_type(EVERY_TYPE)])
        if concern.code == "type_paused" and name is not None:
            return _ConcernShown(concern, [resume_type(name)])
        if concern.code == "withheld":
            return _ConcernShown(concern, [offer_withheld(len(self.site.service.rollouts.withheld()))])
        if concern.reloads:
            return _ConcernShown(concern, [reload_at_once(*worker) for worker in concern.reloads])
        return _ConcernShown(concern, self._resumes(concern))

    def _resumes(self, concern: Concern) -> list[Press]:
        """Buttons for the workers that an operator has paused."""
        if concern.code != "all_paused" or concern.workers is None:
            return []
        asked = replace(concern.workers, limit=MOST_PRESSES + 1)
        return resume_workers(self.site.service.workers(asked).items, concern.workers)
