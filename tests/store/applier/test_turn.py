"""The rules of a turn without any store: the test answers the applier's requests by hand."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.about import NOTHING_SAID
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cancel, Cause, Demand, Ended, ForgetTypes, OfferedTypes, Retry, Turn, TurnReport
from dispatcher.store.applier.turn import SWEEP, apply
from dispatcher.store.attempts import attempt_id
from dispatcher.store.driving import run
from dispatcher.store.port import Limits
from dispatcher.store.requests import (
    Due,
    DueRows,
    Load,
    Loaded,
    Purge,
    Purged,
    Ready,
    ReadyJob,
    ReadyRows,
    Save,
    Saved,
    Tally,
)
from tests.support.jobs import numbered, spec

NOW = 1_800_000_000.0


def row(seq: int, state: JobState = JobState.QUEUED, **fields: Any) -> JobRow:
    """A job's row as a database has it."""
    known: dict[str, Any] = dict.fromkeys(JobRow.__struct_fields__) | {
        "seq": seq, "state": state, "rank": float(seq), "claims": 0, "number": 0, "errors": 0, "crashes": 0,
        "id": f"j{seq}", "type": "echo", "terms": Terms(), "size": 1, "created_at": NOW - 60.0, "fingerprint": "",
        "about": NOTHING_SAID,
    }  # fmt: skip
    if state is JobState.RUNNING:
        known |= {"attempt": attempt_id(seq, 0, "s" * 32), "claims": 1, "offered_at": NOW - 1.0}
    return JobRow(**(known | {"about": NOTHING_SAID} | fields))


class Script:
    """Answers requests from rows that the test gives, and keeps what was asked."""

    def __init__(self, *jobs: JobRow, ready: list[JobRow] | None = None, **answers: Any) -> None:
        self.jobs, self.waiting, self.answers = list(jobs), ready or [], answers
        self.asked: list[Any] = []

    def run(self, turn: Turn, **how: Any) -> TurnReport:
        """The turn, to its report."""
        return run(apply(turn, how.pop("limits", Limits()), numbered(), **how), self)

    def load(self, request: Load) -> Loaded:
        self.asked.append(request)
        jobs = {job.seq: job for job in self.jobs}
        usual: dict[str, Any] = {"types": request.types, "types_known": 1, "held": Tally(), "queue_clock": 1_000.0}
        return Loaded(jobs=jobs, attempts={}, histories={}, numbers=range(100, 100 + request.numbers), **usual)

    def due(self, request: Due) -> DueRows:
        self.asked.append(request)
        found: DueRows = self.answers.get("due", DueRows([], [], None, None))
        return found

    def ready(self, request: Ready) -> ReadyRows:
        self.asked.append(request)
        groups = [[ReadyJob(job, '"data"') for job in self.waiting[: group.most]] for group in request.groups]
        return ReadyRows(groups, {seq: '"own"' for seq in request.in_hand}, {})

    def purge(self, request: Purge) -> Purged:
        self.asked.append(request)
        return Purged(self.answers.get("outlived", []))

    def save(self, request: Save) -> Saved:
        self.asked.append(request)
        self.saved = request
        return Saved(dict.fromkeys(request.lanes, 0))

    def kinds(self) -> list[str]:
        """The requests, in order."""
        return [type(request).__name__ for request in self.asked]


def turn(**items: Any) -> Turn:
    return Turn(now_at=NOW, elapsed_s=1.0, **items)


def lost(job: JobRow) -> Ended:
    return Ended(job.attempt or "", Cause.LOST, Event.REQUEUE)


@pytest.mark.parametrize("size", [0, 1, 500])
def test_a_turn_makes_at_most_five_requests_whatever_its_size(size: int) -> None:
    running = [row(seq, JobState.RUNNING) for seq in range(1, size + 1)]
    script = Script(*running, ready=[row(seq) for seq in range(2_000, 2_000 + size)])
    script.run(
        turn(
            reports=[lost(job) for job in running],
            commands=[OfferedTypes(("echo",)), ForgetTypes(frozenset({"echo"}))],
            submissions=[spec() for _ in range(size)],
            demand=[Demand(1, ("echo",), 2 * size)],
        ),
        purge=True,
    )
    asks = ["Load", "Due", "Ready", "Purge", "Save"]
    assert script.kinds() == [kind for kind in asks if kind != "Ready" or size]


def test_a_part_of_a_turn_leaves_what_is_due_and_the_demand_to_a_later_one() -> None:
    script = Script()
    script.run(turn(submissions=[spec()], demand=[Demand(1, ("echo",), 1)]), whole=False)
    assert script.kinds() == ["Load", "Save"]


def test_a_job_that_is_claimed_in_the_turn_that_submits_it_is_written_once() -> None:
    script = Script()
    report = script.run(turn(submissions=[spec(data="[1]")], demand=[Demand(7, ("echo",), 1)]))
    (claim,) = report.claims
    assert (claim.pool, claim.data, claim.job) == (7, "[1]", "job-1")
    assert [job.state for job in script.saved.writes.new.values()] == [JobState.RUNNING]
    assert (script.saved.writes.changed(), script.saved.writes.only_claimed()) == ([], [])
    assert [(change.old, change.new) for change in report.changes] == [(None, "queued"), ("queued", "running")]


def test_a_job_that_comes_back_stands_among_the_others_by_its_rank() -> None:
    back = row(5, JobState.RUNNING, rank=1.5)
    script = Script(back, ready=[row(1), row(2), row(3)])
    report = script.run(turn(reports=[lost(back)], demand=[Demand(1, ("echo",), 2)]))
    assert [(claim.job, claim.data) for claim in report.claims] == [("j1", '"data"'), ("j5", '"own"')]


def test_a_row_in_hand_counts_and_not_what_the_database_says_of_it() -> None:
    waits = row(1)
    script = Script(waits, ready=[row(1), row(2)])
    report = script.run(turn(commands=[Cancel("j1", "no", Actor("anna"))], demand=[Demand(1, ("echo",), 1)]))
    assert [claim.job for claim in report.claims] == ["j2"]
    assert [(change.job, change.new, change.actor) for change in report.changes] == [
        ("j1", "cancelled", "anna"),
        ("j2", "running", ""),
    ]
    (ready,) = [request for request in script.asked if isinstance(request, Ready)]
    assert ready.groups[0].most == 2, "one more than is wanted, for one that is not ready any more"


def test_a_row_in_hand_that_was_only_looked_at_can_be_claimed() -> None:
    script = Script(row(1), ready=[row(1)])
    report = script.run(turn(commands=[Retry("j1")], demand=[Demand(1, ("echo",), 1)]))
    assert not report.commands[0].done, "it waits already"
    assert [claim.job for claim in report.claims] == ["j1"]


def test_what_was_cancelled_in_the_same_turn_is_not_due() -> None:
    scheduled = row(1, JobState.SCHEDULED, rank=None, run_at=NOW - 1.0)
    due = DueRows([], [row(1, JobState.SCHEDULED, rank=None, run_at=NOW - 1.0)], None, None)
    script = Script(scheduled, due=due)
    report = script.run(turn(commands=[Cancel("j1", "no")]))
    assert [change.new for change in report.changes] == ["cancelled"]


def test_a_due_job_that_the_turn_has_in_hand_unchanged_is_moved() -> None:
    scheduled = row(1, JobState.SCHEDULED, rank=None, run_at=NOW - 1.0)
    script = Script(scheduled, due=DueRows([], [row(1, JobState.SCHEDULED, rank=None, run_at=NOW - 1.0)], None, None))
    report = script.run(turn(commands=[Retry("j1")]))
    assert [change.new for change in report.changes] == ["queued"]


def test_a_job_that_comes_back_after_its_expiry_expires() -> None:
    back = row(1, JobState.RUNNING, expires_at=NOW - 1.0)
    report = Script(back).run(turn(reports=[lost(back)]))
    assert [change.new for change in report.changes] == ["queued", "expired"]


def test_a_job_that_began_another_round_in_this_turn_does_not_expire_by_the_old_one() -> None:
    """A retry takes the expiry away; the database does not know of it yet."""
    old: dict[str, Any] = {"expires_at": NOW - 1.0}
    script = Script(row(1, **old), due=DueRows([row(1, **old)], [], None, None))
    report = script.run(turn(commands=[Cancel("j1", "no"), Retry("j1")]))
    assert [change.new for change in report.changes] == ["cancelled", "queued"]


def test_what_is_next_due_is_the_earliest_of_the_store_and_of_the_turn() -> None:
    for delay_s, earliest in ((5.0, NOW + 5.0), (50.0, NOW + 20.0)):
        script = Script(due=DueRows([], [], NOW + 20.0, 1_040.0))
        report = script.run(turn(submissions=[spec(delay_s=delay_s)]))
        assert (report.next_due_at, script.saved.next_due_at) == (earliest, NOW + delay_s)
        assert report.next_backoff_s == 41.0, "by the time since the store was opened"


def test_more_is_due_than_one_turn_moves() -> None:
    due = [row(seq, JobState.SCHEDULED, rank=None, run_at=NOW) for seq in range(1, SWEEP + 1)]
    assert Script(due=DueRows([], due, None, None)).run(turn()).more
    assert not Script(due=DueRows([], due[1:], None, None)).run(turn()).more


def test_counters_are_told_as_what_is_to_be_added() -> None:
    ended = row(1, JobState.RUNNING)
    done = Ended(ended.attempt or "", Cause.SUCCEEDED, Event.SUCCEED, value="1", implies_accept=True)
    script = Script(ended, outlived=[row(9, JobState.FAILED, size=4)])
    script.run(turn(reports=[done], submissions=[spec(data="123")]), purge=True)
    moves = {key: (tally.jobs, tally.bytes) for key, tally in script.saved.deltas.items()}
    assert moves == {
        ("echo", "running"): (-1, -1),
        ("echo", "succeeded"): (1, 1),
        ("echo", "queued"): (1, 3),
        ("echo", "failed"): (-1, -4),
    }
    assert [job.id for job in script.saved.writes.done.values()] == ["j1"]


def test_a_purge_spares_the_ended_jobs_that_the_turn_has_in_hand() -> None:
    script = Script(row(1, JobState.FAILED, rank=None), row(2, JobState.RUNNING))
    script.run(turn(commands=[Retry("j1")]), purge=True)
    (purge,) = [request for request in script.asked if isinstance(request, Purge)]
    assert purge.spare == {1}
