"""``/me``: who sits at this browser, and in which colours it shows the console. Works without JavaScript."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.errors import BadRequest, Forbidden
from handlers import queries
from handlers.console.colours import COLOURS, keep_colours
from handlers.console.page import XSRF_HELP, PageHandler, local_path
from handlers.person import LONGEST_PERSON, forget_person, keep_person, person_typed

__all__ = ["MePage"]


class MePage(PageHandler):
    """What this browser keeps of a person."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.READ}
    query_fields = queries.NEXT

    def for_programs(self) -> str:
        """They have no such cookie."""
        return "Programs need none of this: what they do is noted under the name of their token."

    def get(self) -> None:
        """The form."""
        self._show(local_path(self.get_query_argument("next", "/")), self.person)

    head = get

    def post(self) -> None:
        """Keeps it, and leads to where the person came from."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        following = local_path(self.form.field("next") or "/")
        try:
            person = person_typed(self.form.field("person"))
        except BadRequest as refused:
            self.set_status(422)
            return self._show(following, self.form.text("person"), refused.detail)
        if person:
            keep_person(self, self.site.guard, person)
        else:
            forget_person(self, self.site.guard)
        keep_colours(self, self.site.guard, self.form.field("colours"))
        return self.redirect(following, status=303)

    def _show(self, following: str, typed: str, error: str = "") -> None:
        self.show("me.html", following=following, typed=typed, error=error, choices=COLOURS, longest=LONGEST_PERSON)
