"""``/api/v1/types``: the types of jobs, and the pauses that operators order. docs/api.md describes it."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import TypeView
from handlers import queries
from handlers.api.jobjson import one_type_json, type_json
from handlers.api.resources import ConsoleApiHandler
from handlers.api.workers import reason_in
from handlers.queries import type_filter

__all__ = ["OneTypeHandler", "TypePauseHandler", "TypeResumeHandler", "TypesHandler"]


class TypesHandler(ConsoleApiHandler):
    """``/api/v1/types``."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = queries.TYPES

    async def get(self) -> None:
        """A page of the list of types that some job, worker or shipped task has named, by name."""
        wanted = type_filter(self)
        page = await self.site.service.types.page(wanted)
        self.answer_page([type_json(view) for view in page.items], wanted, page.next_cursor)

    head = get


class _TypeAnswer(ConsoleApiHandler):
    """What the addresses of one type share."""

    names_type = True
    keeps_capitals = True

    def show(self, view: TypeView) -> None:
        """Ends the answer with the type."""
        self.answer(one_type_json(view))


class OneTypeHandler(_TypeAnswer):
    """``/api/v1/types/<type>``."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self, name: str) -> None:
        """One that a job, a worker, a shipped task or an operator has named."""
        self.principal.needs_types([name])
        self.show(await self.site.service.types.one(name))

    head = get


class TypePauseHandler(_TypeAnswer):
    """``/api/v1/types/<type>/pause``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, name: str) -> None:
        """Its jobs wait until it is resumed; those that run go on."""
        self.principal.needs_types([name])
        reason = reason_in(bytes(self.body))
        self.show(await self.site.service.types.pause(name, reason, actor=self.actor("api")))


class TypeResumeHandler(_TypeAnswer):
    """``/api/v1/types/<type>/resume``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, name: str) -> None:
        """Its jobs are offered again."""
        self.principal.needs_types([name])
        reason_in(bytes(self.body))
        self.show(await self.site.service.types.resume(name, actor=self.actor("api")))
