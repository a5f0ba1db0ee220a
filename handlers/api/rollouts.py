"""``/api/v1/rollout``: which pages have old tasks, and the order that has them load anew. docs/api.md describes it."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.rollouts import MOST_AT_A_TIME, MOST_WITHOUT, RolloutOrder, RolloutView
from handlers.api.jobjson import Json, deployed_json, instant, withheld_json
from handlers.api.resources import ConsoleApiHandler
from handlers.api.workers import LONGEST_REASON, Reason
from handlers.console.deploying import rollout_words
from handlers.errors import Invalid, field_error
from handlers.intake import decode_object

__all__ = ["USUAL_AT_A_TIME", "RolloutBody", "RolloutHandler", "RolloutReleaseHandler", "RolloutStopHandler"]

USUAL_AT_A_TIME = 5


class RolloutBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How many pages are loading anew at once, whether it begins with a few, which are left out, and why."""

    at_a_time: Annotated[int, Meta(ge=1, le=MOST_AT_A_TIME)] = USUAL_AT_A_TIME
    canary: bool = False
    without: Annotated[
        list[Annotated[str, Meta(min_length=3, max_length=300, pattern="^[^:]+:.")]], Meta(max_length=MOST_WITHOUT)
    ] = []
    reason: Reason = ""


_decoder = msgspec.json.Decoder(RolloutBody)
_WORDS = (
    f'must be {{"at_a_time": a whole number from 1 to {MOST_AT_A_TIME:,}, "canary": true or false, "without": at most '
    f'{MOST_WITHOUT} labels such as "site:berlin" or "name:DESK-1", "reason": a line of at most {LONGEST_REASON} '
    "characters}"
)


def _pair(text: str) -> tuple[str, str]:
    label, _, value = text.partition(":")
    return label, value


class _RolloutAnswer(ConsoleApiHandler):
    """What the addresses of rollouts share."""

    def show(self) -> None:
        """Ends the answer with the newest rollout, and the pages that have old tasks."""
        rollouts = self.site.service.rollouts
        old, types = rollouts.deployed()
        own = "/api/v1/rollout"
        self.answer({
            "old": old,
            "types": [deployed_json(one) for one in types],
            "withheld": [withheld_json(one) for one in rollouts.withheld()],
            "rollout": None if rollouts.view is None else _rollout_json(rollouts.view),
            "links": {"self": own, "stop": f"{own}/stop", "release": f"{own}/release"},
        })  # fmt: skip

    def check_empty(self) -> None:
        """Raises Invalid if the body says something."""
        if self.body and bytes(self.body) != b"{}":
            raise Invalid([field_error("", "must be empty or an empty object")])


def _rollout_json(view: RolloutView) -> Json:
    order = view.order
    return {
        "state": view.state.value,
        "sentence": rollout_words(view),
        "at_a_time": order.at_a_time,
        "canary": order.canary,
        "without": [f"{label}:{value}" for label, value in order.without],
        "reason": order.reason,
        "actor": order.actor.name,
        "reloaded": view.reloaded,
        "reloading": view.reloading,
        "left": view.left,
        "left_out": view.left_out,
        "types": view.types,
        "watching": view.watching,
        "withheld": [withheld_json(one) for one in view.withheld],
        "lost": view.lost,
        "new": asdict(view.new),
        "rest": asdict(view.rest),
        "stopped": view.stopped,
        "detail": view.detail,
        "started_at": instant(view.started_at),
        "ended_at": instant(view.ended_at),
    }


class RolloutHandler(_RolloutAnswer):
    """``/api/v1/rollout``."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.OPERATE}

    async def get(self) -> None:
        """The newest one, and which pages have old tasks."""
        self.show()

    head = get

    async def post(self) -> None:
        """Begins one. It goes on without whoever asked for it."""
        try:
            body = decode_object(_decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            raise Invalid([field_error("", _WORDS)]) from None
        order = RolloutOrder(
            at_a_time=body.at_a_time, canary=body.canary, without=tuple(map(_pair, body.without)),
            reason=body.reason.strip(), actor=self.actor("api"),
        )  # fmt: skip
        await self.site.service.rollouts.begin(order)
        self.show()


class RolloutStopHandler(_RolloutAnswer):
    """``/api/v1/rollout/stop``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self) -> None:
        """No more pages are told. Those that have loaded anew keep what they have."""
        self.check_empty()
        await self.site.service.rollouts.stop(self.actor("api"))
        self.show()


class RolloutReleaseHandler(_RolloutAnswer):
    """``/api/v1/rollout/release``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self) -> None:
        """The files that are withheld are offered all the same."""
        self.check_empty()
        await self.site.service.rollouts.release(self.actor("api"))
        self.show()
