"""What an attempt's end means for its job."""

from __future__ import annotations

import random

import pytest

from dispatcher.core.fleet.worker import Attempt, AttemptState
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause
from dispatcher.core.workers.retry import RetryPolicy, after_error, after_loss, after_release, after_timeout
from tests.core.workers.support import claim

POLICY = RetryPolicy()


def attempt(*, restarted=False, went=False, **fields):
    return Attempt(claim("a1", **fields), AttemptState.RUNNING, "w1", "b1", "page", restarted=restarted, went=went)


@pytest.mark.parametrize(("failures", "delay_s"), [(1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (10_000, 300)])
def test_the_backoff_doubles_up_to_five_minutes(failures, delay_s):
    assert POLICY.without_jitter_s(failures) == delay_s


@pytest.mark.parametrize("failures", [1, 2, 5, 8])
def test_jitter_takes_or_adds_a_fifth_at_most_and_uses_the_whole_range(failures):
    exact = POLICY.without_jitter_s(failures)
    rng = random.Random(7)
    delays = [POLICY.delay_s(failures, rng) for _ in range(2_000)]
    assert min(delays) >= exact * 0.8
    assert max(delays) <= min(exact * 1.2, 300)
    assert min(delays) < exact * 0.82
    assert max(delays) > min(exact * 1.18, 299)


def test_no_jitter_goes_beyond_the_longest_backoff():
    rng = random.Random(7)
    assert max(POLICY.delay_s(20, rng) for _ in range(500)) == 300


def test_the_first_backoff_is_the_first_failures():
    ended = after_error(attempt(), "{}", "it failed", True, POLICY, random.Random(1))
    assert 1.6 <= ended.delay_s <= 2.4
    assert (ended.cause, ended.event, ended.reason) == (Cause.ERROR, Event.BACK_OFF, "error")
    assert (ended.counts_error, ended.counts_crash) == (True, False)


@pytest.mark.parametrize(("errors", "event"), [(0, Event.BACK_OFF), (1, Event.BACK_OFF), (2, Event.FAIL)])
def test_the_third_error_of_three_fails_the_job(errors, event):
    ended = after_error(attempt(errors=errors, max_attempts=3), "{}", "", True, POLICY, random.Random(1))
    assert ended.event is event
    assert (ended.delay_s > 0) == (event is Event.BACK_OFF)


def test_an_error_that_must_not_be_retried_fails_the_job_at_once():
    ended = after_error(attempt(), "{}", "", False, POLICY, random.Random(1))
    assert (ended.event, ended.reason, ended.delay_s) == (Event.FAIL, "no_retry", 0)


@pytest.mark.parametrize(("errors", "event"), [(0, Event.BACK_OFF), (2, Event.FAIL)])
def test_a_timeout_uses_up_an_attempt_like_an_error(errors, event):
    ended = after_timeout(attempt(errors=errors, max_attempts=3), POLICY, random.Random(1))
    assert (ended.event, ended.cause, ended.reason) == (event, Cause.TIMED_OUT, "timed_out")
    assert (ended.counts_error, ended.counts_crash) == (True, False)
    assert (ended.delay_s > 0) == (event is Event.BACK_OFF)
    assert "60 s" in (ended.detail or "")


@pytest.mark.parametrize(("crashes", "event"), [(0, Event.REQUEUE), (4, Event.REQUEUE), (5, Event.FAIL)])
def test_the_sixth_loss_of_five_is_poison(crashes, event):
    ended = after_loss(attempt(crashes=crashes, max_crashes=5), "the page went away")
    assert (ended.event, ended.cause) == (event, Cause.LOST)
    assert ended.reason == ("poison" if event is Event.FAIL else None)
    assert ended.detail == (
        "lost 6 times; the last time because the page went away" if ended.reason else "the page went away"
    )
    assert (ended.counts_error, ended.counts_crash) == (False, True)
    assert ended.delay_s == 0


def test_a_loss_through_the_servers_restart_uses_up_nothing():
    ended = after_loss(attempt(crashes=5, max_crashes=5, restarted=True), "the page did not come back")
    assert (ended.event, ended.counts_crash, ended.counts_error) == (Event.REQUEUE, False, False)


def test_what_runs_again_names_the_lane_that_it_returns_to():
    lane = attempt().claim.type
    assert after_loss(attempt(), "the page went away").lane == lane
    assert after_release(attempt(), "the page gave it back").lane == lane
    assert after_loss(attempt(crashes=5, max_crashes=5), "the page went away").lane is None


def test_an_error_implies_that_its_page_had_accepted():
    assert after_error(attempt(), "{}", "it failed", True, POLICY, random.Random(1)).implies_accept


WITHOUT_ANSWER = pytest.mark.parametrize(
    "end",
    [
        lambda tried: after_loss(tried, "the page went away"),
        lambda tried: after_release(tried, "the page gave it back"),
        lambda tried: after_timeout(tried, POLICY, random.Random(1)),
    ],
    ids=["loss", "release", "timeout"],
)


@WITHOUT_ANSWER
def test_every_end_says_whose_attempt_it_was_and_why(end):
    tried = attempt()
    assert tried.holder() is not None
    assert end(tried).holder == tried.holder()
    assert end(tried).detail is not None
    assert after_error(tried, "{}", "it failed", True, POLICY, random.Random(1)).holder == tried.holder()


@WITHOUT_ANSWER
@pytest.mark.parametrize("restarted", [True, False])
def test_after_go_nothing_but_an_answer_settles_a_job_and_nothing_is_used_up(end, restarted):
    ended = end(attempt(effects="once", went=True, restarted=restarted, crashes=5, errors=2))
    assert ended.event is Event.DOUBT
    assert (ended.counts_error, ended.counts_crash, ended.delay_s) == (False, False, 0)
    assert ended.reason == str(ended.cause)
    assert ended.holder == attempt().holder()
    assert ended.detail is not None
