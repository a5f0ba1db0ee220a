"""``/api/v1/quarter``: what is kept of a quarter of an hour of the last day. docs/api.md describes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.views.endings import Summary
from dispatcher.core.jobs.views.quarters import QUARTER_S, quarter_of
from handlers import queries
from handlers.api.endingjson import summary_json
from handlers.api.jobjson import instant
from handlers.api.markjson import marks_json
from handlers.api.resources import ConsoleApiHandler
from handlers.overview.quarters import (
    NOT_KEPT,
    Past,
    jobs_links,
    quarter_argument,
    quarter_link,
    read_past,
    types_shown,
)

__all__ = ["QuarterHandler"]

Json = dict[str, Any]
_LISTS = ("ended", "failed", "ended_since", "open")


class QuarterHandler(ConsoleApiHandler):
    """The quarter in which an instant lies; the last one that is over if none is given."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.QUARTER

    async def get(self) -> None:
        """All of it. Raises BadParameter."""
        now_at = self.site.clock.utc()
        start = quarter_argument(self, now_at)
        past = await read_past(self.site, quarter_of(now_at) - QUARTER_S if start is None else start)
        self.answer(_past_json(past, self.site.prefix.link))

    head = get


def _past_json(past: Past, link: Callable[[str], str]) -> Json:
    """``link``: how others must write an address of ours; those under ``links`` are written so anyway."""
    quarter = past.quarter
    lists = {name: f"/api/v1{where}" for name, (_, where) in zip(_LISTS, jobs_links(quarter.at), strict=True)}
    return {
        "at": instant(quarter.at),
        "until": instant(quarter.until),
        "over": quarter.over,
        "ended": summary_json(quarter.total),
        "types": [_type_json(one, past) for one in types_shown(past)],
        "all_waited_and_ran": past.stood.all,
        "more_types": quarter.more_types,
        "marks": marks_json(past.marks, link),
        "workers_gone": [{"name": one.name, "at": instant(one.gone_at)} for one in past.gone],
        "more_workers_gone": past.more_gone,
        "not_kept": [*NOT_KEPT],
        "links": {"console": quarter_link(quarter.at), **lists},
    }


def _type_json(one: Summary, past: Past) -> Json:
    stood = past.stood.of(one.type)
    return {"waited": stood.waited, "ran": stood.ran, "error": past.errors.get(one.type)} | summary_json(one)
