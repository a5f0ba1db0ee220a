"""One type for people: how its jobs have ended, and the buttons by which operators pause it and resume it, and give it
defaults. They work without JavaScript.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.terms import NO_DEFAULTS, TypeDefaults, range_of, range_words
from dispatcher.core.jobs.views.endings import ALL_TYPES
from dispatcher.errors import Forbidden, WrongState
from handlers.api.types import Changes, changes_of
from handlers.api.workers import LONGEST_REASON
from handlers.console.deploying import deployed_words
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.console.worker import reason_of
from handlers.errors import Invalid, problem_of

__all__ = ["OneTypePage", "TypeActionHandler"]

#: The windows of which a page tells how jobs have ended, in words and in seconds.
_WINDOWS = (("hour", 3_600), ("24 hours", 86_400), ("30 days", 30 * 86_400))


class _DefaultField(Struct):
    """One default in the form; ``usual``: what the server has."""

    name: str
    label: str
    limits: str
    value: str
    usual: str


def _shown(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else "" if value is None else str(value)


class _OneType(PageHandler):
    """A page about one type."""

    names_type = True

    async def show_type(self, view: TypeView, notice: str = "", typed: Mapping[str, str] | None = None) -> None:
        """Ends the answer with the type's page. ``typed``: the form of the defaults as it was typed, and is refused."""
        titles = {task.name: task.title for task in self.site.tasks.tasks()}
        every = view.type == EVERY_TYPE
        self.is_typed_into = self.may(Scope.OPERATE)
        name = ALL_TYPES if every else view.type
        ended = [(words, await self.site.service.types.ended(name, window_s)) for words, window_s in _WINDOWS]
        self.show(
            "type.html", known=view, title=titles.get(view.type), longest=LONGEST_REASON, notice=notice, ended=ended,
            fields=self._fields(view.defaults.given() if typed is None else typed),
            deployed=None if every else self.site.service.types.deployed(view.type), deployed_words=deployed_words,
            every=every, heading="All types" if every else view.type, typed=typed or {},
        )  # fmt: skip

    def _fields(self, values: Mapping[str, object]) -> list[_DefaultField]:
        usual = self.site.settings.terms
        return [
            _DefaultField(
                name=name,
                label=range_of(name).title,
                limits=range_words(name).removeprefix("must be "),
                value=_shown(values.get(name, "")),
                usual=_shown(getattr(usual, name)) or "none",
            )
            for name in TypeDefaults.__struct_fields__
        ]


class OneTypePage(_OneType):
    """``/types/<type>``: everything known about one type."""

    scopes: ClassVar = {"GET": Scope.READ}
    offers_refresh = True

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
        name, order = self.path_args
        link = self.site.prefix.link(f"/api/v1/types/{name}")
        call = f"PATCH {link}" if order == "defaults" else f"POST {link}/{order}"
        return f"Programs send JSON: {call}, with 'Content-Type: application/json'."

    async def post(self, name: str, order: str) -> None:
        """Orders it and leads back to the type; if nobody knows it any more, to the list."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        self.principal.needs_types([name])
        types, actor = self.site.service.types, self.actor("console")
        try:
            reason = reason_of(self.form.field("reason"))
            if order == "pause":
                view = await types.pause(name, reason, actor=actor)
            elif order == "defaults":
                view = await types.change_defaults(name, self._defaults(), reason, actor=actor)
            else:
                view = await types.resume(name, reason, actor=actor)
        except (WrongState, Invalid) as refused:
            self.set_status(problem_of(refused).status)
            typed = {field: self.form.text(field) for field in (*TypeDefaults.__struct_fields__, "reason")}
            await self.show_type(await types.one(name), refused.detail, typed if order == "defaults" else None)
            return
        known = view.paused or view.counts or view.workers or view.defaults != NO_DEFAULTS
        self.lead_back(f"/types/{name}" if known else "/types")

    def _defaults(self) -> Changes:
        """What the form says; an empty field takes a default away."""
        return changes_of({name: _typed(self.form.field(name).strip()) for name in TypeDefaults.__struct_fields__})


def _typed(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text
