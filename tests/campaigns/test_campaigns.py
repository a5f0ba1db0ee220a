"""Every campaign in its short form, with its controls. Longer ones: ``make campaigns``."""

from __future__ import annotations

import sys

import pytest

from tests.campaigns import churn, cutpolls, kill, nemesis, powercut, restart, syscalls
from tests.campaigns.record import UNDER_CI, Record, Skipped, played

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="needs fork, /proc, strace and loop devices: Linux"),
]

SEED = 20_260_727


def _short(campaign: str) -> Record:
    plays = {"kill": kill, "syscalls": syscalls, "powercut": powercut, "churn": churn, "restart": restart}
    plays |= {"nemesis": nemesis, "cutpolls": cutpolls}
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


def test_after_a_power_cut_all_that_was_acknowledged_is_there() -> None:
    try:
        record = _short("powercut")
    except Skipped as reason:
        pytest.skip(f"not run here, so nothing is known: {reason}")
    assert record.verdict() == []


def test_of_pages_that_came_worked_and_went_nothing_stays() -> None:
    assert _short("churn").verdict() == []


def test_it_starts_fast_on_a_store_that_a_kill_left_full() -> None:
    assert _short("restart").verdict() == []


def test_whatever_the_nemesis_does_no_job_is_lost_and_none_takes_effect_twice() -> None:
    assert _short("nemesis").verdict() == []


def test_behind_a_proxy_that_cuts_every_poll_no_message_is_lost() -> None:
    assert _short("cutpolls").verdict() == []
