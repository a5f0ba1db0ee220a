"""Who is told of changes, and the messages that wait to be sent. Knows no job, no clock and no network."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from msgspec import Struct

__all__ = [
    "CALLBACKS",
    "Delivery",
    "DeliveryOutcome",
    "Endpoint",
    "HookMessage",
    "MessageCounts",
    "callback_target",
    "endpoint_of",
]

#: The endpoint of all callbacks: nobody makes or deletes it, and each of its messages has an address of its own.
CALLBACKS = "callbacks"


def callback_target(url: str) -> str:
    """The target of a callback: its host and port, so that a slow receiver delays no other one. ``url`` was judged.

    However an address is written, its messages count together: each target has a bound of its own.
    """
    parts = urlsplit(url)
    return f"{CALLBACKS} {parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def endpoint_of(target: str) -> str:
    """The endpoint that has the messages of this target."""
    return CALLBACKS if target.split(" ", 1)[0] == CALLBACKS else target


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where changes are told, as an administrator wants it. Instants are UTC seconds."""

    id: str
    url: str
    #: ``job.succeeded`` and so on: what a job must have become; or ``workers.missed`` and the like.
    events: frozenset[str]
    #: Types of jobs; empty: all.
    types: frozenset[str] = frozenset()
    #: ``whsec_`` and base64. Messages are signed with it, so the text itself is kept.
    secret: str
    #: Signs beside the other until ``old_until``.
    old_secret: str | None = None
    old_until: float | None = None
    #: False: nothing is written for it, and what waits is not sent.
    enabled: bool = True
    #: Why it is not enabled.
    reason: str | None = None
    #: What it is for, in words for people.
    name: str = ""
    made_by: str
    made_at: float

    def wants(self, event: str, job_type: str) -> bool:
        """Whether it is told of this."""
        return self.hears(event) and (not self.types or job_type in self.types)

    def hears(self, event: str) -> bool:
        """Whether it is told of what is about no job."""
        return self.enabled and event in self.events

    def secrets(self, now_at: float) -> tuple[str, ...]:
        """What signs a message now, the newest first."""
        if self.old_secret is None or self.old_until is None or now_at >= self.old_until:
            return (self.secret,)
        return (self.secret, self.old_secret)


class HookMessage(Struct, frozen=True, kw_only=True):
    """One change, for one receiver. It stays until the receiver has taken it."""

    #: The header ``webhook-id``: the same in each attempt.
    id: str
    #: The endpoint's id.
    endpoint: str
    #: Messages of one target are sent some at a time, so that a slow receiver delays no other one: the endpoint's id,
    #: or for callbacks the host.
    target: str
    #: Where it goes; None: to the endpoint's address.
    url: str | None = None
    #: ``job.succeeded`` and so on, or ``ping``.
    event: str
    #: The job's id; empty: it is about no job.
    job: str = ""
    #: JSON text: what is sent.
    body: str
    #: UTC seconds: when the change was made.
    at: float
    #: How often it was tried.
    attempts: int = 0
    #: When it is tried next, as ``Turn.elapsed_s`` counts; None: never, it is dead. Set by the store.
    due_s: float | None = 0.0


class DeliveryOutcome(StrEnum):
    """What an attempt has come to."""

    DELIVERED = "delivered"
    #: It will be tried again.
    FAILED = "failed"
    #: It will not: it was tried for days, or the receiver wants no more.
    DEAD = "dead"


class Delivery(Struct, frozen=True, kw_only=True):
    """One attempt at a message: a line of the delivery log."""

    #: The message's id.
    message: str
    endpoint: str
    event: str
    job: str
    #: 1 for the first one.
    attempt: int
    #: UTC seconds.
    at: float
    #: How long it took.
    ms: int
    #: The status of the answer; None: there was none.
    status: int | None
    #: Why it was no success, in words.
    error: str | None
    outcome: DeliveryOutcome
    #: Counts up; given by the store.
    number: int = 0


class MessageCounts(Struct, frozen=True):
    """How many messages an endpoint has."""

    pending: int = 0
    dead: int = 0
