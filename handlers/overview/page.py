"""The overview of the console: what somebody must look at first, and the buttons that help at once. It works without
JavaScript.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES
from handlers.console.page import PageHandler
from handlers.console.presses import MOST_PRESSES, Press, resume_type, resume_workers
from handlers.overview.bars import minute_bars
from handlers.overview.concerns import Concern, concerns, sentence
from handlers.overview.counters import NOBODY, counters, workers_of
from handlers.overview.looking import beside

__all__ = ["OverviewPage"]


class _ConcernShown(Struct, frozen=True):
    """A concern as the page shows it."""

    concern: Concern
    presses: list[Press] = []
    #: What may help and is a page: (words, address).
    help: tuple[str, str] | None = None


class OverviewPage(PageHandler):
    """``/``: what somebody must look at, then seven counters, then the types that have most to do."""

    scopes: ClassVar = {"GET": Scope.READ}

    offers_refresh = True

    async def get(self) -> None:
        """The page."""
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
        )

    head = get

    def _shown(self, concern: Concern) -> _ConcernShown:
        name = concern.type
        if concern.code == "never_offered":
            return _ConcernShown(concern, help=("Open a worker page for it", f"/worker?types={name}"))
        if not self.may(Scope.OPERATE):
            return _ConcernShown(concern)
        if concern.code == "everything_paused":
            return _ConcernShown(concern, [resume_type(EVERY_TYPE)])
        if concern.code == "type_paused" and name is not None:
            return _ConcernShown(concern, [resume_type(name)])
        return _ConcernShown(concern, self._resumes(concern))

    def _resumes(self, concern: Concern) -> list[Press]:
        """A button for each worker that an operator has paused, if they are few."""
        if concern.code != "all_paused" or concern.workers is None:
            return []
        asked = replace(concern.workers, limit=MOST_PRESSES + 1)
        return resume_workers(self.site.service.workers(asked).items)
