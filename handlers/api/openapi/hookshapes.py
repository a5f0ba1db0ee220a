"""What the API answers with about webhooks, as types: see ``shapes``."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from dispatcher.webhooks.endpoints import DeliveryOutcome
from handlers.api.openapi.shapes import Instant, Links

__all__ = [
    "DeadMessagesShape",
    "DeliveriesShape",
    "MadeWebhookShape",
    "OrderedShape",
    "WebhookShape",
    "WebhooksShape",
]


class WebhookShape(Struct, kw_only=True):
    """An endpoint that is told of changes."""

    id: str
    name: str
    url: str
    events: list[str]
    types: Annotated[list[str], Meta(description="the types of jobs that it is told of; empty: of all")]
    enabled: bool
    reason: Annotated[str | None, Meta(description="why it is not enabled")]
    pending: Annotated[int, Meta(description="messages that wait to be sent")]
    dead: Annotated[int, Meta(description="messages that are sent no more")]
    old_secret_until: Annotated[Instant | None, Meta(description="until then the secret of before signs, too")]
    made_by: str
    made_at: Instant | None
    links: Links


class MadeWebhookShape(WebhookShape, kw_only=True):
    """An endpoint with its secret: only the answer that makes or rotates it has the secret."""

    secret: str


class WebhooksShape(Struct):
    """All endpoints, the newest first."""

    items: list[WebhookShape]
    next_cursor: None


class OrderedShape(Struct):
    """What is sent: a ping's id, and where the outcome will stand."""

    links: Links
    id: str | UnsetType = UNSET


class DeliveryShape(Struct, kw_only=True):
    """One attempt at a message."""

    id: Annotated[str, Meta(description="the message's: its header `webhook-id`")]
    event: str
    job: str | None
    attempt: int
    at: Instant
    ms: Annotated[int, Meta(description="how long it took")]
    status: Annotated[int | None, Meta(description="of the answer; null: there was none")]
    error: str | None
    outcome: DeliveryOutcome


class DeliveriesShape(Struct):
    """A page of attempts, the newest first."""

    items: list[DeliveryShape]
    next_cursor: str | None


class DeadMessageShape(Struct, kw_only=True):
    """A message that is sent no more."""

    id: str
    event: str
    job: str | None
    at: Instant
    attempts: int
    body: Annotated[dict[str, Any], Meta(description="what was sent")]


class DeadMessagesShape(Struct):
    """A page of dead messages, the newest first."""

    items: list[DeadMessageShape]
    next_cursor: str | None
