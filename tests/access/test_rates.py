"""The rate of a token: what is let in, how long the rest waits, and how much is remembered."""

from __future__ import annotations

import pytest

from dispatcher.access.rates import MOST_ALLOWANCES, Rates
from dispatcher.errors import TooManyJobs


def waits_s(rates: Rates, jobs: int, per_minute: int, now: float, token: str = "t") -> int:
    """How long these jobs have to wait; 0: they were taken."""
    try:
        rates.take(token, jobs, per_minute, now)
    except TooManyJobs as error:
        return error.retry_after_s
    return 0


def test_a_minutes_jobs_may_come_at_once_and_then_one_as_each_comes_back() -> None:
    rates = Rates()
    assert [waits_s(rates, 1, 6, 100.0) for _ in range(8)] == [0] * 6 + [10, 10]
    assert (waits_s(rates, 1, 6, 109.0), waits_s(rates, 1, 6, 110.0), waits_s(rates, 1, 6, 110.0)) == (1, 0, 10)
    assert [waits_s(rates, 1, 6, 1_000.0) for _ in range(7)] == [0] * 6 + [10], "no more than a minute's are saved up"


def test_a_batch_counts_its_jobs_and_a_large_one_pays_back_before_the_next_job() -> None:
    rates = Rates()
    assert waits_s(rates, 4, 6, 0.0) == 0
    assert waits_s(rates, 3, 6, 0.0) == 10
    assert waits_s(rates, 600, 6, 0.0) == 40, "it waits until the allowance is full"
    assert waits_s(rates, 600, 6, 40.0) == 0
    assert waits_s(rates, 1, 6, 40.0) == 5_950
    assert waits_s(rates, 1, 6, 5_990.0) == 0


def test_who_waits_as_long_as_he_was_told_is_let_in() -> None:
    rates, now = Rates(), 0.0
    for jobs in (1, 7, 3, 500, 1, 2):
        wait_s = waits_s(rates, jobs, 7, now)
        now += wait_s
        assert wait_s == 0 or waits_s(rates, jobs, 7, now) == 0


def test_what_became_no_new_job_is_given_back() -> None:
    rates = Rates()
    assert waits_s(rates, 6, 6, 0.0) == 0
    rates.give_back("t", 2)
    rates.give_back("another", 100)
    assert [waits_s(rates, 1, 6, 0.0) for _ in range(3)] == [0, 0, 10]


def test_tokens_do_not_wait_for_each_other_and_few_are_remembered() -> None:
    rates = Rates()
    assert waits_s(rates, 6, 6, 0.0, "a") == 0
    for number in range(MOST_ALLOWANCES):
        assert waits_s(rates, 1, 6, 0.0, f"other-{number}") == 0
    assert len(rates) == MOST_ALLOWANCES


def test_the_words_say_how_many_and_how_long() -> None:
    rates = Rates()
    rates.take("t", 1, 1, 0.0)
    with pytest.raises(TooManyJobs, match=r"1 new jobs a minute .* Try again in 60 s") as raised:
        rates.take("t", 1, 1, 0.0)
    assert (raised.value.code, raised.value.retry_after_s) == ("too_many_jobs", 60)
