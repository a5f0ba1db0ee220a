"""A turn whose transaction was rolled back leaves no trace in what the store keeps in memory either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dispatcher.core.jobs.turn import Turn
from tests.store.contract import DURABLE, Desk
from tests.support.jobs import spec


def _roll_back(desk: Desk, turn: Turn) -> None:
    """What SqliteStore does where a commit finds the disk full, or an item cannot be stored."""
    store: Any = desk.store

    def apply() -> None:
        store._db.execute("BEGIN IMMEDIATE")
        store._applier.apply(turn)
        store._db.execute("ROLLBACK")
        store._applier.forget()
        store._rows.reload()

    desk.run(store._thread.run(apply))


def test_what_was_due_in_a_turn_that_was_rolled_back_is_still_due(tmp_path: Path) -> None:
    desk = Desk(DURABLE[0], tmp_path)
    delayed, expiring = desk.submit(spec(delay_s=10.0), spec(expires_s=10.0))
    desk.pass_time(11.0)
    _roll_back(desk, desk.make_turn())
    assert desk.states(delayed.id, expiring.id) == ["scheduled", "queued"]
    desk.turn()
    assert desk.states(delayed.id, expiring.id) == ["queued", "expired"]
    desk.end()


def test_what_a_turn_that_was_rolled_back_expected_is_not_expected(tmp_path: Path) -> None:
    desk = Desk(DURABLE[0], tmp_path)
    _roll_back(desk, desk.make_turn(submissions=[spec(delay_s=10.0)]))
    assert desk.turn().next_due_at is None
    assert desk.counts() == {}
    desk.end()
