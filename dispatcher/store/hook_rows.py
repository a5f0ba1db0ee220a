"""Rows of webhooks' endpoints, messages and log lines, as both databases give them, in the order of their columns."""

from __future__ import annotations

import msgspec

from dispatcher.webhooks.endpoints import Delivery, DeliveryOutcome, Endpoint, HookMessage

__all__ = ["delivery_of", "endpoint_of_row", "message_of"]

_names = msgspec.json.Decoder(frozenset[str])


def endpoint_of_row(
    endpoint_id: str, url: str, events: str, types: str, secret: str, old_secret: str | None, old_until: float | None,
    enabled: int, reason: str | None, name: str, made_by: str, made_at: float,
) -> Endpoint:  # fmt: skip
    """An endpoint; ``events`` and ``types`` are JSON."""
    return Endpoint(
        id=endpoint_id, url=url, events=_names.decode(events), types=_names.decode(types), secret=secret,
        old_secret=old_secret, old_until=old_until, enabled=bool(enabled), reason=reason, name=name, made_by=made_by,
        made_at=made_at,
    )  # fmt: skip


def message_of(
    base: float, message_id: str, endpoint: str, target: str, url: str | None, event: str, job: str, body: str,
    at: float, attempts: int, due: float | None,
) -> HookMessage:  # fmt: skip
    """A message. ``due`` is of the store's queue clock, which stood at ``base`` when this life began."""
    due_s = None if due is None else due - base
    return HookMessage(
        id=message_id, endpoint=endpoint, target=target, url=url, event=event, job=job, body=body, at=at,
        attempts=attempts, due_s=due_s,
    )  # fmt: skip


def delivery_of(
    message: str, endpoint: str, event: str, job: str, attempt: int, at: float, ms: int, status: int | None,
    error: str | None, outcome: str, number: int,
) -> Delivery:  # fmt: skip
    """A line of the log of attempts."""
    return Delivery(
        message=message, endpoint=endpoint, event=event, job=job, attempt=attempt, at=at, ms=ms, status=status,
        error=error, outcome=DeliveryOutcome(outcome), number=number,
    )  # fmt: skip
