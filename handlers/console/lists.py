"""The lists of the console: jobs, workers, types. The filter stands in the address.

Where a field of the filter is wrong, the page is the same with 400: it lists nothing, says what is wrong beside the
field, and keeps what was typed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import WorkerAction
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import JobFilter, JobView, ListReach, WorkerStatus
from dispatcher.errors import BadParameter, JobNotFound
from handlers import queries
from handlers.api.jobjson import once_a_lane
from handlers.console.jobtimes import ENDED, TimedFields, clock_of
from handlers.console.orders import ACTIONS, FILTER_FIELDS, WORKER_ACTIONS
from handlers.console.page import PageHandler
from handlers.console.workerorders import WORKER_FIELDS
from handlers.orders import scopes_for
from handlers.queries import Filter, job_filter, next_query, type_filter, worker_filter
from handlers.worker.tasks import MOST_FAULTS

__all__ = ["JobsPage", "TypesPage", "WorkersPage"]


#: How many paused types stand above the list, and how many jobs with one key.
MOST_PAUSED = 20
MOST_NAMED = 10
_AN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Listed(Struct, frozen=True, kw_only=True):
    """The contents of a list's page."""

    items: Sequence[object] = ()
    #: The queries of the first page and of the next one; None if there is no next one.
    first: str
    following: str | None = None
    #: Of jobs: how many there are of them, and how far back the page has looked.
    reach: ListReach | None = None
    #: What is wrong with the filter.
    wrong: BadParameter | None = None


def _listed(items: Sequence[object], wanted: Filter, cursor: str | None) -> _Listed:
    following = None if cursor is None else next_query(wanted, cursor)
    return _Listed(items=items, first=next_query(wanted, None), following=following)


class _ListPage(PageHandler):
    """A list with its filter."""

    scopes: ClassVar = {"GET": Scope.READ}

    offers_refresh = True
    template: ClassVar[str]
    #: The fields of the address, besides ``refresh``.
    query_fields: ClassVar[tuple[str, ...]]
    #: Those that are no part of its filter.
    others: ClassVar[tuple[str, ...]] = ()

    @property
    def fields(self) -> list[str]:
        """The fields of the filter's form."""
        return [name for name in self.query_fields if name not in queries.PLACE]

    @classmethod
    def fields_of(cls, method: str) -> tuple[str, ...]:
        """Those of its filter, and the others."""
        return (*cls.query_fields, *cls.others, "refresh")

    def check_fields(self) -> None:
        """Nothing yet: the page itself says what is wrong with its filter."""

    async def get(self) -> None:
        """The page."""
        try:
            super().check_fields()
            listed = await self.listed()
        except BadParameter as wrong:
            if not self.wants_page():
                raise
            self.set_status(400)
            listed = self._refused(wrong)
        filtered = any(map(self.typed, self.fields))
        beside = await self.beside()
        self.show(self.template, listed=listed, typed=self.typed, all_typed=self.all_typed, filtered=filtered, **beside)

    head = get

    async def listed(self) -> _Listed:
        """The items that fit the filter. Raises BadParameter."""
        raise NotImplementedError

    async def beside(self) -> dict[str, Any]:
        """Other values that the template shows."""
        raise NotImplementedError

    def _refused(self, wrong: BadParameter) -> _Listed:
        typed = {name: texts for name in self.fields if (texts := self.all_typed(name))}
        return _Listed(first=urlencode(typed, doseq=True), wrong=wrong)

    def typed(self, name: str) -> str:
        """The text of a field of the filter; empty if there is none."""
        return next(reversed(self.all_typed(name)), "")

    def all_typed(self, name: str) -> list[str]:
        """The texts of a field that may be repeated. Bytes that are not text are marked."""
        typed = (value.decode("utf-8", "replace").strip() for value in self.request.query_arguments.get(name, []))
        return [text for text in typed if text]


class _TickedPage(_ListPage):
    """A list with buttons for many of its rows."""

    others: ClassVar[tuple[str, ...]] = ("tick",)

    @property
    def ticking(self) -> bool:
        """Whether rows can be ticked."""
        return self.typed("tick") in ("1", "all") and self.may(Scope.OPERATE)

    def stands_still(self) -> bool:
        """A page that came anew would lose the ticks."""
        return self.ticking or super().stands_still()

    def ticks(self) -> dict[str, Any]:
        """Which rows are ticked, and the links that change that."""
        links = {f"tick_{which}": self.link_with("tick", value) for which, value in (("link", "1"), ("all", "all"))}
        return {"ticking": self.ticking, "all_ticked": self.typed("tick") == "all", **links}

    def asked(self, fields: Iterable[str]) -> str:
        """The filter as a query, for the buttons that act on all that it finds."""
        return urlencode({name: texts for name in fields if (texts := self.meant(name))}, doseq=True)

    def meant(self, name: str) -> list[str]:
        """The values of a field of the filter as programs write them."""
        return self.all_typed(name)


#: The fields of the form that stand in its foldable part.
_RARE = ("requires", "tag", "owner", "batch", *queries.INSTANTS)


class JobsPage(_TickedPage):
    """``/jobs``. With ``tick=1`` jobs can be ticked, with ``tick=all`` they are, and the page stays as it is."""

    template = "jobs.html"
    query_fields = queries.CONSOLE_JOBS
    others = ("clock", "tick")
    #: The filter, once its times have been read by the clock of who asks.
    _timed: TimedFields | None = None
    #: Whether it finds jobs by looking at all of them.
    _is_search = False
    #: The jobs that it lists.
    _found: frozenset[str] = frozenset()

    async def listed(self) -> _Listed:
        """Jobs, newest first."""
        now_at = self.site.clock.utc()
        self._timed = TimedFields(self, clock_of(self.typed("clock")), now_at)
        wanted = job_filter(self._timed, now_at)
        page = await self.site.service.jobs(replace(wanted, snippets=True))
        reach = await self.site.service.reach(wanted, page)
        self._is_search = not wanted.is_counted()
        self._found = frozenset(job.id for job in page.items)
        return replace(_listed(page.items, wanted, page.next_cursor), reach=reach)

    def meant(self, name: str) -> list[str]:
        """Without it the form's own words for times would reach those who do not know its clock."""
        if self._timed is None or self.get_status() != 200:
            return []
        return [text.strip() for text in self._timed.get_query_arguments(name) if text.strip()]

    def written(self, name: str) -> str:
        """What stands in the field for a time; what a choice says stands there."""
        return next((text for text in self.all_typed(name) if name != "ended_after" or text not in ENDED), "")

    def _form(self) -> dict[str, Any]:
        """What the form shows that is not as it was typed."""
        chosen = next((text for text in self.all_typed("ended_after") if text in ENDED), "")
        unfold = any(self.written(name) if name in queries.INSTANTS else self.typed(name) for name in _RARE)
        older = "Search older" if self._is_search else "Older jobs"
        return {"ended": ENDED, "chosen": chosen, "written": self.written, "unfold": unfold, "older": older}

    async def beside(self) -> dict[str, Any]:
        """The choices of the form, and why jobs wait."""
        types, names = await self.type_choices(), self.name_choices()
        why = once_a_lane(self.site.service.why)
        orders = {"actions": ACTIONS, "asked": self.asked(FILTER_FIELDS), **self.ticks()}
        named = await self._named(self.typed("q"))
        return {"types": types, "names": names, "why": why, "named": named, **orders, **self._form()}

    async def _named(self, text: str) -> list[JobView]:
        """The jobs with this id or this key that the list does not show: another field of its filter does not fit, or
        they are older than it has looked back."""
        if not text or self.get_status() != 200:
            return []
        named = (await self.site.service.jobs(JobFilter(key=text, limit=MOST_NAMED))).items
        if _AN_ID.fullmatch(text):
            with contextlib.suppress(JobNotFound):
                named = [await self.site.service.job(text.lower()), *named]
        return [job for job in named if job.id not in self._found]


class WorkersPage(_TickedPage):
    """``/workers``."""

    template = "workers.html"
    query_fields = queries.WORKERS

    async def listed(self) -> _Listed:
        """Workers, by name."""
        wanted = worker_filter(self)
        page = await self.site.service.known_workers(wanted)
        return _listed(page.items, wanted, page.next_cursor)

    async def beside(self) -> dict[str, Any]:
        """The choices of the form, and how many workers there are."""
        service = self.site.service
        counts = {"called": service.called, "present": await service.all_worker_counts()}
        return counts | {
            "states": (*WorkerDoing, *WorkerStatus),
            "types": await self.type_choices(),
            "unfindable": self._asks_for_more_than_names(),
            "actions": [one for one in WORKER_ACTIONS.items() if all(map(self.may, scopes_for(WorkerAction(one[0]))))],
            "asked": self.asked(WORKER_FIELDS),
            **self.ticks(),
        }

    def _asks_for_more_than_names(self) -> bool:
        """Whether the filter would show those that have gone, too, if more than their names were known."""
        by_label = self.typed("label") and not self.typed("label").startswith("name:")
        return bool(self.typed("type") or by_label) and self.typed("state") in ("", WorkerStatus.GONE)


class TypesPage(_ListPage):
    """``/types``."""

    template = "types.html"
    query_fields = queries.TYPES

    async def listed(self) -> _Listed:
        """Types, by name."""
        wanted = type_filter(self)
        page = await self.site.service.types.page(wanted)
        return _listed(page.items, wanted, page.next_cursor)

    async def beside(self) -> dict[str, Any]:
        """The titles of the site's tasks, the files that do not work, and which types are paused."""
        tasks = self.site.tasks
        return {
            "titles": {task.name: task.title for task in tasks.tasks()},
            "faults": tasks.faults(),
            "most_faults": MOST_FAULTS,
            "paused": self.site.service.types.paused(),
            "most_paused": MOST_PAUSED,
        }
