"""The database's clock counts: nodes whose clocks are an hour apart agree on what is due (I16)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.clock import SystemClock
from dispatcher.core.jobs.turn import Demand, Turn, TurnReport
from dispatcher.store.postgres.clock import DatabaseClock, QueueClock
from tests.store.contract import result
from tests.store.postgres.several import Node, checked, close
from tests.support.clock import ManualClock
from tests.support.jobs import spec
from tests.support.postgres import new_database
from tests.support.waiting import eventually

HOUR = 3_600.0
#: What a database tells while a test runs is within so much of a machine's clock.
NEAR_S = 60.0
WANTS = [Demand(1, ("echo",), 1)]


def _report(next_due_at: float) -> TurnReport:
    return TurnReport(
        verdicts=[], commands=[], accepted=[], claims=[], changes=[], next_due_at=next_due_at, more=False
    )  # fmt: skip


def test_a_turn_is_dated_by_the_database_and_the_node_is_told_by_its_own_clock() -> None:
    machine = ManualClock(utc=1_000.0)
    clock = DatabaseClock(machine.utc)
    clock.look(lambda: 1_000.0 + HOUR)
    assert clock.dated(Turn(now_at=1_000.0, elapsed_s=0.0)).now_at == 1_000.0 + HOUR
    assert clock.told(_report(1_010.0 + HOUR)).next_due_at == 1_010.0


def test_clocks_that_are_nearly_the_same_are_the_same() -> None:
    machine = ManualClock(utc=1_000.0)
    clock = DatabaseClock(machine.utc)
    clock.look(lambda: 1_000.2)
    assert clock.dated(Turn(now_at=1_000.0, elapsed_s=0.0)).now_at == 1_000.0


def test_a_turn_that_waits_for_long_moves_no_clock() -> None:
    machine = ManualClock(utc=1_000.0)
    clock = DatabaseClock(machine.utc)
    machine.advance(5.0)
    clock.seen(1_004.9, 1_000.0)
    assert clock.dated(Turn(now_at=1_005.0, elapsed_s=0.0)).now_at == 1_005.0


def test_a_clock_that_is_set_while_the_node_runs_is_noticed_and_so_is_its_return() -> None:
    machine = ManualClock(utc=1_000.0)
    clock = DatabaseClock(machine.utc)
    machine.step_wall(HOUR)
    clock.seen(1_000.0, machine.utc())
    assert clock.dated(Turn(now_at=machine.utc(), elapsed_s=0.0)).now_at == pytest.approx(1_000.0)
    machine.step_wall(-HOUR)
    clock.seen(1_000.0, machine.utc())
    assert clock.dated(Turn(now_at=1_000.0, elapsed_s=0.0)).now_at == 1_000.0


@pytest.mark.parametrize("skew_s", [HOUR, -HOUR])
def test_a_node_whose_clock_is_wrong_by_an_hour_delays_and_dates_as_the_others_do(
    tmp_path: Path, skew_s: float
) -> None:
    url = new_database()

    async def run() -> None:
        clock = SystemClock()
        one = await Node.open(url, "one", utc=clock.utc)
        two = await Node.open(url, "two", utc=lambda: clock.utc() + skew_s)
        report = await two.turn(submissions=[spec(delay_s=0.3), spec(expires_s=HOUR / 2)])
        [late, waiting] = [accepted.job for accepted in report.accepted]
        assert late is not None
        assert waiting is not None
        assert late.created_at == pytest.approx(clock.utc(), abs=NEAR_S)
        assert report.next_due_at == pytest.approx(clock.utc() + skew_s + 0.3, abs=NEAR_S)
        [claim] = (await one.turn(demand=WANTS)).claims
        assert claim.job == waiting.id
        await two.turn(reports=[result(claim.attempt)])

        async def is_due() -> bool:
            return [claim.job for claim in (await one.turn(demand=WANTS)).claims] == [late.id]

        await eventually(is_due, what="the delay is over")
        await close(one, two)

    asyncio.run(run())
    checked(url, tmp_path)


def test_a_turn_that_comes_late_makes_the_queue_clock_no_faster() -> None:
    """Found by the simulator: each late turn of a node set the clocks of all nodes forward by how late it was."""
    one, two = QueueClock(100.0), QueueClock(100.0)
    for second in range(10):
        late = one.own(second)  # gathered now
        clock = two.own(second + 0.9)
        two.seen(clock, second + 0.9, 0.0)
        one.seen(max(late, clock), second, 0.9)
    assert one.own(10.0) == two.own(10.0) == 110.0


def test_a_node_whose_queue_clock_is_behind_is_set_forward_by_the_lead_of_the_others() -> None:
    clock = QueueClock(100.0)
    clock.seen(150.0, 10.0, 0.5)
    assert (clock.last, clock.own(10.0)) == (150.0, 149.5)
