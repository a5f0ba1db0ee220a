"""What is said about a job: by its state, its reason and its attempts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditEntry
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.views.outlook import Outlook
from handlers.console import sentences
from tests.support.jobs import NOW, attempt_view, job_view

S = JobState
DESK = {"worker": "w", "worker_name": "DESK-2", "number": 1, "offered_at": NOW - 9, "started_at": NOW - 8.5}
#: An attempt that ran for 41 ms; the job's end, if there is one, came much later.
BRIEF = DESK | {"started_at": NOW - 60.041, "stopped_at": NOW - 60, "offered_at": NOW - 61, "created_at": NOW - 62}
ENDED = {"ended_at": NOW}
ERROR = {"error": '{"message": "out of paper"}', "detail": "out of paper"}

#: Every state with every reason it may have: what else the job has, its headline, what a list says, how long it ran.
TABLE = [
    (S.SCHEDULED, None, {"run_at": NOW + 5}, "It may start in 5 s.", "", None),
    (S.SCHEDULED, "error", BRIEF | ERROR | {"run_at": NOW + 5}, "It is tried again in 5 s.", "out of paper", 0.041),
    (S.SCHEDULED, "timed_out", BRIEF | {"run_at": NOW + 5, "detail": "no answer within 3 s"},
     "It is tried again in 5 s.", "no answer within 3 s", 0.041),
    (S.QUEUED, None, {}, "It waits for a worker.", "", None),
    (S.QUEUED, None, BRIEF | {"detail": "the page was closed"},
     "It waits for a worker, for try 2.", "the page was closed", 0.041),
    (S.QUEUED, "error", BRIEF | ERROR, "It waits for a worker, for try 2.", "out of paper", 0.041),
    (S.QUEUED, "timed_out", BRIEF | {"detail": "no answer within 3 s"},
     "It waits for a worker, for try 2.", "no answer within 3 s", 0.041),
    (S.RUNNING, None, {"worker_name": "DESK-2"},
     "It is offered to DESK-2, which has not accepted it yet.", "offered, not accepted yet", None),
    (S.RUNNING, "error", {"worker_name": "DESK-2", "percent": 20.0, "note": "of the try before"},
     "It is offered to DESK-2, which has not accepted it yet.", "offered, not accepted yet", None),
    (S.RUNNING, None, DESK | {"percent": 20.0, "note": "page 1"},
     "It has been running on DESK-2 for 8.5 s.", "20 %: page 1", 8.5),
    (S.RUNNING, "error", DESK | ERROR, "It has been running on DESK-2 for 8.5 s.", "", 8.5),
    (S.RUNNING, "timed_out", DESK, "It has been running on DESK-2 for 8.5 s.", "", 8.5),
    (S.IN_DOUBT, "timed_out", BRIEF | {"timeout_s": 3.0, "detail": "no answer within 3 s"},
     "It gave no answer within 3 s. Nobody knows whether it took effect: a person must decide.",
     "a person must decide: it gave no answer within 3 s", 0.041),
    (S.IN_DOUBT, "lost", BRIEF | {"detail": "the page went away and did not come back"},
     "It was lost: the page went away and did not come back. "
     "Nobody knows whether it took effect: a person must decide.",
     "a person must decide: it was lost: the page went away and did not come back", 0.041),
    (S.IN_DOUBT, "lost", BRIEF | {"detail": "no progress within 2 s"},
     "It was lost: no progress within 2 s. Nobody knows whether it took effect: a person must decide.",
     "a person must decide: it was lost: no progress within 2 s", 0.041),
    (S.IN_DOUBT, "released", BRIEF | {"detail": "the page gave it back: declined"},
     "The page gave it back: declined. Nobody knows whether it took effect: a person must decide.",
     "a person must decide: the page gave it back: declined", 0.041),
    (S.SUCCEEDED, None, DESK | ENDED | {"stopped_at": NOW}, "It has a result, from DESK-2.", "", 8.5),
    (S.SUCCEEDED, None, DESK | ENDED | ERROR | {"stopped_at": NOW, "detail": None},
     "It has a result, from DESK-2.", "", 8.5),
    (S.SUCCEEDED, "decided", BRIEF | {"ended_at": NOW - 20, "detail": "the label is there"},
     "A person decided 20 s ago that it did happen: the label is there.",
     "a person decided: the label is there", 0.041),
    (S.SUCCEEDED, "decided", BRIEF | {"ended_at": NOW - 20, "detail": ""},
     "A person decided 20 s ago that it did happen.", "a person decided", 0.041),
    (S.SUCCEEDED, "adopted", BRIEF | ENDED | ERROR,
     "It failed, and a person accepted its late result, from DESK-2.", "a person accepted its late result", 0.041),
    (S.FAILED, "error", BRIEF | ENDED | ERROR | {"number": 3},
     "It failed after 3 tries: out of paper.", "out of paper", 0.041),
    (S.FAILED, "no_retry", BRIEF | ENDED | ERROR,
     "It failed, and another try cannot help: out of paper.", "out of paper", 0.041),
    (S.FAILED, "timed_out", BRIEF | ENDED | {"number": 2, "timeout_s": 90.0, "detail": "no answer within 90 s"},
     "It failed after 2 tries: no answer within 1 min 30 s.", "no answer within 90 s", 0.041),
    # An earlier try's error does not explain a later timeout.
    (S.FAILED, "timed_out", BRIEF | ENDED | ERROR | {"timeout_s": 3.0, "detail": "no answer within 3 s"},
     "It failed: no answer within 3 s.", "no answer within 3 s", 0.041),
    (S.FAILED, "poison",
     BRIEF | ENDED | ERROR | {"detail": "lost 6 times; the last time because the page was reloaded"},
     "It failed: lost 6 times; the last time because the page was reloaded.",
     "lost 6 times; the last time because the page was reloaded", 0.041),
    (S.FAILED, "unstorable", BRIEF | ENDED | {"detail": "the store cannot hold the result's text"},
     "It failed: the store cannot hold the result's text.", "the store cannot hold the result's text", 0.041),
    (S.FAILED, "decided", BRIEF | {"ended_at": NOW - 20, "detail": "no label. Really!"},
     "A person decided 20 s ago that it did not happen: no label. Really!", "a person decided: no label. Really!",
     0.041),
    (S.CANCELLED, "cancelled", BRIEF | ENDED | ERROR | {"detail": "wrong printer"},
     "Somebody cancelled it: wrong printer.", "wrong printer", 0.041),
    (S.CANCELLED, "cancelled", ENDED | {"detail": ""}, "Somebody cancelled it.", "", None),
    (S.EXPIRED, "expired", ENDED, "It was not started in time.", "", None),
    (S.EXPIRED, "expired", BRIEF | ENDED | ERROR | {"detail": None}, "It was not started in time.", "", 0.041),
]  # fmt: skip


def made(state: JobState, reason: str | None, rest: dict[str, object]) -> JobView:
    return job_view(**({"state": state, "reason": reason} | rest))


@pytest.mark.parametrize(("state", "reason", "rest", "headline", "known", "ran_s"), TABLE)
def test_the_reason_and_the_attempt_say_what_became_of_a_job(
    state: JobState, reason: str | None, rest: dict[str, object], headline: str, known: str, ran_s: float | None
) -> None:
    job = made(state, reason, rest)
    assert sentences.headline(job, NOW).replace("\u00a0", " ") == headline
    assert sentences.to_know(job, None).replace("\u00a0", " ") == known
    assert sentences.ran_s(job, NOW) == (ran_s if ran_s is None else pytest.approx(ran_s, abs=1e-5))


def test_the_table_has_every_state_and_every_reason_that_the_api_tells_of() -> None:
    [row] = re.findall(r"^\| `reason`, `detail` .*$", Path("docs/api.md").read_text("utf-8"), re.MULTILINE)
    reasons = set(re.findall(r"`([a-z_]+)`", row)) - {"reason", "detail"}
    assert {reason for _, reason, *_ in TABLE if reason} == reasons
    assert {state for state, *_ in TABLE} == set(JobState)


def test_a_waiting_job_says_in_a_list_why_it_waits() -> None:
    job = made(S.SCHEDULED, "error", BRIEF | ERROR | {"run_at": NOW + 5})
    assert sentences.to_know(job, "it is tried again") == "it is tried again"


@pytest.mark.parametrize(
    ("state", "rest", "waited_s"),
    [
        (S.QUEUED, {}, 62.0),
        (S.QUEUED, {"ready_at": NOW - 5, "started_at": NOW - 30}, 5.0),
        (S.SCHEDULED, {"run_at": NOW + 5}, None),
        (S.SCHEDULED, {"run_at": NOW + 5, "started_at": NOW - 60}, 2.0),
        (S.RUNNING, {"offered_at": NOW - 1}, 62.0),
        (S.RUNNING, {"started_at": NOW - 10, "ready_at": NOW - 12}, 2.0),
        (S.SUCCEEDED, {"started_at": NOW - 10, "ended_at": NOW}, 52.0),
        (S.FAILED, {"started_at": NOW - 10, "ended_at": NOW, "ready_at": NOW - 20}, 10.0),
        (S.EXPIRED, {"ended_at": NOW - 2}, 60.0),
        (S.CANCELLED, {"started_at": NOW - 30, "ready_at": NOW - 20, "ended_at": NOW}, 20.0),
        (S.QUEUED, {"ready_at": NOW + 5}, 0.0),
    ],
)
def test_a_job_waits_from_when_it_is_ready_until_its_newest_try_starts(
    state: JobState, rest: dict[str, object], waited_s: float | None
) -> None:
    job = made(state, None, {"created_at": NOW - 62} | rest)
    assert sentences.waited_s(job, NOW) == waited_s


def test_a_list_says_one_short_line() -> None:
    job = made(S.CANCELLED, "cancelled", {"detail": "x" * 500 + "\nsecond"})
    assert sentences.to_know(job, None) == "x" * 119 + "…"


def test_the_timeline_is_in_order_with_durations() -> None:
    job = made(S.SUCCEEDED, None, DESK | ENDED | {"run_at": NOW - 10, "worker_name": "", "stopped_at": NOW})
    moments = sentences.timeline(job)
    assert [moment.what for moment in moments] == ["Submitted", "Due", "Offered to w", "Started", "Succeeded"]
    assert [moment.after_s for moment in moments] == [None, 2.0, 1.0, 0.5, 8.5]


@pytest.mark.parametrize(
    ("state", "reason", "ended_at", "last"),
    [
        (S.IN_DOUBT, "timed_out", None, ["Its attempt ended: timed out"]),
        (S.SUCCEEDED, "decided", NOW, ["Its attempt ended: timed out", "A person decided: succeeded"]),
        (S.FAILED, "decided", NOW, ["Its attempt ended: timed out", "A person decided: failed"]),
        (S.SUCCEEDED, "adopted", NOW, ["Its attempt ended: timed out", "A person accepted the late result"]),
        (S.CANCELLED, "cancelled", NOW, ["Its attempt ended: timed out", "Cancelled"]),
        (S.FAILED, "timed_out", NOW - 60, ["Failed"]),
    ],
)
def test_the_timeline_tells_the_attempts_end_from_the_jobs_end(
    state: JobState, reason: str, ended_at: float | None, last: list[str]
) -> None:
    attempts = [attempt_view(state="timed_out", ended_at=NOW - 60)]
    job = made(state, reason, BRIEF | {"ended_at": ended_at, "attempts": attempts})
    moments = sentences.timeline(job)
    assert [moment.what for moment in moments[3:]] == last
    assert moments[3].after_s == pytest.approx(0.041, abs=1e-5)
    assert (state in FINAL) == (ended_at is not None)


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        ({"place": 1, "of": 1, "overtaken_by": 0}, "No other one of its type waits."),
        ({"place": 3, "of": 12, "overtaken_by": 2, "samples": 90, "estimate_s": 40.0},
         "It is the 3rd of 12 of its type; 2 of those before it came later. "
         "It starts in about 40\u00a0s, as such jobs ran in the last 15 minutes."),
        ({"place": 11, "of": 12, "overtaken_by": 1, "samples": 7},
         "It is the 11th of 12 of its type; 1 of those before it came later. "
         "Nobody can say when it starts: only 7 of its type ended in the last 15 minutes."),
        ({"place": 1_001, "of": 1_002, "overtaken_by": 0, "samples": 0},
         "It is the 1,001st of 1,002 of its type. "
         "Nobody can say when it starts: none of its type ended in the last 15 minutes."),
        ({"place": None, "of": 5_000, "overtaken_by": 0, "samples": 90},
         "More than 1,000 of 5,000 of its type go before it."),
    ],
)  # fmt: skip
def test_it_is_said_where_a_job_stands_and_when_it_starts(seen: dict[str, Any], says: str) -> None:
    assert sentences.prospects(job_view(), Outlook(**seen)) == says


def test_a_job_that_requires_a_worker_stands_among_those_that_require_the_same() -> None:
    job = job_view(requires=requirement_of({"name": "DESK-1"}))
    few = sentences.prospects(job, Outlook(place=2, of=3, overtaken_by=0))
    assert few == "It is the 2nd of 3 of its type that require the same."
    alone = sentences.prospects(job, Outlook(place=1, of=1, overtaken_by=0))
    assert alone == "No other one waits that requires the same."


@pytest.mark.parametrize(
    ("job", "says"),
    [
        ({"state": S.FAILED, "number": 1}, ""),
        ({"state": S.CANCELLED}, "It had not begun to run. Run again, it waits behind those that wait already."),
        ({"state": S.CANCELLED, "number": 2},
         "It had begun to run. Run again, it begins anew, and what it did may happen a second time."),
        ({"state": S.CANCELLED, "number": 1, "effects": "once"},
         "It had begun to run. Run again, it begins anew, and what it did may happen a second time. "
         "It is to take effect once: make sure first that it has not."),
    ],
)  # fmt: skip
def test_whoever_runs_a_cancelled_job_again_reads_what_that_means(job: dict[str, Any], says: str) -> None:
    assert sentences.run_again(job_view(**job)) == says


@pytest.mark.parametrize(
    ("begun", "says"),
    [
        (0, "None of them had begun to run: taken back, they wait again, behind those that wait already."),
        (1, "1 of them had begun to run: taken back, it runs anew, and what it did may happen a second time."),
        (1_200,
         "1,200 of them had begun to run: taken back, these run anew, and what they did may happen a second time."),
    ],
)  # fmt: skip
def test_whoever_takes_a_cancel_back_reads_what_that_means(begun: int, says: str) -> None:
    assert sentences.taken_back(begun) == says


@pytest.mark.parametrize(
    ("action", "detail", "text"),
    [
        ("worker.pause", "lunch", "lunch"),
        ("worker.change", '{"reason":"it moved","name":"D","labels":{"a":"1","b":null}}',
         "it moved. name: D; label a: 1; label b: taken back"),
        ("worker.change", '{"note":null}', "note: taken back"),
        ("worker.change", '{"note":"cut he', '{"note":"cut he'),
        ("worker.change", "{}", ""),
    ],
)  # fmt: skip
def test_an_act_on_a_worker_says_why_and_what_was_wanted(action: str, detail: str, text: str) -> None:
    assert sentences.told(AuditEntry(at=NOW, actor=Actor("ann"), action=action, detail=detail)) == text
