"""The contract of a store: how jobs have ended, by type, minute and hour; exact over restarts."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Adopt, Cancel, Cause, Decide, Delete, Ended, Retry, Started
from dispatcher.core.jobs.views.endings import ALL_TYPES, Endings, Summary, steps_of, summary_of
from dispatcher.core.jobs.views.histograms import ERROR, quantile_s
from dispatcher.store.driving import PURGE_EVERY_S
from tests.store.contract import HOLDER, Desk, error, lapsed, lost, result
from tests.support.jobs import spec

HOUR, DAY = 3_600, 86_400


def summary(desk: Desk, type_name: str = "echo", window_s: int = HOUR) -> Summary:
    steps = steps_of(window_s, desk.now_at)
    return summary_of(type_name, steps, desk.run(desk.store.endings.window(type_name, steps)))


def counts(desk: Desk, type_name: str = "echo", window_s: int = HOUR) -> tuple[int, int, int, int]:
    """How many have succeeded, failed, been cancelled, expired."""
    total = summary(desk, type_name, window_s).total
    return total.succeeded, total.failed, total.cancelled, total.expired


def end_one(desk: Desk, *, wait_s: float = 0.0, run_s: float = 0.0, **fields: Any) -> str:
    """A job that waits and runs so long, and succeeds."""
    (job,) = desk.submit(spec(**fields))
    desk.pass_time(wait_s)
    claim = desk.claim_one(job.type)
    desk.report(Started(claim.attempt, HOLDER))
    desk.pass_time(run_s)
    desk.report(result(claim.attempt))
    return job.id


def told(desk: Desk, histogram: str, quantile: float = 0.5) -> float | None:
    return quantile_s(getattr(summary(desk).total, histogram), quantile)


def test_a_new_store_has_counted_nothing(desk: Desk) -> None:
    assert summary(desk).points == []
    assert (summary(desk).total, summary(desk, ALL_TYPES).total) == (Endings(), Endings())


def test_each_outcome_is_counted_by_type_and_for_all_types(desk: Desk) -> None:
    end_one(desk)
    failing = desk.start()
    desk.report(error(failing.attempt, delay_s=None))
    (job,) = desk.submit(spec(type="other"))
    desk.command(Cancel(job.id, "no"))
    desk.submit(spec(expires_s=5.0))
    desk.pass_time(6.0)
    desk.turn()
    assert counts(desk) == (1, 1, 0, 1)
    assert counts(desk, "other") == (0, 0, 1, 0)
    assert counts(desk, ALL_TYPES) == (1, 1, 1, 1)


def test_waits_and_runs_are_told_within_their_error(desk: Desk) -> None:
    end_one(desk, wait_s=7.0, run_s=20.0)
    assert told(desk, "wait") == pytest.approx(7.0, rel=ERROR)
    assert told(desk, "run") == pytest.approx(20.0, rel=ERROR)


def test_what_never_ran_has_no_run(desk: Desk) -> None:
    (job,) = desk.submit(spec())
    desk.pass_time(5.0)
    desk.command(Cancel(job.id, "no"))
    total = summary(desk).total
    assert (total.cancelled, total.wait, total.run) == (1, {}, {})


def test_a_delay_is_no_wait(desk: Desk) -> None:
    desk.submit(spec(delay_s=100.0))
    desk.pass_time(103.0)
    desk.turn()
    desk.pass_time(4.0)
    claim = desk.claim_one()
    desk.report(result(claim.attempt))
    assert told(desk, "wait") == pytest.approx(4.0, rel=ERROR)


def test_the_try_that_ends_a_job_counts_and_not_the_ones_before(desk: Desk) -> None:
    first = desk.start()
    desk.pass_time(50.0)
    desk.report(error(first.attempt, delay_s=30.0))
    desk.pass_time(31.0)
    desk.turn()
    desk.pass_time(2.0)
    second = desk.claim_one()
    desk.report(Started(second.attempt, HOLDER))
    desk.pass_time(9.0)
    desk.report(result(second.attempt))
    assert told(desk, "wait") == pytest.approx(2.0, rel=ERROR)
    assert told(desk, "run") == pytest.approx(9.0, rel=ERROR)
    assert counts(desk) == (1, 0, 0, 0)


def test_a_wait_goes_on_over_an_offer_that_lapsed_and_begins_anew_after_a_loss(desk: Desk) -> None:
    desk.submit(spec())
    desk.pass_time(5.0)
    desk.report(lapsed(desk.claim_one().attempt))
    desk.pass_time(5.0)
    claim = desk.claim_one()
    desk.report(result(claim.attempt))
    assert told(desk, "wait") == pytest.approx(10.0, rel=ERROR)
    again = desk.start()
    desk.pass_time(60.0)
    desk.report(lost(again.attempt))
    desk.pass_time(3.0)
    claim = desk.claim_one()
    desk.report(result(claim.attempt))
    assert told(desk, "wait", 0.1) == pytest.approx(3.0, rel=ERROR)


def test_a_late_result_ends_its_run_when_it_comes(desk: Desk) -> None:
    claim = desk.start()
    desk.pass_time(10.0)
    desk.report(error(claim.attempt, delay_s=30.0))
    desk.pass_time(5.0)
    desk.report(result(claim.attempt))
    assert counts(desk) == (1, 0, 0, 0)
    assert told(desk, "run") == pytest.approx(15.0, rel=ERROR)


def test_a_late_result_of_a_job_that_was_ready_again_has_no_wait(desk: Desk) -> None:
    claim = desk.start()
    desk.pass_time(10.0)
    desk.report(lost(claim.attempt))
    desk.report(result(claim.attempt))
    total = summary(desk).total
    assert (total.succeeded, total.wait, sum(total.run.values())) == (1, {}, 1)


def test_each_end_of_a_retried_job_counts(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=None))
    desk.command(Retry(claim.job))
    desk.pass_time(8.0)
    desk.report(result(desk.claim_one().attempt))
    assert counts(desk) == (1, 1, 0, 0)
    assert told(desk, "wait", 0.9) == pytest.approx(8.0, rel=ERROR), "from the retry on"


def test_a_failed_job_whose_late_answer_is_taken_has_ended_once(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=None))
    desk.report(result(claim.attempt))
    assert desk.command(Adopt(claim.job)).done
    assert counts(desk) == (0, 1, 0, 0)


def test_what_a_person_has_decided_has_no_run(desk: Desk) -> None:
    claim = desk.start(effects="once")
    desk.report(in_doubt(claim.attempt))
    desk.pass_time(HOUR - 100)
    assert desk.command(Decide(claim.job, '"yes"', "looked")).done
    total = summary(desk).total
    assert (total.succeeded, total.run, total.wait) == (1, {}, {})


def in_doubt(attempt: str) -> Ended:
    return Ended(attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", detail="gone")


def test_a_window_is_told_in_minutes_and_a_long_one_in_hours(desk: Desk) -> None:
    desk.pass_time(HOUR - desk.now_at % HOUR - 30)
    end_one(desk)
    desk.pass_time(60.0)
    end_one(desk)
    end_one(desk)
    hour = desk.now_at // HOUR * HOUR
    assert [(start, one.jobs) for start, one in summary(desk).points] == [(hour - 60, 1), (hour, 2)]
    long = summary(desk, window_s=DAY).points
    assert [(start, one.jobs) for start, one in long] == [(hour - HOUR, 1), (hour, 2)]


def test_a_short_window_leaves_out_what_ended_before_it(desk: Desk) -> None:
    end_one(desk)
    desk.pass_time(600.0)
    end_one(desk)
    assert (counts(desk, window_s=300)[0], counts(desk, window_s=HOUR)[0]) == (1, 2)


def test_the_rate_is_by_the_hour(desk: Desk) -> None:
    desk.pass_time(60 - desk.now_at % 60)
    for _ in range(6):
        end_one(desk)
        desk.pass_time(300.0)
    assert summary(desk, window_s=1_800).per_hour == pytest.approx(12.0, rel=0.01)


def test_counts_survive_a_restart_and_go_on(durable: Desk) -> None:
    end_one(durable, run_s=20.0)
    end_one(durable, run_s=20.0, key="k")
    before = summary(durable)
    durable.reopen()
    assert summary(durable).total == before.total
    end_one(durable, run_s=20.0)
    durable.reopen()
    assert counts(durable)[0] == 3
    assert counts(durable, ALL_TYPES, DAY)[0] == 3


@pytest.mark.parametrize("gap_s", [0.0, 0.4, 3.0])
def test_no_end_is_lost_or_counted_twice_however_often_it_restarts(durable: Desk, gap_s: float) -> None:
    for number in range(1, 8):
        end_one(durable)
        durable.pass_time(gap_s)
        durable.reopen()
        assert counts(durable)[0] == number


def test_ends_at_one_instant_of_the_queue_clock_in_several_turns_are_all_kept(durable: Desk) -> None:
    claims = [durable.start() for _ in range(3)]
    durable.pass_time(5.0)
    for claim in claims:
        at_s = durable.elapsed_s
        durable.report(result(claim.attempt))
        durable.elapsed_s = at_s
    durable.reopen()
    assert counts(durable)[0] == 3


def test_the_end_of_a_job_that_is_removed_at_once_is_kept(durable: Desk) -> None:
    job = end_one(durable)
    assert durable.command(Delete(job)).done
    durable.reopen()
    assert counts(durable)[0] == 1


def test_the_end_of_a_job_that_is_retried_at_once_is_kept(durable: Desk) -> None:
    claim = durable.start()
    durable.report(error(claim.attempt, delay_s=None))
    durable.command(Retry(claim.job))
    durable.reopen()
    assert counts(durable) == (0, 1, 0, 0)


def test_the_end_of_a_job_that_ends_and_is_removed_in_one_turn_is_kept(durable: Desk) -> None:
    (job,) = durable.submit(spec())
    durable.turn(commands=[Cancel(job.id, "no"), Delete(job.id)])
    durable.reopen()
    assert counts(durable) == (0, 0, 1, 0)


def test_the_end_of_a_job_whose_retention_is_over_at_once_is_kept(durable: Desk) -> None:
    durable.reopen(retention_s=0.001)
    job = end_one(durable)
    durable.reopen()
    purge(durable)
    assert durable.run(durable.store.job(job)) is None
    durable.reopen()
    assert counts(durable)[0] == 1


def test_an_item_that_cannot_be_stored_changes_no_count(desk: Desk) -> None:
    end_one(desk)
    claims = [desk.start(), desk.start()]
    bad = error(claims[1].attempt, delay_s=None, text='"\ud800"')
    desk.turn(reports=[result(claims[0].attempt), bad], submissions=[spec()])
    assert counts(desk)[:2] == (2, 0)
    if desk.kind.durable:
        desk.reopen()
        assert counts(desk)[:2] == (2, 0)


def test_minutes_are_kept_for_a_day_and_hours_for_thirty(desk: Desk) -> None:
    end_one(desk)
    desk.pass_time(DAY + 200)
    purge(desk)
    steps = steps_of(6 * HOUR, desk.now_at - DAY + HOUR)
    assert desk.run(desk.store.endings.window("echo", steps)) == []
    assert counts(desk, window_s=2 * DAY)[0] == 1
    desk.pass_time(29 * DAY - HOUR)
    purge(desk)
    assert counts(desk, window_s=30 * DAY)[0] == 1
    desk.pass_time(3 * HOUR)
    purge(desk)
    steps = steps_of(30 * DAY, desk.now_at - DAY)
    assert desk.run(desk.store.endings.window("echo", steps)) == []


def purge(desk: Desk) -> None:
    """Turns that look for what is old, until nothing is left: also for what only the first of them has written."""
    for _ in range(2):
        desk.pass_time(PURGE_EVERY_S)
        while desk.turn().more:
            pass


def test_several_types_are_told_at_once_as_one_after_the_other(desk: Desk) -> None:
    end_one(desk, run_s=5.0)
    end_one(desk, type="other", run_s=70.0)
    steps = steps_of(HOUR, desk.now_at)
    names = ["other", "never", "echo", ALL_TYPES]
    found = desk.run(desk.store.endings.windows(names, steps))
    assert list(found) == names
    for name in names:
        alone = desk.run(desk.store.endings.window(name, steps))
        assert summary_of(name, steps, found[name]) == summary_of(name, steps, alone)
    assert summary_of("echo", steps, found["echo"]).total.jobs == 1
    assert desk.run(desk.store.endings.windows([], steps)) == {}


def test_the_types_of_an_hour_come_with_those_that_failed_most_first(desk: Desk) -> None:
    hour = int(desk.now_at // HOUR) * HOUR

    def types(most: int = 9, at: int = hour) -> list[str]:
        return desk.run(desk.store.endings.types_of(at, most))

    assert types() == []
    for name, number in (("few", 1), ("many", 3), ("also", 1)):
        for _ in range(number):
            end_one(desk, type=name)
    desk.submit(spec(type="bad"))
    failing = desk.claim_one("bad")
    desk.report(Started(failing.attempt, HOLDER))
    desk.report(error(failing.attempt, delay_s=None))
    assert set(types()) == {"bad", "many", "also", "few"}, "also what ended just now"
    desk.pass_time(2.0)
    desk.submit(spec(type="other"))
    end_one(desk, type="late")
    desk.pass_time(2.0)
    end_one(desk, type="few")
    assert types()[:2] == ["bad", "many"]
    assert types(2) == ["bad", "many"]
    assert types(at=hour - HOUR) == types(at=hour + HOUR) == []
