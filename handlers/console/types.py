"""One type for people, and the buttons by which operators pause it and resume it. They work without JavaScript."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import TypeView
from dispatcher.errors import Forbidden, WrongState
from handlers.api.workers import LONGEST_REASON
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.console.worker import reason_of

__all__ = ["OneTypePage", "TypeActionHandler"]

#: The windows of which a page tells how jobs have ended, in words and in seconds.
_WINDOWS = (("hour", 3_600), ("24 hours", 86_400), ("30 days", 30 * 86_400))


class _OneType(PageHandler):
    """A page about one type."""

    names_type = True

    async def show_type(self, view: TypeView, notice: str = "") -> None:
        """Ends the answer with the type's page."""
        titles = {task.name: task.title for task in self.site.tasks.tasks()}
        ended = [(words, await self.site.service.types.ended(view.type, window_s)) for words, window_s in _WINDOWS]
        self.show(
            "type.html", known=view, title=titles.get(view.type), longest=LONGEST_REASON, notice=notice, ended=ended,
        )  # fmt: skip


class OneTypePage(_OneType):
    """``/types/<type>``: everything known about one type."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self, name: str) -> None:
        """The page."""
        self.principal.needs_types([name])
        await self.show_type(await self.site.service.types.one(name))

    head = get


class TypeActionHandler(_OneType):
    """``/types/<type>/`` and an order: the buttons of its page."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def for_programs(self) -> str:
        """The same as this button."""
        link = self.site.prefix.link(f"/api/v1/types/{self.path_args[0]}/{self.path_args[1]}")
        return f"Programs send JSON: POST {link}, with 'Content-Type: application/json'."

    async def post(self, name: str, order: str) -> None:
        """Orders it and leads back to the type; if nobody knows it any more, to the list."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        self.principal.needs_types([name])
        types, actor = self.site.service.types, self.actor("console")
        try:
            if order == "pause":
                view = await types.pause(name, reason_of(self.form.field("reason")), actor=actor)
            else:
                view = await types.resume(name, actor=actor)
        except WrongState as refused:
            self.set_status(409)
            await self.show_type(await types.one(name), refused.detail)
            return
        self.redirect(f"/types/{name}" if view.paused or view.counts or view.workers else "/types", status=303)
