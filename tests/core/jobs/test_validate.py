"""Each invariant of rows is red for rows that break it, and for no others; the checkers rely on this."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs import validate
from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, Holder, Logged, Settled, Started, Turn, TurnReport, Verdict
from dispatcher.core.jobs.validate import (
    Snapshot,
    attempts_of,
    change_faults,
    count_faults,
    history_faults,
    job_faults,
    snapshot_faults,
    turn_faults,
)
from tests.support.jobs import apart

S = JobState
HOLDER = Holder("w1", "page one", "b1")
#: The columns that belong to a state.
OF_STATE: dict[JobState, dict[str, Any]] = {
    S.SCHEDULED: {"run_at": 130.0},
    S.QUEUED: {"rank": 5.0},
    S.RUNNING: {"rank": 5.0},
    S.IN_DOUBT: {"reason": "lost", "effects": "once"},
    S.SUCCEEDED: {"ended_at": 120.0, "ended_clock": 20.0},
    S.FAILED: {"ended_at": 120.0, "ended_clock": 20.0, "reason": "no_retry"},
    S.CANCELLED: {"ended_at": 120.0, "ended_clock": 20.0, "reason": "cancelled", "attempt": None},
    S.EXPIRED: {"ended_at": 120.0, "ended_clock": 20.0, "expires_at": 120.0, "reason": "expired"},
}
#: How the job's second attempt has ended; the first was lost.
LAST = {
    S.RUNNING: None, S.SUCCEEDED: Cause.SUCCEEDED, S.FAILED: Cause.ERROR, S.CANCELLED: Cause.CANCELLED,
    S.SCHEDULED: Cause.ERROR, S.QUEUED: Cause.LOST, S.IN_DOUBT: Cause.LOST, S.EXPIRED: Cause.LOST,
}  # fmt: skip


def attempt(number: int, cause: Cause | None, **fields: Any) -> AttemptRow:
    """An accepted attempt; it starts at 100 s times its number."""
    at = 90.0 + 10.0 * number
    row: dict[str, Any] = dict.fromkeys(AttemptRow.__struct_fields__) | {
        "id": f"a{number}", "job": 1, "number": number, "offered_at": at, "started_at": at + 1.0, "cause": cause,
        "ended_at": None if cause is None else at + 5.0,
    }  # fmt: skip
    return AttemptRow(**(row | fields))


class Rows:
    """A job of two attempts, in a state."""

    def __init__(self, state: JobState, **fields: Any) -> None:
        row: dict[str, Any] = dict.fromkeys(JobRow.__struct_fields__) | {
            "seq": 1, "state": state, "id": "j1", "type": "a",
            "size": 3, "created_at": 90.0, "fingerprint": "",
            "attempt": "a2", "claims": 2, "number": 2, "errors": 0, "crashes": 0, "offered_at": 110.0,
        }  # fmt: skip
        row |= OF_STATE[state] | {"errors": int(LAST[state] is Cause.ERROR), "crashes": 1}
        terms, others = apart(row | fields)
        self.job = JobRow(**(others | {"terms": terms}))
        self.attempts = [attempt(1, Cause.LOST), attempt(2, LAST[state])]
        self.result = '"done"' if state is S.SUCCEEDED else None

    def last(self, **fields: Any) -> Rows:
        """The same rows with other columns in the last attempt."""
        self.attempts[-1] = replace(self.attempts[-1], **fields)
        return self

    def found(self, **options: Any) -> list[str]:
        return job_faults(self.job, self.attempts, self.result, **options)

    def snapshot(self, **fields: Any) -> Snapshot:
        rows: dict[str, Any] = {
            "jobs": {1: self.job}, "attempts": {1: self.attempts}, "data": {1: "[1]"}, "logs": {1},
            "results": {} if self.result is None else {1: self.result}, "tallies": {("a", str(self.job.state)): (1, 3)},
        }  # fmt: skip
        return Snapshot(**(rows | fields))


def _succeeded_without_a_result() -> Rows:
    rows = Rows(S.SUCCEEDED)
    rows.result = None
    return rows


def _failed_with_a_result() -> Rows:
    rows = Rows(S.FAILED)
    rows.result = "1"
    return rows


def _twice() -> Rows:
    rows = Rows(S.SUCCEEDED)
    rows.attempts[0] = attempt(1, Cause.LOST, late_at=118.0)
    return rows


def _of_an_older_one() -> Rows:
    rows = Rows(S.SUCCEEDED, crashes=0, attempt="a2").last(cause=Cause.LOST)
    rows.attempts[0] = attempt(1, Cause.SUCCEEDED)
    return rows


def _without_its_second() -> Rows:
    rows = Rows(S.QUEUED, number=1, attempt="a1")
    del rows.attempts[1]
    return rows


#: Changes that break an invariant, each with the beginning of the finding and a word of it.
BROKEN: list[tuple[str, Rows, str]] = [
    ("succeeded without a result", _succeeded_without_a_result(), "I4: j1 is succeeded without"),
    ("a result of a job that failed", _failed_with_a_result(), "I4: j1 is failed with"),
    ("two attempts have succeeded", _twice(), "I4: j1 is succeeded because of None, and 2"),
    ("none has, and no person", Rows(S.SUCCEEDED).last(cause=Cause.LOST), "I4: j1 is succeeded because of None, and 0"),
    ("one has, and a person decided", Rows(S.SUCCEEDED, reason="decided"), "I4: j1 is succeeded because of decided"),
    ("one has, and the job failed", Rows(S.FAILED, errors=0).last(cause=Cause.SUCCEEDED), "I4: j1 is failed because"),
    ("the result of an older attempt", _of_an_older_one(), "I5: the result of j1"),
    ("an older attempt could end it", Rows(S.QUEUED, attempt="a1"), "I5: a1 could end j1"),
    ("an attempt that is not there could end it", Rows(S.QUEUED, attempt="a3"), "I5: a3 could end j1"),
    ("running, and nobody has it", Rows(S.RUNNING).last(cause=Cause.LOST, ended_at=118.0), "I7: j1 is running"),
    ("final, and somebody has it", Rows(S.FAILED, errors=0).last(cause=None, ended_at=None), "I7: j1 is failed"),
    ("errors over the limit", Rows(S.FAILED, errors=1, max_attempts=0), "I11: j1 has 1 errors and timeouts of 0"),
    ("open without attempts left", Rows(S.SCHEDULED, max_attempts=1), "I11: j1 has used up its attempts"),
    ("errors that no attempt had", Rows(S.FAILED, errors=2), "I11: j1 has 2 errors and timeouts, more"),
    ("numbers with a gap", Rows(S.FAILED).last(number=3), "I11: the numbers of j1 are [1, 3]"),
    ("a try that was not counted", Rows(S.FAILED, number=1), "I11: the numbers of j1"),
    ("a number without a beginning", Rows(S.QUEUED, number=1).last(started_at=None), "I11: a2 began at None"),
    ("an end without an instant", Rows(S.FAILED).last(ended_at=None), "I11: a2 has the end error at None"),
    ("an instant without an end", Rows(S.RUNNING).last(ended_at=118.0), "I11: a2 has the end None at 118.0"),
    ("two ends", Rows(S.SUCCEEDED).last(late_at=119.0), "I11: a2 has the end succeeded and a late one"),
    ("crashes over the limit", Rows(S.FAILED, reason="poison", max_crashes=-1), "I12: j1 has 1 crashes of -1"),
    ("crashes used up, and open", Rows(S.RUNNING, max_crashes=0), "I12: j1 has used up its crashes and is running"),
    ("crashes used up, and no poison", Rows(S.FAILED, max_crashes=0), "I12: j1 has used up its crashes and is failed"),
    ("crashes that no attempt had", Rows(S.FAILED, crashes=2), "I12: j1 has 2 crashes, more"),
    ("scheduled for no time", Rows(S.SCHEDULED, run_at=None), "I13: j1 is scheduled and its time is None"),
    ("a time, and not scheduled", Rows(S.QUEUED, run_at=130.0), "I13: j1 is queued and its time is 130.0"),
    ("expired early", Rows(S.EXPIRED, expires_at=121.0), "I13: j1 expired at 120.0, before 121.0"),
    ("expired without an expiry", Rows(S.EXPIRED, expires_at=None), "I13: j1 expired at 120.0, before None"),
    ("offered after its expiry", Rows(S.RUNNING, expires_at=110.0), "I13: a2 was offered at 110.0"),
    ("final without an instant", Rows(S.FAILED, ended_at=None), "I17: j1 is failed and ended at None"),
    ("an end of an open job", Rows(S.QUEUED, ended_at=120.0), "I17: j1 is queued and ended at 120.0"),
    ("an attempt is missing", _without_its_second(), "I17: j1 was claimed 2 times and has 1 attempts"),
    ("answered, and never begun", Rows(S.FAILED, number=1).last(started_at=None, number=None), "I17: a2 was answered"),
    (
        "a timeline out of order",
        Rows(S.FAILED).last(ended_at=110.5),
        "I17: the timeline of a2 is [110.0, 111.0",
    ),
    ("cancelled, and it could still end", Rows(S.CANCELLED, attempt="a2"), "I30: j1 is cancelled, and a2"),
    ("no doubt where it may be repeated", Rows(S.IN_DOUBT, effects="repeat"), "S15b: j1 is in doubt, and may"),
    ("no doubt without a loss", Rows(S.IN_DOUBT, reason="error"), "S15b: j1 is in doubt because of error, which"),
    (
        "a doubt of something else",
        Rows(S.IN_DOUBT, reason="timed_out"),
        "S15b: j1 is in doubt because of timed_out, and",
    ),
    ("queued without a rank", Rows(S.QUEUED, rank=None), "S17: j1 is queued and its rank is None"),
    ("a rank of a job that waits for a time", Rows(S.SCHEDULED, rank=5.0), "S17: j1 is scheduled"),
    ("ended by no clock", Rows(S.FAILED, ended_clock=None), "S32: j1 is failed and ended at None of the queue clock"),
    ("backs off, and is not scheduled", Rows(S.QUEUED, backoff_until=30.0), "S32: j1 is queued and backs off"),
]


@pytest.mark.parametrize("state", JobState)
def test_nothing_is_wrong_with_sound_rows_of_each_state(state: JobState) -> None:
    rows = Rows(state)
    assert rows.found() == []
    assert snapshot_faults(rows.snapshot()) == []
    assert history_faults(rows.snapshot(), rows.snapshot()) == []


@pytest.mark.parametrize(("rows", "fault"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_rows_that_break_an_invariant_break_that_one_alone(rows: Rows, fault: str) -> None:
    [found] = rows.found()
    assert found.startswith(fault)


def test_every_sentence_of_a_job_was_seen() -> None:
    text = Path(validate.__file__).read_text("utf-8")
    rules = text[text.index("def _state(") : text.index("# All rows")]
    sentences = {re.split(r"\{", sentence)[0] for sentence in re.findall(r'yield f"([^"]+)', rules)}
    assert {sentence for sentence in sentences if not any(fault.startswith(sentence) for *_, fault in BROKEN)} == set()


def test_an_offer_of_which_nothing_is_written_yet_is_an_attempt_that_lives() -> None:
    rows = Rows(S.RUNNING, number=1)
    del rows.attempts[1]
    assert rows.found() == []
    assert [row.id for row in attempts_of(rows.job, rows.attempts)] == ["a1", "a2"]
    rows.job.offered_at = None
    assert [fault[:3] for fault in rows.found()] == ["I7:", "I5:", "I17"]


def test_a_lapse_a_late_result_a_last_chance_and_a_persons_decision_are_sound() -> None:
    lapsed = Rows(S.QUEUED, number=1, crashes=0).last(cause=Cause.LAPSED, started_at=None, number=None)
    late = Rows(S.SUCCEEDED).last(cause=Cause.TIMED_OUT, late_at=119.0)
    decided = Rows(S.SUCCEEDED, effects="once", reason="decided").last(cause=Cause.LOST)
    retried = Rows(S.QUEUED, attempt=None, errors=0, crashes=0).last(cause=Cause.CANCELLED)
    poison = Rows(S.FAILED, max_crashes=0, reason="poison")
    last_chance = Rows(S.QUEUED, max_crashes=1)
    adopted = Rows(S.SUCCEEDED, max_crashes=0, reason="adopted").last(cause=Cause.LOST)
    assert [rows.found() for rows in (lapsed, late, decided, retried, last_chance, poison, adopted)] == [[]] * 7


def test_where_the_wall_clock_was_stepped_instants_prove_no_order() -> None:
    rows = Rows(S.FAILED).last(ended_at=50.0)
    assert rows.found(wall_stepped=True) == snapshot_faults(rows.snapshot(), wall_stepped=True) == []
    assert len(rows.found()) == len(snapshot_faults(rows.snapshot())) == 1


# all rows

JOB = Rows(S.QUEUED).job
#: The counters of that job.
QUEUED = {("a", "queued"): (1, 3)}
STRAY = {"attempts": {1: Rows(S.QUEUED).attempts, 2: []}}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"data": {}}, "I1: j1 has lost its data"),
        ({"data": {1: "1", 2: "2"}}, "I2: there are data of job 2, which is not there"),
        ({"results": {2: "2"}}, "I2: there are results of job 2, which is not there"),
        (STRAY, "I2: there are attempts of job 2, which is not there"),
        ({"logs": [2]}, "I2: there are log lines of job 2, which is not there"),
        ({"tallies": {}}, "I18: (0, 0) jobs and bytes are counted as queued in lane a, there are (1, 3)"),
        ({"tallies": QUEUED | {("a", "queued"): (1, 4)}}, "I18: (1, 4) jobs and bytes are counted as queued in lane a"),
        ({"tallies": QUEUED | {("b", "failed"): (1, 0)}}, "I18: (1, 0) jobs and bytes are counted as failed in lane b"),
    ],
)
def test_what_a_store_has_lost_made_up_or_miscounted_is_found(fields: dict[str, Any], fault: str) -> None:
    [found] = snapshot_faults(Rows(S.QUEUED).snapshot(**fields))
    assert found.startswith(fault)


def test_a_counter_that_is_down_to_nothing_may_stand_there() -> None:
    assert snapshot_faults(Rows(S.QUEUED).snapshot(tallies=QUEUED | {("b", "failed"): (0, 0)})) == []


@pytest.mark.parametrize(
    ("other", "faults"),
    [
        ({"id": "j2"}, []),
        ({}, ["I2: 2 jobs are j1"]),
        ({"id": "j2", "key": "k"}, ["I3: 2 jobs have the key k"]),
    ],
)
def test_an_id_is_one_jobs_and_a_key_is_too(other: dict[str, Any], faults: list[str]) -> None:
    rows, twin = Rows(S.QUEUED, key="k"), Rows(S.QUEUED, **{"key": "l"} | other)
    both = rows.snapshot(
        jobs={1: rows.job, 2: twin.job}, attempts={1: rows.attempts, 2: twin.attempts}, data={1: "1", 2: "2"},
        tallies={("a", "queued"): (2, 6)},
    )  # fmt: skip
    assert snapshot_faults(both) == faults


def test_a_job_that_is_wrong_is_found_among_all() -> None:
    assert [fault[:4] for fault in snapshot_faults(Rows(S.QUEUED, rank=None).snapshot())] == ["S17:"]


def test_the_counts_that_are_shown_are_those_of_the_rows() -> None:
    assert count_faults([JOB], {"queued": 1, "failed": 0}) == []
    assert count_faults([JOB], {"queued": 2}) == ["I18: the counts shown are {'queued': 2}, there are {'queued': 1}"]
    assert len(count_faults([], {"queued": 1})) == len(count_faults([JOB], {})) == 1


# what may change


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FAILED, S.CANCELLED, S.EXPIRED])
def test_a_final_state_is_for_ever_but_for_a_person_and_a_success_for_all(state: JobState) -> None:
    before, after = Rows(state).job, replace(Rows(S.QUEUED).job, errors=0, crashes=0, expires_at=None)
    after.terms = before.terms
    fault = f"I5: j1 was {state} and has become queued, or was changed otherwise"
    assert change_faults(before, after, by_hand=False) == [fault]
    assert change_faults(before, after, by_hand=True) == ([fault] if state is S.SUCCEEDED else [])
    assert change_faults(before, replace(before, detail="otherwise"), by_hand=False) != []


@pytest.mark.parametrize(("reason", "by_hand", "faults"), [("decided", 1, 0), ("decided", 0, 2), ("adopted", 1, 2)])
def test_a_success_and_its_result_go_only_where_a_person_had_decided_and_a_person_takes_it_back(
    reason: str, by_hand: bool, faults: int
) -> None:
    before = Rows(S.SUCCEEDED, reason=reason).snapshot()
    job = replace(before.jobs[1], state=S.IN_DOUBT, reason="lost")
    after = Rows(S.SUCCEEDED).snapshot(jobs={1: job}, results={})
    found = history_faults(before, after, by_hand={"j1"} if by_hand else ())
    assert [fault[:3] for fault in found] == ["I5:"] * faults


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("key", "other", "I1: key of j1 is not as it was submitted"),
        ("type", "b", "I1: type of j1 is not as it was submitted"),
        ("terms", Terms(max_attempts=9), "I1: max_attempts of j1 is not as it was submitted"),
        ("claims", 1, "I11: claims of j1 went from 2 to 1"),
        ("number", 1, "I11: number of j1 went from 2 to 1"),
    ],
)
@pytest.mark.parametrize("by_hand", [False, True])
def test_what_was_submitted_never_changes_and_tries_are_never_taken_back(
    name: str, value: Any, fault: str, by_hand: bool
) -> None:
    assert change_faults(JOB, replace(JOB, **{name: value}), by_hand=by_hand) == [fault]


def test_only_a_persons_retry_forgets_errors_crashes_and_the_expiry() -> None:
    before = Rows(S.IN_DOUBT, errors=1, expires_at=500.0).job
    after = replace(before, state=S.QUEUED, errors=0, crashes=0, expires_at=None)
    assert change_faults(before, after, by_hand=True) == []
    assert change_faults(before, after, by_hand=False) == [
        "I1: expires_at of j1 is not as it was submitted",
        "I11: errors of j1 went from 1 to 0",
        "I11: crashes of j1 went from 1 to 0",
    ]


def test_a_job_that_vanishes_was_removed_rightly_or_is_lost() -> None:
    before, after = Rows(S.QUEUED).snapshot(), Rows(S.QUEUED).snapshot(jobs={})
    assert history_faults(before, after) == ["I2: j1 was queued and has vanished"]
    assert history_faults(before, after, removed={"j1"}) == []
    assert history_faults(after, before) == []


def test_a_change_of_a_row_from_one_look_to_the_next_is_found_unless_it_is_a_persons() -> None:
    before, after = Rows(S.FAILED).snapshot(), Rows(S.QUEUED, attempt=None, errors=0, crashes=0).snapshot()
    after.attempts[1][:] = before.attempts[1]  # type: ignore[index]
    assert [fault[:9] for fault in history_faults(before, after)] == ["I5: j1 wa"]
    assert history_faults(before, after, by_hand={"j1"}) == []


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"data": {1: "[2]"}}, ["I1: the data of j1 has changed"]),
        ({"results": {1: "2"}}, ["I5: the result of j1 has changed"]),
        ({"results": {}}, ["I5: the result of j1 has changed"]),
        ({"attempts": {1: [attempt(2, Cause.SUCCEEDED)]}}, ["I17: a1 has vanished"]),
        ({"attempts": {}}, ["I17: a1 has vanished", "I17: a2 has vanished"]),
    ],
)
def test_what_was_recorded_is_kept(fields: dict[str, Any], faults: list[str]) -> None:
    rows = Rows(S.SUCCEEDED)
    assert history_faults(rows.snapshot(), rows.snapshot(**fields)) == faults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cause", Cause.LAPSED), ("cause", None), ("ended_at", 119.0), ("started_at", None), ("offered_at", 1.0),
        ("number", 7), ("late_at", 120.0), ("evidence", '"other"'),
    ],
)  # fmt: skip
def test_how_an_attempt_ended_never_changes(name: str, value: Any) -> None:
    before = Rows(S.QUEUED).last(late_at=118.0, evidence='"late"')
    after = Rows(S.QUEUED).last(late_at=118.0, evidence='"late"').last(**{name: value})
    [fault] = history_faults(before.snapshot(), after.snapshot())
    assert fault.startswith(f"I5: the {name} of a2 was")


def test_an_attempt_may_end_begin_late_and_give_up_the_number_of_its_offer() -> None:
    offered = Rows(S.RUNNING).last(started_at=None)
    lapsed = Rows(S.QUEUED).last(started_at=None, number=None, cause=Cause.LAPSED)
    late = Rows(S.QUEUED).last(cause=Cause.LAPSED, late_at=119.0, evidence="1")
    assert history_faults(offered.snapshot(), lapsed.snapshot()) == []
    assert history_faults(lapsed.snapshot(), late.snapshot()) == []


# a turn


def test_of_an_attempt_that_was_revoked_nothing_but_a_line_of_the_log_is_recorded() -> None:
    turn = Turn(
        now_at=1.0, elapsed_s=1.0, reports=[Started("a1", HOLDER), Started("a2", HOLDER), Logged("a1", "stopped")]
    )

    def faults(first: Verdict) -> list[str]:
        verdicts = [Settled("a1", first), Settled("a2", Verdict.RECORDED), Settled("a1", Verdict.RECORDED)]
        report = TurnReport(
            verdicts=verdicts, commands=[], accepted=[], claims=[], changes=[], next_due_at=None, more=False
        )
        return turn_faults(turn, report, {"a1"})

    assert faults(Verdict.STALE) == []
    [fault] = faults(Verdict.RECORDED)
    assert fault.startswith("I30: a1 was revoked")
