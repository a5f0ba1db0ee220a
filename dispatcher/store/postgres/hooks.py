"""Endpoints of webhooks and their messages in the PostgreSQL store.

The database itself counts how many messages wait for each target. An endpoint may be deleted while very many messages
wait for it: they go some at a time, and nobody sees them meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from dispatcher.store.hook_rows import delivery_of, endpoint_of_row, message_of
from dispatcher.store.hooks import MOST_DEAD, MOST_DELIVERIES, MOST_READ
from dispatcher.store.postgres.link import Asked, rows_text
from dispatcher.store.postgres.reader import Reader
from dispatcher.store.requests import MOST_FORGOTTEN
from dispatcher.webhooks.commands import DeleteEndpoint, HookCommand, PutEndpoint, Redeliver, SendMessage, Tried
from dispatcher.webhooks.endpoints import (
    CALLBACKS,
    Delivery,
    DeliveryOutcome,
    Endpoint,
    HookMessage,
    MessageCounts,
    endpoint_of,
)

__all__ = ["PostgresHooks", "ask_to_forget", "hook_asks"]

_BEYOND = (1 << 63) - 1


def hook_asks(
    messages: Sequence[HookMessage], commands: Sequence[HookCommand], clock: float, most_waiting: int
) -> Iterator[Asked]:
    """Keeps the messages, then obeys the commands, in order. ``most_waiting``: messages for one endpoint."""
    yield from _added(messages, clock)
    for command in commands:
        yield from _obeyed(command, clock)
    for target in sorted({message.target for message in messages}):
        yield "give_up", {
            "target": target, "endpoint": endpoint_of(target), "callbacks": CALLBACKS, "kept": most_waiting,
            "most": len(messages) + MOST_FORGOTTEN,
        }  # fmt: skip
    tried = {command.delivery.endpoint for command in commands if isinstance(command, Tried)}
    given_up = {endpoint_of(message.target) for message in messages}
    for endpoint in sorted(tried):
        yield "trim_deliveries", {"endpoint": endpoint, "kept": MOST_DELIVERIES}
    for endpoint in sorted(tried | given_up):
        yield "trim_dead", {"endpoint": endpoint, "kept": MOST_DEAD}


def ask_to_forget() -> Asked:
    """Removes some messages of endpoints that were deleted; counts those of each."""
    return "forget_messages", {"callbacks": CALLBACKS, "most": MOST_FORGOTTEN}


def _obeyed(command: HookCommand, clock: float) -> Iterator[Asked]:
    if isinstance(command, PutEndpoint):
        yield "put_endpoint", {"rows": rows_text([_fields(command.endpoint)])}
    elif isinstance(command, DeleteEndpoint):
        gone = {"endpoint": command.endpoint_id}
        yield "drop_endpoint", {"id": command.endpoint_id}
        yield "forget_waiting", gone | {"most": MOST_FORGOTTEN}
        yield "forget_dead", gone
        yield "forget_deliveries", gone
    elif isinstance(command, SendMessage):
        yield from _added([command.message], clock)
    elif isinstance(command, Tried):
        yield _tried(command, clock)
    else:
        yield from _redelivered(command, clock)


def _added(messages: Sequence[HookMessage], clock: float) -> Iterator[Asked]:
    if messages:
        yield "add_messages", {"rows": rows_text(asdict(message) | {"due": clock} for message in messages)}


def _tried(command: Tried, clock: float) -> Asked:
    """Whose message is not there any more, or dead, notes nothing."""
    told = asdict(command.delivery) | {"outcome": command.delivery.outcome.value, "disable": command.disable}
    if command.delivery.outcome is DeliveryOutcome.DELIVERED:
        return "delivered", told
    is_dead = command.delivery.outcome is DeliveryOutcome.DEAD
    return "not_delivered", told | {"due": None if is_dead else clock + command.delay_s}


def _redelivered(command: Redeliver, clock: float) -> Iterator[Asked]:
    asked: dict[str, Any] = {"due": clock, "endpoint": command.endpoint_id}
    if command.messages:
        asked["ids"] = list(command.messages)
        yield "hasten", asked
        yield "revive", asked
    else:
        yield "revive_all", asked


class PostgresHooks:
    """See store.hooks.HookReads. ``base``: the queue clock where ``Turn.elapsed_s`` is zero."""

    def __init__(self, reader: Reader, base: Callable[[], float]) -> None:
        self._reader, self._base = reader, base

    async def endpoints(self) -> list[Endpoint]:
        """See HookReads."""
        return [endpoint_of_row(*row) for row in await self._reader.one("endpoints")]

    async def targets(self) -> dict[str, float]:
        """See HookReads."""
        rows = await self._reader.one("targets", callbacks=CALLBACKS)
        return {target: due - self._base() for target, due in rows}

    async def waiting(self, target: str, most: int) -> list[HookMessage]:
        """See HookReads."""
        return [message_of(self._base(), *row) for row in await self._reader.one("waiting", target=target, most=most)]

    async def dead(self, endpoint: str, below: int | None = None) -> list[tuple[int, HookMessage]]:
        """See HookReads."""
        below = _BEYOND if below is None else below
        rows = await self._reader.one("dead", endpoint=endpoint, below=below, most=MOST_READ)
        return [(number, message_of(self._base(), *row)) for number, *row in rows]

    async def deliveries(self, endpoint: str, *, failed: bool = False, below: int | None = None) -> list[Delivery]:
        """See HookReads."""
        name = "bad_deliveries" if failed else "deliveries"
        below = _BEYOND if below is None else below
        return [
            delivery_of(*row) for row in await self._reader.one(name, endpoint=endpoint, below=below, most=MOST_READ)
        ]

    async def known(self, endpoint: str, messages: Sequence[str]) -> set[str]:
        """See HookReads."""
        rows = await self._reader.one("known_messages", endpoint=endpoint, ids=list(messages))
        return {message for (message,) in rows}

    async def oldest(self) -> float | None:
        """See HookReads."""
        [(at,)] = await self._reader.one("oldest_message")
        return None if at is None else float(at)

    async def counts(self) -> dict[str, MessageCounts]:
        """See HookReads."""
        known = {endpoint for endpoint, *_ in await self._reader.one("endpoints")} | {CALLBACKS}
        pending = _by_endpoint(await self._reader.one("count_waiting"), known)
        dead = _by_endpoint(await self._reader.one("count_dead"), known)
        return {name: MessageCounts(pending[name], dead[name]) for name in pending | dead}


def _by_endpoint(counts: Iterable[Sequence[Any]], known: set[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for target, count in counts:
        if endpoint_of(target) in known:
            found[endpoint_of(target)] += count
    return found


def _fields(made: Endpoint) -> dict[str, Any]:
    events, types = (msgspec.json.encode(sorted(names)).decode() for names in (made.events, made.types))
    return asdict(made) | {"events": events, "types": types}
