"""Endpoints of webhooks and their messages: what is read of them, and how the store in memory keeps them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Protocol

from msgspec.structs import asdict, replace

from dispatcher.store.storable import check_storable
from dispatcher.webhooks.commands import DeleteEndpoint, HookCommand, PutEndpoint, Redeliver, SendMessage, Tried
from dispatcher.webhooks.endpoints import Delivery, DeliveryOutcome, Endpoint, HookMessage, MessageCounts, endpoint_of

__all__ = ["MOST_DEAD", "MOST_DELIVERIES", "MOST_READ", "MOST_WAITING", "HookReads", "MemoryHooks"]

#: Most messages that wait for an endpoint, so that one that is down does not fill the disk. Of more, those that are due
#: first are dead.
MOST_WAITING = 100_000
#: Most dead messages that an endpoint has, and most lines of its log; the oldest go.
MOST_DEAD = 1_000
MOST_DELIVERIES = 500
#: Most messages or lines that are read at once.
MOST_READ = 100


class HookReads(Protocol):
    """A store's reads of endpoints, messages and their log."""

    async def endpoints(self) -> list[Endpoint]:
        """All of them, in no order."""
        ...

    async def targets(self) -> dict[str, float]:
        """The targets that have waiting messages: when the first one is due, as ``Turn.elapsed_s`` counts."""
        ...

    async def waiting(self, target: str, most: int) -> list[HookMessage]:
        """The first waiting messages of a target, by the instant at which they are due, due or not."""
        ...

    async def dead(self, endpoint: str, below: int | None = None) -> list[tuple[int, HookMessage]]:
        """Dead messages of an endpoint with their numbers, the newest first, at most ``MOST_READ`` below a number."""
        ...

    async def deliveries(self, endpoint: str, *, failed: bool = False, below: int | None = None) -> list[Delivery]:
        """Lines of its log, the newest first, at most ``MOST_READ``; ``failed``: only those that were no success."""
        ...

    async def known(self, endpoint: str, messages: Sequence[str]) -> set[str]:
        """Of these ids the ones of messages that the endpoint has, waiting or dead."""
        ...

    async def oldest(self) -> float | None:
        """When the change of the oldest message that waits was made, in UTC seconds; None: none waits."""
        ...

    async def counts(self) -> dict[str, MessageCounts]:
        """By endpoint: how many messages wait and how many are dead; those that have none are left out."""
        ...


class MemoryHooks:
    """See HookReads. ``base``: the queue clock when the store was opened. ``most_waiting``: for one endpoint."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self.most_waiting = MOST_WAITING
        self._endpoints: dict[str, Endpoint] = {}
        #: By id, in the order in which they came, with their numbers; ``due_s`` is by the queue clock here.
        self._messages: dict[str, tuple[int, HookMessage]] = {}
        self._log: list[Delivery] = []
        self._number = 0

    @staticmethod
    def check(messages: Sequence[HookMessage], commands: Sequence[HookCommand]) -> None:
        """Raises if a database would not take it."""
        check_storable(asdict(message).values() for message in messages)
        for command in commands:
            if isinstance(command, PutEndpoint):
                fields = asdict(command.endpoint)
                check_storable([fields.values(), fields["events"], fields["types"]])
            elif isinstance(command, SendMessage):
                check_storable([asdict(command.message).values()])
            elif isinstance(command, Tried):
                check_storable([asdict(command.delivery).values(), [command.disable]])

    def save(self, messages: Sequence[HookMessage], commands: Sequence[HookCommand], clock: float) -> None:
        """Keeps the messages, then obeys the commands, in order."""
        for message in messages:
            self._add(message, clock)
        for command in commands:
            if isinstance(command, PutEndpoint):
                self._endpoints[command.endpoint.id] = command.endpoint
            elif isinstance(command, DeleteEndpoint):
                self._delete(command.endpoint_id)
            elif isinstance(command, SendMessage):
                self._add(command.message, clock)
            elif isinstance(command, Tried):
                self._tried(command, clock)
            else:
                self._redeliver(command, clock)
        if len(self._messages) > self.most_waiting:
            for target in {message.target for message in messages}:
                self._give_up(target)

    def _give_up(self, target: str) -> None:
        """More wait for it than may: those that are due first are dead."""
        endpoint = endpoint_of(target)
        waiting = (row for row in self._of(endpoint, dead=False) if row[1].target == target)
        own = sorted(waiting, key=lambda row: (row[1].due_s or 0.0, row[0]))
        for number, message in own[: max(0, len(own) - self.most_waiting)]:
            self._messages[message.id] = (number, replace(message, due_s=None))
        self._trim_dead(endpoint)

    def _trim_dead(self, endpoint: str) -> None:
        for old, _ in sorted(self._of(endpoint, dead=True), key=lambda row: row[0])[:-MOST_DEAD]:
            self._messages = {name: row for name, row in self._messages.items() if row[0] != old}

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _add(self, message: HookMessage, clock: float) -> None:
        self._messages[message.id] = (self._next(), replace(message, due_s=clock))

    def _delete(self, endpoint_id: str) -> None:
        self._endpoints.pop(endpoint_id, None)
        self._messages = {name: row for name, row in self._messages.items() if row[1].endpoint != endpoint_id}
        self._log = [line for line in self._log if line.endpoint != endpoint_id]

    def _tried(self, command: Tried, clock: float) -> None:
        delivery = command.delivery
        number, message = self._messages.get(delivery.message, (0, None))
        if message is None or message.due_s is None:
            return
        if delivery.outcome is DeliveryOutcome.DELIVERED:
            del self._messages[message.id]
        else:
            due = None if delivery.outcome is DeliveryOutcome.DEAD else clock + command.delay_s
            self._messages[message.id] = (number, replace(message, attempts=delivery.attempt, due_s=due))
            self._trim_dead(delivery.endpoint)
        self._note(delivery)
        known = self._endpoints.get(delivery.endpoint)
        if command.disable is not None and known is not None:
            self._endpoints[known.id] = replace(known, enabled=False, reason=command.disable)

    def _note(self, delivery: Delivery) -> None:
        self._log.append(replace(delivery, number=self._next()))
        own = [line.number for line in self._log if line.endpoint == delivery.endpoint]
        old = set(own[:-MOST_DELIVERIES])
        self._log = [line for line in self._log if line.number not in old]

    def _redeliver(self, command: Redeliver, clock: float) -> None:
        for number, message in [*self._of(command.endpoint_id)]:
            wanted = message.id in command.messages if command.messages else message.due_s is None
            if wanted:
                attempts = 0 if message.due_s is None else message.attempts
                self._messages[message.id] = (number, replace(message, attempts=attempts, due_s=clock))

    def _of(self, endpoint: str, *, dead: bool | None = None) -> Iterable[tuple[int, HookMessage]]:
        return [
            row
            for row in self._messages.values()
            if row[1].endpoint == endpoint and dead in (None, row[1].due_s is None)
        ]

    # -- reads

    def _shown(self, message: HookMessage) -> HookMessage:
        return message if message.due_s is None else replace(message, due_s=message.due_s - self._base())

    async def endpoints(self) -> list[Endpoint]:
        """See HookReads."""
        return list(self._endpoints.values())

    async def targets(self) -> dict[str, float]:
        """See HookReads."""
        found: dict[str, float] = {}
        for _, message in self._messages.values():
            if message.due_s is not None:
                found[message.target] = min(found.get(message.target, message.due_s), message.due_s)
        return {target: due - self._base() for target, due in found.items()}

    async def waiting(self, target: str, most: int) -> list[HookMessage]:
        """See HookReads."""
        own = [
            (m.due_s, number, m) for number, m in self._messages.values() if m.target == target and m.due_s is not None
        ]
        return [self._shown(message) for _, _, message in sorted(own, key=lambda row: row[:2])[:most]]

    async def dead(self, endpoint: str, below: int | None = None) -> list[tuple[int, HookMessage]]:
        """See HookReads."""
        own = sorted(self._of(endpoint, dead=True), key=lambda row: -row[0])
        return [row for row in own if below is None or row[0] < below][:MOST_READ]

    async def deliveries(self, endpoint: str, *, failed: bool = False, below: int | None = None) -> list[Delivery]:
        """See HookReads."""
        end = len(self._log) if below is None else bisect_left(self._log, below, key=attrgetter("number"))
        lines = [line for line in reversed(self._log[:end]) if line.endpoint == endpoint]
        return [line for line in lines if not failed or line.outcome is not DeliveryOutcome.DELIVERED][:MOST_READ]

    async def known(self, endpoint: str, messages: Sequence[str]) -> set[str]:
        """See HookReads."""
        return {message.id for _, message in self._of(endpoint)} & set(messages)

    async def oldest(self) -> float | None:
        """See HookReads."""
        return min((m.at for _, m in self._messages.values() if m.due_s is not None), default=None)

    async def counts(self) -> dict[str, MessageCounts]:
        """See HookReads."""
        pending = Counter(m.endpoint for _, m in self._messages.values() if m.due_s is not None)
        dead = Counter(m.endpoint for _, m in self._messages.values() if m.due_s is None)
        return {name: MessageCounts(pending[name], dead[name]) for name in pending | dead}
