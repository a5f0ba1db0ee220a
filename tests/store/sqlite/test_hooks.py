"""Webhooks in the SQLite store: nothing looks at all messages that wait; those of a deleted endpoint go in slices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.sqlite.store import SqliteStore
from dispatcher.webhooks.commands import DeleteEndpoint, PutEndpoint
from dispatcher.webhooks.endpoints import HookMessage
from tests.store.contract import DURABLE, NOW, Desk
from tests.store.test_contract_webhooks import SHOP, tried, waiting

#: SQLite's own steps between two calls of the counter.
EACH = 10


@pytest.fixture
def desk(quick_path: Path) -> Any:
    desk = Desk(DURABLE[0], quick_path)
    yield desk
    desk.end()


def fill(desk: Desk, number: int) -> None:
    """So many messages wait."""
    store = desk.store
    assert isinstance(store, SqliteStore)

    def write() -> None:
        store._db.execute("BEGIN")
        store._db.execute("DELETE FROM messages")
        store._db.executemany(
            "INSERT INTO messages (id, endpoint, target, event, job, body, at, attempts, due) "
            "VALUES (?, 'shop', 'shop', 'ping', '', '{}', 0, 0, ?)",
            [(f"m{one}", float(one)) for one in range(number)],
        )
        store._db.execute("COMMIT")
        store._rows.hooks.reload()

    desk.run(store._thread.run(write))


def steps(desk: Desk, act: Callable[[], object]) -> int:
    """How much SQLite does for it."""
    store, count = desk.store, 0
    assert isinstance(store, SqliteStore)

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    desk.run(store._thread.run(lambda: store._db.set_progress_handler(step, EACH)))
    try:
        act()
    finally:
        desk.run(store._thread.run(lambda: store._db.set_progress_handler(None, EACH)))
    return count


def test_what_is_read_and_written_costs_the_same_beside_100_and_10_000_messages(desk: Desk) -> None:
    desk.command(PutEndpoint(SHOP))
    hooks = desk.store.hooks
    message = HookMessage(id="m7", endpoint="shop", target="shop", event="ping", body="{}", at=NOW)
    acts: list[Callable[[], object]] = [
        lambda: desk.run(hooks.targets()),
        lambda: desk.run(hooks.waiting("shop", 9)),
        lambda: desk.run(hooks.counts()),
        lambda: desk.run(hooks.dead("shop")),
        lambda: desk.command(tried(message, "failed", 5.0)),
        lambda: desk.command(tried(message, "delivered")),
    ]
    costs = []
    for number in (100, 10_000):
        fill(desk, number)
        costs.append([steps(desk, act) for act in acts])
    few, many = costs
    assert [more - less for less, more in zip(few, many, strict=True) if more > less + 5] == []


def test_the_messages_of_a_deleted_endpoint_go_some_at_a_time_and_nobody_sees_them_meanwhile(desk: Desk) -> None:
    desk.command(PutEndpoint(SHOP))
    fill(desk, 2_500)
    desk.command(DeleteEndpoint("shop"))
    assert len(waiting(desk, most=5_000)) == 1_500
    assert desk.run(desk.store.hooks.targets()) == desk.run(desk.store.hooks.counts()) == {}
    desk.pass_time(PURGE_EVERY_S)
    assert desk.turn().more
    assert len(waiting(desk, most=5_000)) == 500
    assert not desk.turn().more
    assert waiting(desk) == []
