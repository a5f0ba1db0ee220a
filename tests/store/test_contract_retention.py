"""The contract of a store: jobs that have ended go when their retention has passed, nothing else ever does (S24)."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.keys import KEY_S
from dispatcher.core.jobs.turn import Cancel, Logged, Retry, Verdict
from dispatcher.store.applier.turn import PURGE
from dispatcher.store.driving import PURGE_EVERY_S
from tests.store.conftest import OpenDesk
from tests.store.contract import DURABLE, Desk, Kind, error, result
from tests.support.jobs import spec

RETENTION_S = 1_000


@pytest.fixture
def desk(open_desk: OpenDesk, kind: Kind) -> Desk:
    """A store that keeps ended jobs for a while."""
    return open_desk(kind, retention_s=RETENTION_S)


def _pass(desk: Desk, seconds: float) -> None:
    """Time passes, and turns come as long as the store wants them."""
    desk.pass_time(seconds)
    while desk.turn().more:
        pass


def test_an_ended_job_is_kept_for_its_retention_and_then_goes_with_all_that_was_of_it(desk: Desk) -> None:
    claim = desk.start()
    desk.report(Logged(claim.attempt, "line"))
    desk.report(result(claim.attempt))
    _pass(desk, RETENTION_S - 1)
    assert desk.job(claim.job).log
    _pass(desk, PURGE_EVERY_S + 1)
    assert desk.run(desk.store.job(claim.job)) is None
    assert (desk.listed(), desk.counts()) == ([], {})
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    assert not desk.command(Retry(claim.job)).done
    # Its type stays known.
    assert [view.type for view in desk.run(desk.store.types())] == ["echo"]


def test_open_jobs_stay_however_old_they_are(desk: Desk) -> None:
    running = desk.start()
    failed = desk.start()
    desk.report(error(failed.attempt, delay_s=None))
    waiting = [*desk.submit(spec("other"), spec(delay_s=1e9))]
    desk.command(Retry(failed.job))
    _pass(desk, 100 * RETENTION_S)
    assert desk.states(running.job, failed.job, *(job.id for job in waiting)) == [
        "running",
        "queued",
        "queued",
        "scheduled",
    ]


def test_every_kind_of_end_counts(desk: Desk) -> None:
    failed = desk.start()
    desk.report(error(failed.attempt, delay_s=None))
    (cancelled, _) = desk.submit(spec(), spec("other", expires_s=5.0))
    desk.command(Cancel(cancelled.id, "no"))
    _pass(desk, 10.0)
    assert desk.counts() == {"failed": 1, "cancelled": 1, "expired": 1}
    _pass(desk, RETENTION_S + PURGE_EVERY_S)
    assert (desk.listed(), desk.counts()) == ([], {})


def test_a_key_lives_for_a_day_although_its_job_could_go(desk: Desk) -> None:
    (job,) = desk.submit(spec(key="k"))
    desk.report(result(desk.claim_one().attempt))
    _pass(desk, RETENTION_S + 2 * PURGE_EVERY_S)
    (again,) = desk.turn(submissions=[spec(key="k")]).accepted
    assert (again.replayed, desk.taken(again).id) == (True, job.id)
    _pass(desk, KEY_S)
    (new,) = desk.turn(submissions=[spec(key="k")]).accepted
    assert not new.replayed
    assert desk.taken(new).id != job.id


def test_a_turn_removes_a_slice_and_asks_for_the_next(desk: Desk) -> None:
    total = 2 * PURGE + 7
    desk.submit(*[spec(data=str(n)) for n in range(total)])
    desk.turn(reports=[result(claim.attempt) for claim in desk.claim(total)])
    desk.pass_time(RETENTION_S + PURGE_EVERY_S)
    left = []
    while desk.turn().more:
        left.append(len(desk.listed(limit=100)))
    assert left == [total - PURGE, total - 2 * PURGE]
    assert desk.counts() == {}


def test_room_of_the_queue_and_numbers_of_attempts_are_right_after_a_purge_and_a_restart(open_desk: OpenDesk) -> None:
    for kind in DURABLE:
        desk = open_desk(kind, retention_s=RETENTION_S, queue_depth=2)
        old = desk.start()
        desk.report(result(old.attempt, '"old"'))
        _pass(desk, RETENTION_S + PURGE_EVERY_S)
        desk.reopen()
        new = desk.start()
        assert new.attempt != old.attempt
        assert desk.report(result(old.attempt)) is Verdict.STALE
        job = desk.job(new.job)
        assert (job.result, job.log, len(job.attempts)) == (None, [], 1)
        report = desk.turn(submissions=[spec(), spec()])
        assert [accepted.error for accepted in report.accepted] == [None, "queue_full"]


def test_a_wall_clock_that_was_wrong_for_a_while_removes_nothing(desk: Desk) -> None:
    """A flat battery at the start, say, or a day too many: what it removed would be gone for good."""
    plain, keyed = desk.submit(spec(), spec(key="k"))
    for claim in desk.claim(2):
        desk.report(result(claim.attempt))
    for step_s in (30 * 86_400.0, -60 * 86_400.0):
        desk.now_at += step_s
        desk.pass_time(PURGE_EVERY_S + 1)
        desk.turn()
        assert desk.states(plain.id, keyed.id) == ["succeeded", "succeeded"]


def test_young_jobs_with_keys_do_not_stand_in_the_way_of_old_ones_without(desk: Desk) -> None:
    desk.submit(*[spec(key=f"k{n}") for n in range(60)])
    desk.submit(*[spec() for _ in range(60)])
    for claim in desk.claim(120):
        desk.report(result(claim.attempt))
    desk.pass_time(RETENTION_S + PURGE_EVERY_S)
    assert desk.turn().more
    assert desk.counts() == {"succeeded": 120 - PURGE}
    while desk.turn().more:
        pass
    assert desk.counts() == {"succeeded": 60}
