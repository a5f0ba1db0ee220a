"""The SQLite store looks in its file whether a later life has begun, and a crash takes little of the queue clock."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.errors import StorageTrouble
from dispatcher.store.sqlite.rows import CLOCK_KEPT_S
from tests.store.conftest import OpenDesk
from tests.store.contract import KINDS, Desk, result
from tests.support.jobs import spec

[SQLITE] = [kind for kind in KINDS if kind.name == "sqlite"]


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk(SQLITE)


def _execute(desk: Desk, statement: str) -> list[Any]:
    """Over the store's own connection."""
    store: Any = desk.store
    rows: list[Any] = desk.run(store._thread.run(lambda: store._db.execute(statement).fetchall()))
    return rows


def _clock(desk: Desk) -> float:
    [(clock,)] = _execute(desk, "SELECT value FROM meta WHERE name = 'queue_clock'")
    assert isinstance(clock, float)
    return clock


def _successor(desk: Desk) -> None:
    """What a later life writes first. Over the same connection: while the lock holds no other can write."""
    _execute(desk, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'")


@pytest.mark.parametrize("what", ["a new job", "an end", "nothing for a minute"])
def test_a_store_that_lives_on_behind_its_successor_writes_nothing(desk: Desk, what: str) -> None:
    claim = desk.start()
    if what == "nothing for a minute":
        desk.pass_time(CLOCK_KEPT_S + 1)
    reports, submissions = {"a new job": ([], [spec()]), "an end": ([result(claim.attempt)], [])}.get(what, ([], []))
    turn = desk.make_turn(reports=reports, submissions=submissions)
    _successor(desk)
    before, clock = desk.rows(), _clock(desk)
    with pytest.raises(StorageTrouble, match="life 1 of node '' is over, its life 2 has begun"):
        desk.run(desk.store.apply(turn))
    assert (desk.rows(), _clock(desk)) == (before, clock)


def test_a_store_that_is_closed_behind_its_successor_leaves_the_successors_clock(desk: Desk) -> None:
    desk.pass_time(30.0)
    desk.turn()
    _successor(desk)
    desk.reopen()
    assert _clock(desk) == 0.0


def test_idle_turns_keep_the_queue_clock_once_in_a_while_so_a_crash_takes_no_more(desk: Desk) -> None:
    kept = set()
    for _ in range(60):
        desk.pass_time(5.0)
        desk.turn()
        kept.add(_clock(desk))
        assert desk.elapsed_s - _clock(desk) < CLOCK_KEPT_S + 1
    assert len(kept) <= 1 + 60 * 5.0 / CLOCK_KEPT_S, "the others write nothing"
