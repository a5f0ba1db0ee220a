"""Every campaign in its short form, with its controls. Longer ones: ``make campaigns``."""

from __future__ import annotations

import sys

import pytest

from tests.campaigns import churn, kill, powercut, restart, syscalls
from tests.campaigns.record import UNDER_CI, Record, Skipped, played

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs fork, /proc, strace and loop devices: Linux"),
]

SEED = 20_260_727


def _short(campaign: str) -> Record:
    plays = {"kill": kill, "syscalls": syscalls, "powercut": powercut, "churn": churn, "restart": restart}
    record = played(campaign, "short", SEED, plays[campaign].play)
    print(record.written())
    return record


def test_killed_under_load_again_and_again_it_keeps_its_promises() -> None:
    assert _short("kill").verdict() == []


def test_killed_or_failed_at_a_system_call_the_store_is_in_the_old_state_or_the_new_one() -> None:
    try:
        record = _short("syscalls")
    except Skipped as reason:
        if UNDER_CI:
            pytest.fail(str(reason), pytrace=False)
        pytest.skip(str(reason))
    assert record.verdict() == []


def test_fault_B01_after_a_power_cut_all_that_was_acknowledged_is_there() -> None:
    try:
        record = _short("powercut")
    except Skipped as reason:
        pytest.skip(f"not run here, so nothing is known: {reason}")
    assert record.verdict() == []


def test_of_pages_that_came_worked_and_went_nothing_stays() -> None:
    assert _short("churn").verdict() == []


def test_it_starts_fast_on_a_store_that_a_kill_left_full() -> None:
    assert _short("restart").verdict() == []
