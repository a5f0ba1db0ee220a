"""The rollout for people: which pages have old tasks, the form that has them load anew, and how far that is.

It works without JavaScript. The rules are those of the API (``handlers/api/rollouts.py``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.rollouts import MOST_AT_A_TIME, MOST_WITHOUT, RolloutOrder
from dispatcher.errors import BadRequest, Forbidden, WrongState
from handlers.api.rollouts import USUAL_AT_A_TIME
from handlers.api.workers import LONGEST_REASON
from handlers.console.deploying import rollout_words, versions_words, withheld_words
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.console.presses import offer_withheld
from handlers.console.worker import reason_of
from handlers.errors import Invalid, problem_of
from handlers.forms.formlabels import wanted_of_form

__all__ = ["RolloutButton", "RolloutPage"]

#: The fields of the form that begins one.
_TYPED = ("at_a_time", "canary", "without", "reason")


class _Rollout(PageHandler):
    """The page about the rollout."""

    def show_rollout(self, notice: str = "", typed: Mapping[str, str] | None = None) -> None:
        """Ends the answer with it. It refreshes by itself while one runs. ``typed``: what is refused of a form."""
        rollouts = self.site.service.rollouts
        old, types = rollouts.deployed()
        view = rollouts.view
        runs = view is not None and view.runs
        self.refresh_s = 2 if runs else 0
        self.is_typed_into = bool(old) and not runs and self.may(Scope.OPERATE)
        self.show(
            "rollout.html", old=old, types=types, view=view, runs=runs, notice=notice, usual=USUAL_AT_A_TIME,
            most=MOST_AT_A_TIME, longest=LONGEST_REASON, versions_words=versions_words, rollout_words=rollout_words,
            withheld=rollouts.withheld(), withheld_words=withheld_words,
            offer_withheld=offer_withheld, typed=typed or {},
        )  # fmt: skip


class RolloutPage(_Rollout):
    """``/rollout``: the newest one, and which pages have old tasks."""

    scopes: ClassVar = {"GET": Scope.READ}
    offers_refresh = True

    async def get(self) -> None:
        """The page."""
        self.show_rollout()

    head = get


class RolloutButton(_Rollout):
    """``/rollout/begin``, ``/rollout/stop`` and ``/rollout/release``: the buttons of its page."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def for_programs(self) -> str:
        """The same as this button."""
        verb = self.path_args[0]
        link = self.site.prefix.link("/api/v1/rollout" + ("" if verb == "begin" else f"/{verb}"))
        return f"Programs send JSON: POST {link}, with 'Content-Type: application/json'."

    async def post(self, verb: str) -> None:
        """Does it and leads back to the page."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        rollouts, actor = self.site.service.rollouts, self.actor("console")
        try:
            if verb == "begin":
                await rollouts.begin(self._order())
            else:
                with contextlib.suppress(WrongState):  # it was over already, or released; the page says so
                    await (rollouts.stop(actor) if verb == "stop" else rollouts.release(actor))
        except (WrongState, BadRequest) as refused:
            self.set_status(problem_of(refused).status)
            self.show_rollout(refused.detail, {name: self.form.text(name) for name in _TYPED})
            return
        self.lead_back("/rollout")

    def _without(self) -> tuple[tuple[str, str], ...]:
        """The pages that are left out. Raises BadRequest."""
        try:
            wanted = wanted_of_form({"labels": self.form.text("without")})
        except Invalid as wrong:
            raise BadRequest(f"Leave out: {wrong.detail}", semantic=True) from None
        pairs = tuple((label, value) for label, values in wanted.items() for value in values)
        if len(pairs) > MOST_WITHOUT:
            raise BadRequest(f"Leave out: at most {MOST_WITHOUT} labels.", semantic=True)
        return pairs

    def _order(self) -> RolloutOrder:
        """What the form says. Raises BadRequest."""
        typed = self.form.field("at_a_time").strip()
        if not (typed.isascii() and typed.isdigit() and len(typed) < 5 and 1 <= int(typed) <= MOST_AT_A_TIME):
            raise BadRequest(f"How many at a time must be a whole number from 1 to {MOST_AT_A_TIME:,}.", semantic=True)
        return RolloutOrder(
            at_a_time=int(typed),
            canary=self.form.field("canary") == "1",
            without=self._without(),
            reason=reason_of(self.form.field("reason")),
            actor=self.actor("console"),
        )
