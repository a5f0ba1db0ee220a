"""The contract of a store: lists, counters, and attempts that an earlier run left open."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cancel, Retry, Started, Verdict
from dispatcher.errors import BadRequest
from dispatcher.store.views import cursor_of
from tests.store.contract import FROM_NOTHING, HOLDER, KINDS, Desk, error, lapsed, lost, result
from tests.support.jobs import spec


def _mixed(desk: Desk) -> None:
    """Jobs of two types in most states."""
    for type_name in ("a", "b"):
        jobs = desk.submit(*[spec(type_name) for _ in range(6)], spec(type_name, delay_s=1e6))
        claims = desk.claim(4, type_name)
        desk.turn(reports=[result(claims[0].attempt), error(claims[1].attempt, delay_s=None), error(claims[2].attempt)])
        desk.turn(commands=[Cancel(jobs[5].id, "no")])


def test_a_list_shows_the_newest_first(desk: Desk) -> None:
    jobs = desk.submit(*[spec() for _ in range(5)])
    assert [job.id for job in desk.listed()] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_the_pages_of_a_list_hold_every_job_once(desk: Desk, limit: int) -> None:
    jobs = desk.submit(*[spec() for _ in range(12)])
    pages = list(desk.pages(limit=limit))
    assert all(len(page) <= limit for page in pages)
    assert [job.id for page in pages for job in page] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("type_name", [None, "a", "c"])
def test_filters_show_what_fits_and_no_more(desk: Desk, state: JobState, type_name: str | None) -> None:
    _mixed(desk)
    wanted = [job for job in desk.listed() if job.state is state and type_name in (None, job.type)]
    for limit in (1, 2, 100):
        assert desk.listed(states=(state,), type=type_name, limit=limit) == wanted
    if state in ("running", "queued", "failed", "succeeded") and type_name == "a":
        assert len(wanted) == 1


def test_jobs_that_come_between_two_pages_do_not_disturb_them(desk: Desk) -> None:
    jobs = desk.submit(*[spec() for _ in range(4)])
    pages = desk.pages(limit=2)
    seen = next(pages)
    desk.submit(spec(), spec())
    seen += [job for page in pages for job in page]
    assert [job.id for job in seen] == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize("requires", [(), (("site", "rome"),)])
def test_a_page_names_the_place_where_it_begins_and_no_later_job_stands_there(
    desk: Desk, requires: tuple[tuple[str, str], ...]
) -> None:
    in_rome = (("site", ("rome",)),)
    desk.submit(*[spec() for _ in range(4)])
    page = desk.run(desk.store.jobs(JobFilter(limit=2, requires=requires)))
    desk.submit(spec(requires=in_rome), spec())
    again = desk.run(desk.store.jobs(JobFilter(limit=2, requires=requires, cursor=page.start)))
    assert [job.id for job in again.items] == [job.id for job in page.items]
    assert again.start == page.start


@pytest.mark.parametrize(
    "cursor", ["x", "!", "AAAA", "LTE", "MA", "MS41", "\N{SNOWMAN}", "9" * 99, cursor_of(1 << 80), "1 OR 1=1", "\0"]
)
def test_a_cursor_that_is_not_ours_is_refused(desk: Desk, cursor: str) -> None:
    desk.submit()
    with pytest.raises(BadRequest, match="cursor"):
        desk.run(desk.store.jobs(JobFilter(cursor=cursor)))


def test_a_cursor_stays_good_over_a_restart(durable: Desk) -> None:
    jobs = durable.submit(*[spec() for _ in range(4)])
    page = durable.run(durable.store.jobs(JobFilter(limit=3)))
    durable.reopen()
    rest = durable.run(durable.store.jobs(JobFilter(limit=3, cursor=page.next_cursor)))
    assert [job.id for job in rest.items] == [jobs[0].id]


def test_counts_are_those_of_the_rows(desk: Desk) -> None:
    _mixed(desk)
    rows: dict[str, int] = {}
    for job in desk.listed(limit=100):
        rows[str(job.state)] = rows.get(str(job.state), 0) + 1
    assert desk.counts() == rows
    assert sum(rows.values()) == 14
    by_type = {view.type: {s: n for s, n in view.counts.items() if n} for view in desk.run(desk.store.types())}
    assert by_type["a"] == by_type["b"] == {state: number // 2 for state, number in rows.items()}


def test_counts_are_the_same_after_a_restart(durable: Desk) -> None:
    _mixed(durable)
    before = (durable.counts(), durable.run(durable.store.types()), durable.listed())
    durable.reopen()
    assert (durable.counts(), durable.run(durable.store.types()), durable.listed()) == before
    _mixed(durable)
    assert sum(durable.counts().values()) == 28


def test_everything_about_a_job_outlives_a_restart(durable: Desk) -> None:
    (job,) = durable.submit(spec(key="k", priority=-3, expires_s=1e6, max_crashes=2, data='{"a":1}'))
    for ending in (lapsed, lost, error):
        claim = durable.claim_one()
        if ending is not lapsed:
            durable.report(Started(claim.attempt, HOLDER))
        durable.report(ending(claim.attempt))
        durable.pass_time(5.0)
        durable.turn()
    before = durable.job(job.id)
    durable.reopen()
    assert durable.job(job.id) == before
    assert [attempt.number for attempt in before.attempts] == [None, 1, 2]


@pytest.mark.parametrize("kind", FROM_NOTHING, ids=lambda kind: kind.name)
def test_a_new_store_says_that_it_is_new_and_keeps_its_key(desk: Desk) -> None:
    store = desk.store
    assert store.created
    assert len(store.key) == 32
    desk.reopen()
    assert desk.store is not store
    assert not desk.store.created
    assert (desk.store.key, desk.store.location) == (store.key, store.location)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.durable], ids=lambda kind: kind.name)
def test_a_store_that_does_not_last_is_new_each_time(desk: Desk) -> None:
    desk.submit()
    desk.reopen()
    assert desk.store.created
    assert desk.listed() == []


def test_attempts_that_an_earlier_run_left_are_told_once_more(durable: Desk) -> None:
    started = durable.start()
    instant = durable.job(started.job).started_at
    durable.submit(spec(timeout_s=9.0, max_attempts=7, max_crashes=8), spec())
    offered = durable.claim_one()
    ended = durable.start()
    durable.report(lost(ended.attempt))
    durable.reopen()
    live = {attempt.attempt: attempt for attempt in durable.run(durable.store.live_attempts())}
    assert set(live) == {started.attempt, offered.attempt}
    first, second = live[started.attempt], live[offered.attempt]
    assert (first.job, first.type, first.number, first.started_at) == (started.job, "echo", 1, instant)
    assert (first.worker, first.boot) == (HOLDER.worker, HOLDER.boot)
    assert (second.job, second.started_at, second.worker, second.boot) == (offered.job, None, "", "")
    assert second.terms == Terms(timeout_s=9.0, max_attempts=7, max_crashes=8)
    assert (second.errors, second.crashes) == (0, 0)


def test_attempts_of_an_earlier_run_can_be_ended_and_their_jobs_claimed(durable: Desk) -> None:
    started = durable.start()
    durable.submit()
    offered = durable.claim_one()
    durable.reopen()
    assert durable.report(result(started.attempt)) is Verdict.RECORDED
    assert durable.report(lapsed(offered.attempt)) is Verdict.RECORDED
    assert durable.run(durable.store.live_attempts()) == []
    assert durable.claim_one().job == offered.job


def test_cancelled_and_retried_attempts_are_not_live(durable: Desk) -> None:
    claim = durable.start()
    durable.command(Cancel(claim.job, "stop"))
    durable.command(Retry(claim.job))
    durable.reopen()
    assert durable.run(durable.store.live_attempts()) == []


def test_reads_see_every_turn_that_was_answered(desk: Desk) -> None:
    for n in range(20):
        (job,) = desk.submit()
        assert desk.job(job.id).state == "queued"
        assert desk.listed()[0].id == job.id
        assert desk.counts() == {"queued": n + 1}


def test_a_closed_store_answers_nothing_any_more(durable: Desk) -> None:
    durable.close()
    with pytest.raises(RuntimeError):
        durable.run(durable.store.counts())


def test_attempts_are_in_order_however_the_wall_clock_was_stepped(desk: Desk) -> None:
    first = desk.start()
    desk.report(lapsed(first.attempt))
    desk.now_at -= 100_000.0
    second = desk.claim_one()
    desk.report(result(second.attempt))
    assert [attempt.state for attempt in desk.job(first.job).attempts] == ["lapsed", "succeeded"]


def test_where_a_job_stands_is_known_without_reading_all_of_it(desk: Desk) -> None:
    (job,) = desk.submit(spec())
    assert desk.run(desk.store.state(job.id)) is JobState.QUEUED
    desk.report(result(desk.claim_one().attempt))
    assert desk.run(desk.store.state(job.id)) is JobState.SUCCEEDED
    assert desk.run(desk.store.state("never-was")) is None
