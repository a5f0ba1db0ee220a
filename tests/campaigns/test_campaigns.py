"""Every campaign in its short form, with its controls. Longer ones: ``make campaigns``."""

from __future__ import annotations

import sys

import pytest

from tests.campaigns import (
    backup,
    churn,
    cutpolls,
    kill,
    model,
    nemesis,
    nodes,
    powercut,
    restart,
    simulator,
    syscalls,
    webhooks,
)
from tests.campaigns.record import Record, Skipped, played
from tests.support.missing import missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="needs fork, /proc, strace and loop devices: Linux"),
]

SEED = 20_260_727
PLAYS = {
    "kill": kill.play, "syscalls": syscalls.play, "powercut": powercut.play, "churn": churn.play,
    "restart": restart.play, "backup": backup.play, "simulator": simulator.play, "model": model.play,
    "nemesis": nemesis.play, "cutpolls": cutpolls.play, "webhooks": webhooks.play, "nodes": nodes.play,
}  # fmt: skip


def _short(campaign: str) -> Record:
    return _played(campaign, "short")


def _played(campaign: str, form: str) -> Record:
    record = played(campaign, form, SEED, PLAYS[campaign])
    print(record.written())
    return record


def test_fault_A01_killed_under_load_again_and_again_it_keeps_its_promises() -> None:
    assert _short("kill").verdict() == []


def test_fault_A02_killed_or_failed_at_a_system_call_the_store_is_in_the_old_state_or_the_new_one() -> None:
    try:
        record = _short("syscalls")
    except Skipped as reason:
        missing(str(reason))
    assert record.verdict() == []


def test_fault_B01_after_a_power_cut_all_that_was_acknowledged_is_there() -> None:
    try:
        record = _short("powercut")
    except Skipped as reason:
        missing(str(reason))
    assert record.verdict() == []


def test_of_pages_that_came_worked_and_went_nothing_stays() -> None:
    assert _short("churn").verdict() == []


def test_fault_A15_it_starts_fast_on_a_store_that_a_kill_left_full() -> None:
    assert _played("restart", "default").verdict() == [], "at full size: the times are promised for that"


def test_fault_B13_each_backup_under_load_is_whole_and_holds_what_was_acknowledged() -> None:
    assert _short("backup").verdict() == []


def test_in_simulated_farms_with_whatever_faults_no_promise_is_broken() -> None:
    assert _short("simulator").verdict() == []


def test_in_random_lives_the_core_does_what_its_reference_does() -> None:
    assert _short("model").verdict() == []


def test_whatever_the_nemesis_does_no_job_is_lost_and_none_takes_effect_twice() -> None:
    assert _short("nemesis").verdict() == []


def test_behind_a_proxy_that_cuts_every_poll_no_message_is_lost() -> None:
    assert _short("cutpolls").verdict() == []


def test_fault_F08_whatever_a_receiver_of_webhooks_does_each_change_is_told_over_kills_of_the_server() -> None:
    assert _short("webhooks").verdict() == []


def test_of_servers_that_share_a_database_each_may_be_killed_or_stopped_and_the_database_restarted() -> None:
    try:
        record = _short("nodes")
    except Skipped as reason:
        missing(str(reason))
    assert record.verdict() == []
