"""The 42 flaws of the prototype that this program grew out of, and the test that keeps each from coming back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

#: Flaw -> what it was, and the test (file::name), or ``later: topic``.
FLAWS = {
    "P1": (
        "all state in memory",
        "crash/test_kill.py::test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed_five_times",
    ),
    "P2": (
        "adding a job raised an error",
        "handlers/api/test_resources.py::test_a_submitted_job_is_answered_with_201_its_address_and_itself",
    ),
    "P3": (
        "the caller's id was taken unchecked, nothing returned",
        "node/test_intake.py::test_the_same_key_gives_the_same_job_and_another_body_a_conflict",
    ),
    "P4": ("always the same first worker", "core/model/test_seed.py::test_p04_every_worker_gets_its_turn"),
    "P5": (
        "an index out of bounds stalled it for ever",
        "core/model/test_seed.py::test_p05_jobs_go_on_when_the_last_worker_in_line_has_left",
    ),
    "P6": (
        "a worker that left shifted the others' turns",
        "core/model/test_seed.py::test_p06_a_worker_that_leaves_costs_no_other_its_turn",
    ),
    "P7": ("a disconnect lost the job", "core/model/test_seed.py::test_p07_a_job_whose_page_went_away_goes_to_another"),
    "P8": (
        "a disconnect left the job's entry behind",
        "core/workers/test_machine_sessions.py::test_a_closed_connection_starts_the_grace_and_after_it_the_attempt_is_lost",
    ),
    "P9": (
        "a timeout dropped the job",
        "core/model/test_seed.py::test_p09_a_job_that_timed_out_is_tried_again_and_at_last_fails_for_a_reason",
    ),
    "P10": (
        "an old timer ended a later job",
        "core/model/test_seed.py::test_p10_a_timer_of_a_finished_job_does_not_end_the_next",
    ),
    "P11": (
        "a busy page counted as idle after a timeout",
        "core/model/test_seed.py::test_p11_a_page_that_was_timed_out_gets_no_second_job_while_it_may_be_busy",
    ),
    "P12": (
        "a late result ended another job",
        "core/model/test_seed.py::test_p12_a_late_result_does_not_end_the_job_that_its_page_has_now",
    ),
    "P13": ("results could be forged", "core/model/test_seed.py::test_p13_a_forged_result_changes_nothing"),
    "P14": ("results were not stored", "store/test_contract_reports.py::test_a_result_ends_the_job"),
    "P15": (
        "duplicate and late results were unspecified",
        "store/test_contract_reports.py::test_a_repeated_result_is_a_duplicate_after_a_restart_too",
    ),
    "P16": (
        "registering twice left a dead worker in rotation",
        "core/model/test_seed.py::test_p16_a_page_that_registered_thrice_leaves_whole",
    ),
    "P17": (
        "a busy worker held up the others",
        "core/model/test_seed.py::test_p17_a_busy_worker_does_not_hold_up_an_idle_one",
    ),
    "P18": ("two jobs a second", "store/test_contract.py::test_a_slot_that_a_result_frees_is_filled_in_the_same_turn"),
    "P19": (
        "it did not start",
        "e2e/test_fresh_copy.py::test_a_thousand_jobs_through_form_and_api_all_succeed_in_two_real_browsers",
    ),
    "P20": (
        "a job was taken off before it was sent",
        "crash/test_failpoints.py::test_fault_A04_a_job_whose_claim_was_durable_but_never_sent_is_offered_again_at_once",
    ),
    "P21": (
        "a lost message lost the job",
        "core/workers/test_machine_offers.py::test_an_offer_lapses_its_ttl_after_it_was_written",
    ),
    "P22": ("the type was not matched", "core/model/test_seed.py::test_p22_a_worker_gets_only_jobs_of_its_types"),
    "P23": (
        "a task that threw hung",
        "page/test_attempts.py::test_a_task_that_throws_reports_the_error_with_its_stack",
    ),
    "P24": (
        "the task was never called",
        "page/test_browsers.py::test_the_page_gets_ready_and_runs_every_task_that_it_offers",
    ),
    "P25": (
        "the page did not parse in IE 11",
        "page/test_ie11.py::test_a_script_is_es5_and_names_nothing_that_ie11_lacks",
    ),
    "P26": (
        "a result over a new connection was dropped",
        "core/model/test_seed.py::test_p26_a_result_that_comes_over_a_new_session_is_recorded",
    ),
    "P27": (
        "a reload went unnoticed until the timeout",
        "core/model/test_seed.py::test_p27_a_page_that_was_loaded_anew_frees_its_job_at_once",
    ),
    "P28": (
        "two windows were one worker",
        "core/model/test_seed.py::test_p28_a_second_window_of_a_page_takes_nothing_from_the_first",
    ),
    "P29": ("no limit to tries", "core/workers/test_retry.py::test_the_sixth_loss_of_five_is_poison"),
    "P30": (
        "no cancel, delay, priority or timeout of a job's own",
        "core/model/test_seed.py::test_p30_priority_is_a_head_start_and_no_wall",
    ),
    "P31": ("nothing was bounded", "node/test_intake.py::test_a_full_queue_refuses_and_keeps_what_it_has"),
    "P32": (
        "everything was scanned on every event",
        "core/fleet/test_pools.py::test_pools_and_heaps_stay_in_proportion_under_churn",
    ),
    "P33": (
        "nothing was checked",
        "handlers/api/test_resources.py::test_what_is_out_of_range_is_a_422_that_names_every_place",
    ),
    "P34": (
        "anybody was a worker",
        "node/test_service.py::test_a_page_without_the_token_is_told_so_and_gets_nothing",
    ),
    "P35": ("any web page could post", "handlers/test_security.py::test_a_foreign_origin_changes_nothing"),
    "P36": (
        "it shared another server's process",
        "crash/test_stop.py::test_fault_A09_an_idle_server_stops_at_once_by_either_signal_and_leaves_its_store_and_the_reserve",
    ),
    "P37": ("no errors, logs or metrics", "later: metrics"),
    "P38": (
        "each deploy lost what ran",
        "crash/test_stop.py::test_fault_A07_a_job_that_runs_may_end_while_the_server_takes_nothing_new",
    ),
    "P39": (
        "the timer ran from the sending",
        "core/workers/test_machine_offers.py::test_the_timeout_runs_from_the_accept_and_not_from_the_offer",
    ),
    "P40": (
        "no heartbeat",
        "core/workers/test_machine_heartbeat.py::test_silence_of_the_heartbeats_length_loses_the_attempt_exactly_then",
    ),
    "P41": ("one box", "later: several nodes on PostgreSQL"),
    "P42": (
        "a restart forgot deadlines",
        "core/workers/test_machine_restart.py::test_its_own_page_goes_on_with_what_is_left_of_the_timeout",
    ),
}


def names(path: Path) -> set[str]:
    """The tests of a file, also those in classes."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_all_42_flaws_are_listed():
    assert list(FLAWS) == [f"P{n}" for n in range(1, 43)]


def test_little_is_left_for_later():
    assert [flaw for flaw, (_, test) in FLAWS.items() if test.startswith("later: ")] == ["P37", "P41"]


@pytest.mark.parametrize("flaw", [flaw for flaw, (_, test) in FLAWS.items() if not test.startswith("later: ")])
def test_the_test_against_a_flaw_exists(flaw):
    what, test = FLAWS[flaw]
    file, name = test.split("::")
    path = TESTS / file
    assert path.exists(), f"{flaw} ({what}): there is no {file}"
    assert name in names(path), f"{flaw} ({what}): {file} has no {name}"
