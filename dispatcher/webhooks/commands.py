"""What a turn does to endpoints and their messages, besides writing new messages for its changes."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.access.commands import NOBODY_ASKED
from dispatcher.webhooks.endpoints import Delivery, Endpoint, HookMessage

__all__ = ["DeleteEndpoint", "HookCommand", "PutEndpoint", "Redeliver", "SendMessage", "Tried"]


class PutEndpoint(Struct, frozen=True):
    """Keeps an endpoint, in place of the one with its id."""

    endpoint: Endpoint
    actor: Actor = NOBODY_ASKED
    #: For the audit log: ``webhook.make``, ``webhook.change``, ``webhook.rotate``.
    action: str = "webhook.change"


class DeleteEndpoint(Struct, frozen=True):
    """Removes an endpoint with its messages and its log."""

    endpoint_id: str
    actor: Actor = NOBODY_ASKED


class SendMessage(Struct, frozen=True):
    """A message that no change has caused."""

    message: HookMessage
    actor: Actor = NOBODY_ASKED


class Tried(Struct, frozen=True):
    """What has become of an attempt: the message goes, waits or is dead, and the log has a line more."""

    delivery: Delivery
    #: The message's.
    target: str
    #: When it is tried again, from the turn on; not used unless the attempt failed.
    delay_s: float = 0.0
    #: Why the endpoint is to be told nothing more; None: it is as it was.
    disable: str | None = None


class Redeliver(Struct, frozen=True):
    """Messages of an endpoint are tried again at once, and may then fail as often as new ones."""

    endpoint_id: str
    #: Their ids; empty: all that are dead, some at a time.
    messages: tuple[str, ...] = ()
    actor: Actor = NOBODY_ASKED


HookCommand = PutEndpoint | DeleteEndpoint | SendMessage | Tried | Redeliver
