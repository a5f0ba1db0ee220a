"""Endpoints of webhooks and their messages in the SQLite store.

How many messages each target has is kept in memory, so that nothing counts them. An endpoint may be deleted while very
many messages wait for it: they go some at a time, and nobody sees them meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from dispatcher.store.hook_rows import delivery_of, endpoint_of_row, message_of
from dispatcher.store.hooks import MOST_DEAD, MOST_DELIVERIES, MOST_READ
from dispatcher.store.thread import StoreThread
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

__all__ = ["HookRows", "SqliteHooks"]

_ENDPOINT = "id, url, events, types, secret, old_secret, old_until, enabled, reason, name, made_by, made_at"
_ALL = f"SELECT {_ENDPOINT} FROM endpoints"  # noqa: S608
_PUT = f"INSERT OR REPLACE INTO endpoints ({_ENDPOINT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_DROP = "DELETE FROM endpoints WHERE id = ?"
_DISABLE = "UPDATE endpoints SET enabled = 0, reason = ? WHERE id = ?"

_MESSAGE = "id, endpoint, target, url, event, job, body, at, attempts, due"
_ADD = f"INSERT INTO messages ({_MESSAGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_DONE = "DELETE FROM messages WHERE id = ? AND due IS NOT NULL"
_AGAIN = "UPDATE messages SET attempts = ?, due = ? WHERE id = ? AND due IS NOT NULL"
_TRIM_DEAD = """
    DELETE FROM messages WHERE due IS NULL AND endpoint = ?1 AND number <= (
        SELECT number FROM messages WHERE due IS NULL AND endpoint = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
"""
_GIVE_UP = """
    UPDATE messages SET due = NULL WHERE number IN (
        SELECT number FROM messages WHERE target = ? AND due IS NOT NULL ORDER BY due, number LIMIT ?)
"""
_REVIVE_ALL = "UPDATE messages SET attempts = 0, due = ? WHERE due IS NULL AND endpoint = ? RETURNING target"
_REVIVE = """
    UPDATE messages SET attempts = 0, due = ?1
    WHERE due IS NULL AND endpoint = ?2 AND id IN (SELECT value FROM json_each(?3)) RETURNING target
"""
_HASTEN = """
    UPDATE messages SET due = ?1
    WHERE due IS NOT NULL AND endpoint = ?2 AND id IN (SELECT value FROM json_each(?3))
"""
_FORGET_WAITING = """
    DELETE FROM messages WHERE number IN (
        SELECT number FROM messages WHERE target = ? AND due IS NOT NULL ORDER BY due, number LIMIT ?)
"""
_FORGET_DEAD = "DELETE FROM messages WHERE due IS NULL AND endpoint = ?"
_FORGET_LOG = "DELETE FROM deliveries WHERE endpoint = ?"
_COUNT_WAITING = "SELECT target, count(*) FROM messages WHERE due IS NOT NULL GROUP BY target"
_COUNT_DEAD = "SELECT endpoint, count(*) FROM messages WHERE due IS NULL GROUP BY endpoint"
_KNOWN = "SELECT id FROM messages WHERE endpoint = ? AND id IN (SELECT value FROM json_each(?))"
_OLDEST = "SELECT min(at) FROM messages WHERE due IS NOT NULL"
_FIRST_DUE = "SELECT due FROM messages WHERE target = ? AND due IS NOT NULL ORDER BY due LIMIT 1"
_WAITING = f"""
    SELECT {_MESSAGE} FROM messages WHERE target = ? AND due IS NOT NULL ORDER BY due, number LIMIT ?
"""  # noqa: S608
_DEAD = f"""
    SELECT number, {_MESSAGE} FROM messages WHERE due IS NULL AND endpoint = ? AND number < ?
    ORDER BY number DESC LIMIT ?
"""  # noqa: S608

_DELIVERY = "message, endpoint, event, job, attempt, at, ms, status, error, outcome"
_NOTE = f"INSERT INTO deliveries ({_DELIVERY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_TRIM_LOG = """
    DELETE FROM deliveries WHERE endpoint = ?1 AND number <= (
        SELECT number FROM deliveries WHERE endpoint = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)
"""
_LOG = f"SELECT {_DELIVERY}, number FROM deliveries WHERE endpoint = ? AND number < ?"  # noqa: S608
_BAD = " AND outcome <> 'delivered'"
_NEWEST = " ORDER BY number DESC LIMIT ?"
_BEYOND = (1 << 63) - 1
#: Most messages of a deleted endpoint that go at once, and most that die at once when a setting allows fewer.
_FORGOTTEN = 1_000


class HookRows:
    """The driver's half: it runs in the store's thread, inside the transaction of a turn.

    ``most_waiting``: messages for one endpoint.
    """

    def __init__(self, connection: sqlite3.Connection, most_waiting: int) -> None:
        self._db, self._most_waiting = connection, most_waiting
        self.reload()

    def reload(self) -> None:
        """Reads again what is kept in memory: at the start, and after a rollback."""
        self.ids = {row[0] for row in self._db.execute(_ALL)}
        self.waiting: Counter[str] = Counter(dict(self._db.execute(_COUNT_WAITING)))
        self.dead: Counter[str] = Counter(dict(self._db.execute(_COUNT_DEAD)))

    def save(self, messages: Sequence[HookMessage], commands: Sequence[HookCommand], clock: float) -> None:
        """Keeps the messages, then obeys the commands, in order."""
        self._add(messages, clock)
        touched: set[str] = set()
        for command in commands:
            if isinstance(command, PutEndpoint):
                self._db.execute(_PUT, _row(command.endpoint))
                self.ids.add(command.endpoint.id)
            elif isinstance(command, DeleteEndpoint):
                self._db.execute(_DROP, (command.endpoint_id,))
                self.ids.discard(command.endpoint_id)
                self._forget(command.endpoint_id)
            elif isinstance(command, SendMessage):
                self._add([command.message], clock)
            elif isinstance(command, Tried):
                self._tried(command, clock)
                touched.add(command.delivery.endpoint)
            else:
                self._redeliver(command, clock)
        for target in {message.target for message in messages}:
            self._give_up(target, len(messages) + _FORGOTTEN)
        for endpoint in touched:
            self._trim(endpoint)

    def _give_up(self, target: str, most: int) -> None:
        """If more wait for it than may, those that are due first are dead. ``most``: at once."""
        beyond, endpoint = min(most, self.waiting[target] - self._most_waiting), endpoint_of(target)
        if beyond > 0 and self.is_known(target):
            self._db.execute(_GIVE_UP, (target, beyond))
            self.waiting[target] -= beyond
            self.dead[endpoint] += beyond
            self._trim_dead(endpoint)

    def _add(self, messages: Sequence[HookMessage], clock: float) -> None:
        if messages:
            self._db.executemany(_ADD, [
                (m.id, m.endpoint, m.target, m.url, m.event, m.job, m.body, m.at, m.attempts, clock) for m in messages
            ])  # fmt: skip
            self.waiting.update(message.target for message in messages)

    def _tried(self, command: Tried, clock: float) -> None:
        delivery = command.delivery
        if delivery.outcome is DeliveryOutcome.DELIVERED:
            found = self._db.execute(_DONE, (delivery.message,)).rowcount
            self.waiting[command.target] -= found
        else:
            is_dead = delivery.outcome is DeliveryOutcome.DEAD
            due = None if is_dead else clock + command.delay_s
            found = self._db.execute(_AGAIN, (delivery.attempt, due, delivery.message)).rowcount
            if is_dead:
                self.waiting[command.target] -= found
                self.dead[delivery.endpoint] += found
        if not found:
            return
        d = delivery
        row = (d.message, d.endpoint, d.event, d.job, d.attempt, d.at, d.ms, d.status, d.error, d.outcome.value)
        self._db.execute(_NOTE, row)
        if command.disable is not None:
            self._db.execute(_DISABLE, (command.disable, delivery.endpoint))

    def _trim(self, endpoint: str) -> None:
        self._db.execute(_TRIM_LOG, (endpoint, MOST_DELIVERIES))
        self._trim_dead(endpoint)

    def _trim_dead(self, endpoint: str) -> None:
        if self.dead[endpoint] > MOST_DEAD:
            self.dead[endpoint] -= self._db.execute(_TRIM_DEAD, (endpoint, MOST_DEAD)).rowcount

    def _redeliver(self, command: Redeliver, clock: float) -> None:
        asked: tuple[object, ...] = (clock, command.endpoint_id)
        if command.messages:
            asked = (*asked, json.dumps(command.messages))
            self._db.execute(_HASTEN, asked)
        revived = self._db.execute(_REVIVE if command.messages else _REVIVE_ALL, asked).fetchall()
        self.waiting.update(target for (target,) in revived)
        self.dead[command.endpoint_id] -= len(revived)

    def forget(self) -> bool:
        """Removes some messages of endpoints that were deleted. Returns whether there may be more."""
        gone = [target for target, left in self.waiting.items() if left and not self.is_known(target)]
        for target in gone:
            self._forget(target)
        return any(self.waiting[target] for target in gone)

    def _forget(self, endpoint: str) -> None:
        self.waiting[endpoint] -= self._db.execute(_FORGET_WAITING, (endpoint, _FORGOTTEN)).rowcount
        self._db.execute(_FORGET_DEAD, (endpoint,))
        self._db.execute(_FORGET_LOG, (endpoint,))
        self.dead.pop(endpoint, None)

    def is_known(self, target: str) -> bool:
        """Whether messages of this target are sent to anybody."""
        return target in self.ids or endpoint_of(target) == CALLBACKS


class SqliteHooks:
    """See store.hooks.HookReads."""

    def __init__(self, connection: sqlite3.Connection, thread: StoreThread, rows: HookRows, base: float) -> None:
        self._db, self._thread, self._rows, self._base = connection, thread, rows, base

    async def endpoints(self) -> list[Endpoint]:
        """See HookReads."""
        return await self._thread.read(lambda: [endpoint_of_row(*row) for row in self._db.execute(_ALL)])

    async def targets(self) -> dict[str, float]:
        """See HookReads."""
        return await self._thread.read(self._targets)

    def _targets(self) -> dict[str, float]:
        known = [target for target, left in self._rows.waiting.items() if left and self._rows.is_known(target)]
        return {target: self._db.execute(_FIRST_DUE, (target,)).fetchone()[0] - self._base for target in known}

    async def waiting(self, target: str, most: int) -> list[HookMessage]:
        """See HookReads."""
        rows = await self._thread.read(lambda: self._db.execute(_WAITING, (target, most)).fetchall())
        return [message_of(self._base, *row) for row in rows]

    async def dead(self, endpoint: str, below: int | None = None) -> list[tuple[int, HookMessage]]:
        """See HookReads."""
        asked = (endpoint, _BEYOND if below is None else below, MOST_READ)
        rows = await self._thread.read(lambda: self._db.execute(_DEAD, asked).fetchall())
        return [(number, message_of(self._base, *row)) for number, *row in rows]

    async def deliveries(self, endpoint: str, *, failed: bool = False, below: int | None = None) -> list[Delivery]:
        """See HookReads."""
        query = _LOG + (_BAD if failed else "") + _NEWEST
        asked = (endpoint, _BEYOND if below is None else below, MOST_READ)
        rows = await self._thread.read(partial(self._fetch, query, asked))
        return [delivery_of(*row) for row in rows]

    def _fetch(self, query: str, asked: tuple[object, ...]) -> list[Any]:
        return self._db.execute(query, asked).fetchall()

    async def known(self, endpoint: str, messages: Sequence[str]) -> set[str]:
        """See HookReads."""
        asked = (endpoint, json.dumps(messages))
        return {row[0] for row in await self._thread.read(partial(self._fetch, _KNOWN, asked))}

    async def oldest(self) -> float | None:
        """See HookReads."""
        [(at,)] = await self._thread.read(partial(self._fetch, _OLDEST, ()))
        return None if at is None else float(at)

    async def counts(self) -> dict[str, MessageCounts]:
        """See HookReads."""
        return await self._thread.read(self._counts)

    def _counts(self) -> dict[str, MessageCounts]:
        pending: Counter[str] = Counter()
        for target, left in self._rows.waiting.items():
            if self._rows.is_known(target):
                pending[endpoint_of(target)] += left
        dead = self._rows.dead
        names = [name for name in {*pending, *dead} if pending[name] or dead[name]]
        return {name: MessageCounts(pending[name], dead[name]) for name in names}


def _row(made: Endpoint) -> tuple[object, ...]:
    events, types = (msgspec.json.encode(sorted(names)).decode() for names in (made.events, made.types))
    return (
        made.id, made.url, events, types, made.secret, made.old_secret, made.old_until, made.enabled, made.reason,
        made.name, made.made_by, made.made_at,
    )  # fmt: skip
