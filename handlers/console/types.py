"""The buttons of the console's list of types. They work without JavaScript."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.errors import Forbidden
from handlers.api.workers import LONGEST_REASON
from handlers.console.page import XSRF_HELP, PageHandler

__all__ = ["TypeActionHandler"]


class TypeActionHandler(PageHandler):
    """``/types/<type>/pause`` and ``/resume``; both lead back to the list."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def for_programs(self) -> str:
        """The same as this button."""
        link = self.site.prefix.link(f"/api/v1/types/{self.path_args[0]}/{self.path_args[1]}")
        return f"Programs send JSON: POST {link}, with 'Content-Type: application/json'."

    async def post(self, name: str, order: str) -> None:
        """Orders it."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        self.principal.needs_types([name])
        types, actor = self.site.service.types, self.actor("console")
        if order == "pause":
            reason = " ".join(self.form.field("reason").split())[:LONGEST_REASON].replace("\0", "\ufffd")
            await types.pause(name, reason, actor=actor)
        else:
            await types.resume(name, actor=actor)
        self.redirect(f"/types?q={name}", status=303)
