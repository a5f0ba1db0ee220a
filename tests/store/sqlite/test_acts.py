"""What a page of the audit log looks at in SQLite: a slice at a time, and no act of another time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.store.sqlite.acts import ActsRead
from dispatcher.store.views import SLICE
from tests.store.contract import DURABLE, Desk

#: ``unknown`` shows wrong tokens, one each second from the instant 0 on; ``anna`` was there once, as the first.
FILL = """
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
    INSERT INTO acts (at, actor, token, remote, action, target, detail, outcome, clock)
    SELECT i, iif(i, 'unknown', 'anna'), '', '', 'token.refused', '', '', 'refused', i FROM n
"""
#: To look at an act takes fewer of SQLite's steps than this, and so does a look into an index.
STEPS = 50


@pytest.fixture
def desk(quick_path: Path) -> Iterator[Desk]:
    made = Desk(DURABLE[0], quick_path)
    yield made
    made.end()


def fill(desk: Desk, number: int) -> None:
    """Makes the log one of so many acts."""
    store: Any = desk.store

    def write() -> None:
        store._db.execute("DELETE FROM acts")
        store._db.execute("DELETE FROM sqlite_sequence WHERE name = 'acts'")
        store._db.execute(FILL, (number,))

    desk.run(store._thread.run(write))


def calls(desk: Desk, **wanted: Any) -> tuple[list[int], int]:
    """SQLite's steps in each call of the store's thread until the page is whole, and how many acts it has."""
    store: Any = desk.store
    steps = [0]

    def step() -> None:
        steps[-1] += 10

    reading = ActsRead(store._db, AuditFilter(**wanted))
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(step, 10)))
    while not desk.run(store._thread.run(reading.slice)):
        steps.append(0)
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(None, 10)))
    return steps, len(reading.page().items)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"before": 0.0}, 0),
        ({"before": 0.0, "actor": "unknown"}, 0),
        ({"before": 1e4, "actor": "anna"}, 1),
        ({"before": 0.0, "actor": "anna"}, 0),
        ({"after": 1e9, "actor": "unknown", "action": "token.refused"}, 0),
        ({"after": 0.0, "actor": "anna"}, 1),
        ({"actor": "anna"}, 1),
        ({"target": "job-1", "actor": "unknown"}, 0),
    ],
)
def test_acts_of_another_time_or_name_are_passed_over(desk: Desk, wanted: dict[str, Any], found: int) -> None:
    costs = []
    for number in (10_000, 100_000):
        fill(desk, number)
        steps, items = calls(desk, **wanted)
        assert items == found
        assert max(steps) < SLICE * STEPS
        costs.append(sum(steps))
    # A span of a thousand acts is one look into an index.
    assert costs[1] - costs[0] < 90 * STEPS


@pytest.mark.parametrize("wanted", [{"action": "token.make"}, {"action": "token.make", "after": 0.0}])
def test_one_call_looks_at_a_thousand_acts_at_most(desk: Desk, wanted: dict[str, Any]) -> None:
    fill(desk, 5_000)
    steps, items = calls(desk, actor="unknown", **wanted)
    assert (items, len(steps)) == (0, 6)
    assert max(steps) < SLICE * STEPS


@pytest.mark.parametrize(
    ("wanted", "looks"),
    [({}, 51), ({"actor": "unknown"}, 51), ({"after": 5.0}, SLICE), ({"before": 1e9, "actor": "unknown"}, SLICE)],
)
def test_a_page_that_fills_up_costs_the_same_however_many_acts_there_are(
    desk: Desk, wanted: dict[str, Any], looks: int
) -> None:
    costs = []
    for number in (2_500, 50_500):
        fill(desk, number)
        steps, items = calls(desk, limit=50, **wanted)
        assert (items, len(steps)) == (50, 1)
        costs.append(steps[0])
    assert costs[1] <= costs[0] + STEPS
    assert costs[1] < looks * STEPS


def test_a_purge_looks_at_what_it_forgets_however_many_acts_there_are(desk: Desk) -> None:
    store: Any = desk.store
    steps: list[int] = []
    for number in (2_500, 50_500):
        fill(desk, number)
        desk.pass_time(60.0)
        store._rows.clock_base = 500.0 + store._limits.audit_retention_s - desk.elapsed_s
        steps.append(0)

        def step() -> None:
            steps[-1] += 10

        desk.run(store._thread.run(lambda step=step: store._db.set_progress_handler(step, 10)))
        desk.turn()
        desk.run(store._thread.run(lambda: store._db.set_progress_handler(None, 10)))
        left = desk.run(store._thread.run(lambda: store._db.execute("SELECT count(*) FROM acts").fetchone()[0]))
        assert left == number - 500
    assert steps[1] <= 1.1 * steps[0]


@pytest.mark.parametrize("few", [0, 5, 300])
def test_the_newest_acts_of_one_action_cost_the_same_however_long_the_log_is(desk: Desk, few: int) -> None:
    store: Any = desk.store
    costs = []
    for number in (1_000, 100_000):
        fill(desk, number)
        some = "UPDATE acts SET action = 'server.start' WHERE number % ? = 0"
        desk.run(store._thread.run(lambda s=some, n=number: store._db.execute(s, (n // few if few else n + 1,))))
        steps, items = calls(desk, action="server.start", limit=200)
        assert items == min(few, 200)
        costs.append(sum(steps))
    assert costs[1] <= costs[0] + 20, "SQLite is asked every ten steps"
