"""``/api/v1/webhooks``: who is told of changes, and what was sent to them. docs/webhooks.md describes it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.terms import TYPE_PATTERN
from dispatcher.core.jobs.views.telling import END_EVENTS, EVENTS
from dispatcher.webhooks.endpoints import Delivery, Endpoint, HookMessage, MessageCounts
from dispatcher.webhooks.targets import LONGEST_URL
from handlers import queries
from handlers.api.jobjson import Json, instant
from handlers.api.resources import ConsoleApiHandler, EmptyBody
from handlers.errors import Invalid, field_error
from handlers.intake import decode_object

__all__ = [
    "DeadMessagesHandler",
    "DeliveriesHandler",
    "RedeliverBody",
    "RedeliverHandler",
    "RotateHandler",
    "TestHandler",
    "WebhookBody",
    "WebhookChange",
    "WebhookHandler",
    "WebhooksHandler",
]

# The pattern is for the description alone: the words of a refusal say more (dispatcher/webhooks/targets.py).
_Url = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_URL, extra_json_schema={"pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$"})
]
_Event = Annotated[str, Meta(pattern=f"^({'|'.join(EVENTS)})$".replace(".", r"\."))]
_Events = Annotated[list[_Event], Meta(min_length=1, max_length=len(EVENTS))]
_Types = Annotated[list[Annotated[str, Meta(pattern=TYPE_PATTERN)]], Meta(max_length=100)]
# No control characters: the name stands in lists.
_Name = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
_FIELDS = (
    '"events": some of ' + ", ".join(f'"{event}"' for event in EVENTS) + ', "types": at most 100 types of jobs, or '
    'none for all, "name": at most 100 characters'
)
_WORDS = f'must be {{"url": an address of at most {LONGEST_URL:,} characters, {_FIELDS}}}'
_CHANGE_WORDS = f'must be one or more of {{"url": an address, {_FIELDS}, "enabled": true or false}}'
_AGAIN_WORDS = 'must be {"ids": 1 to 100 ids of messages}, or {"dead": true} for all dead ones'


class WebhookBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An endpoint that is wanted."""

    url: _Url
    events: _Events = msgspec.field(default_factory=lambda: list(END_EVENTS))
    types: _Types = []
    name: _Name = ""


class WebhookChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is changed of an endpoint."""

    url: _Url | UnsetType = UNSET
    events: _Events | UnsetType = UNSET
    types: _Types | UnsetType = UNSET
    name: _Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class RedeliverBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages are sent again."""

    ids: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=100)] = []
    dead: bool = False


_new = msgspec.json.Decoder(WebhookBody)
_changed = msgspec.json.Decoder(WebhookChange)
_again = msgspec.json.Decoder(RedeliverBody)
_empty = msgspec.json.Decoder(EmptyBody)


class EndpointApiHandler(ConsoleApiHandler):
    """What the addresses of webhooks have in common."""

    def decoded(self, decoder: msgspec.json.Decoder[Any], words: str) -> Any:
        """The body. Raises Invalid with these words."""
        try:
            return decode_object(decoder, bytes(self.body) or b"{}")
        except msgspec.ValidationError:
            raise Invalid([field_error("", words)]) from None

    async def show(self, endpoint: Endpoint, status: int = 200, **more: object) -> None:
        """Ends the answer with one endpoint."""
        counts = await self.site.service.webhooks.counts()
        self.answer(_endpoint_json(endpoint, counts, self.site.clock.utc()) | more, status)

    def answer_numbered(self, items: list[Json], last: int | None, *, full: bool) -> None:
        """Ends the answer with a page; the next one begins below the last number, if this one is full."""
        self.answer({"items": items, "next_cursor": str(last) if full and last is not None else None})


class WebhooksHandler(EndpointApiHandler):
    """``/api/v1/webhooks``."""

    scopes: ClassVar = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}

    async def get(self) -> None:
        """All endpoints, the newest first."""
        hooks, now_at = self.site.service.webhooks, self.site.clock.utc()
        counts = await hooks.counts()
        items = [_endpoint_json(endpoint, counts, now_at) for endpoint in hooks.all()]
        self.answer({"items": items, "next_cursor": None})

    head = get

    async def post(self) -> None:
        """Makes one: 201. This answer alone holds its secret, and that of a rotation."""
        body: WebhookBody = self.decoded(_new, _WORDS)
        endpoint = await self.site.service.webhooks.make(
            body.url,
            events=body.events,
            types=body.types,
            name=body.name.strip(),
            made_by=self.principal.name,
            actor=self.actor("api"),
        )
        self.set_header("Location", self.site.prefix.link(f"/api/v1/webhooks/{endpoint.id}"))
        await self.show(endpoint, 201, secret=endpoint.secret)


class WebhookHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>``."""

    scopes: ClassVar = {"GET": Scope.ADMIN, "PATCH": Scope.ADMIN, "DELETE": Scope.ADMIN}

    async def get(self, endpoint_id: str) -> None:
        """What is known of it, without its secret."""
        await self.show(self.site.service.webhooks.one(endpoint_id))

    head = get

    async def patch(self, endpoint_id: str) -> None:
        """Changes it; what is not named stays as it is."""
        body: WebhookChange = self.decoded(_changed, _CHANGE_WORDS)
        fields = {name: value for name, value in asdict(body).items() if value is not UNSET}
        if not fields:
            raise Invalid([field_error("", _CHANGE_WORDS)])
        fields |= {name: frozenset(fields[name]) for name in ("events", "types") if name in fields}
        await self.show(await self.site.service.webhooks.change(endpoint_id, fields, self.actor("api")))

    async def delete(self, endpoint_id: str) -> None:
        """Deletes it with its messages and its log."""
        await self.site.service.webhooks.delete(endpoint_id, self.actor("api"))
        self.set_status(204)
        self.clear_header("Content-Type")


class RotateHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>/rotate``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, endpoint_id: str) -> None:
        """Gives it a new secret, which this answer holds; the old one signs beside it for a day."""
        self.decoded(_empty, "must be empty, or {}")
        endpoint = await self.site.service.webhooks.rotate(endpoint_id, self.actor("api"))
        await self.show(endpoint, secret=endpoint.secret)


class TestHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>/test``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, endpoint_id: str) -> None:
        """Sends a ping: 202. The log of deliveries says what became of it."""
        self.decoded(_empty, "must be empty, or {}")
        message = await self.site.service.webhooks.test(endpoint_id, self.actor("api"))
        self.answer({"id": message, "links": {"deliveries": f"/api/v1/webhooks/{endpoint_id}/deliveries"}}, 202)


class DeliveriesHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>/deliveries``."""

    scopes: ClassVar = {"GET": Scope.ADMIN}
    query_fields = queries.DELIVERIES

    async def get(self, endpoint_id: str) -> None:
        """Attempts, the newest first."""
        failed, below = queries.flag_argument(self, "failed"), queries.number_argument(self, "cursor")
        found = await self.site.service.webhooks.deliveries(endpoint_id, failed=failed, below=below)
        last = found[-1].number if found else None
        self.answer_numbered([_delivery_json(one) for one in found], last, full=len(found) >= queries.MOST_NUMBERED)

    head = get


class DeadMessagesHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>/dead``."""

    scopes: ClassVar = {"GET": Scope.ADMIN}
    query_fields = queries.DEAD

    async def get(self, endpoint_id: str) -> None:
        """Messages that are sent no more, the newest first."""
        below = queries.number_argument(self, "cursor")
        found = await self.site.service.webhooks.dead(endpoint_id, below=below)
        last = found[-1][0] if found else None
        items = [_message_json(message) for _, message in found]
        self.answer_numbered(items, last, full=len(found) >= queries.MOST_NUMBERED)

    head = get


class RedeliverHandler(EndpointApiHandler):
    """``/api/v1/webhooks/<id>/redeliver``."""

    scopes: ClassVar = {"POST": Scope.ADMIN}

    async def post(self, endpoint_id: str) -> None:
        """Sends messages at once that wait or are dead: 202."""
        body: RedeliverBody = self.decoded(_again, _AGAIN_WORDS)
        if bool(body.ids) is body.dead:
            raise Invalid([field_error("", _AGAIN_WORDS)])
        await self.site.service.webhooks.redeliver(endpoint_id, body.ids, self.actor("api"))
        self.answer({"links": {"deliveries": f"/api/v1/webhooks/{endpoint_id}/deliveries"}}, 202)


def _endpoint_json(endpoint: Endpoint, counts: dict[str, MessageCounts], now_at: float) -> Json:
    own = counts.get(endpoint.id, MessageCounts())
    rotating = len(endpoint.secrets(now_at)) > 1
    address = f"/api/v1/webhooks/{endpoint.id}"
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": [event for event in EVENTS if event in endpoint.events],
        "types": sorted(endpoint.types),
        "enabled": endpoint.enabled,
        "reason": endpoint.reason,
        "pending": own.pending,
        "dead": own.dead,
        "old_secret_until": instant(endpoint.old_until) if rotating else None,
        "made_by": endpoint.made_by,
        "made_at": instant(endpoint.made_at) if endpoint.made_by else None,
        "links": {"self": address, "deliveries": f"{address}/deliveries", "dead": f"{address}/dead"},
    }


def _delivery_json(one: Delivery) -> Json:
    return {
        "id": one.message,
        "event": one.event,
        "job": one.job or None,
        "attempt": one.attempt,
        "at": instant(one.at),
        "ms": one.ms,
        "status": one.status,
        "error": one.error,
        "outcome": one.outcome.value,
    }


def _message_json(message: HookMessage) -> Json:
    return {
        "id": message.id,
        "event": message.event,
        "job": message.job or None,
        "at": instant(message.at),
        "attempts": message.attempts,
        "body": msgspec.Raw(message.body),
    }
