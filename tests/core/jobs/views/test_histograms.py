"""Durations are counted in buckets: quantiles are within the error that is promised, and additions lose nothing."""

from __future__ import annotations

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core.jobs.views.histograms import (
    ERROR,
    LONGEST_S,
    Histogram,
    add,
    bucket_of,
    count,
    mean_s,
    quantile_s,
    read_text,
    text_of,
)

DURATIONS = st.lists(st.floats(0.001, LONGEST_S), min_size=1, max_size=60)
QUANTILES = st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def counted(durations_s: list[float]) -> Histogram:
    histogram: Histogram = {}
    for duration_s in durations_s:
        count(histogram, duration_s)
    return histogram


def exact(durations_s: list[float], quantile: float) -> float:
    return sorted(durations_s)[max(1, ceil(quantile * len(durations_s))) - 1]


@given(DURATIONS, QUANTILES)
def test_a_quantile_is_within_its_error(durations_s: list[float], quantile: float) -> None:
    assert quantile_s(counted(durations_s), quantile) == pytest.approx(exact(durations_s, quantile), rel=ERROR)


@given(DURATIONS, DURATIONS, QUANTILES)
def test_two_that_are_added_are_as_one(some: list[float], others: list[float], quantile: float) -> None:
    both = counted(some)
    add(both, counted(others))
    assert both == counted(some + others)


@given(DURATIONS)
def test_it_is_read_as_it_was_written(durations_s: list[float]) -> None:
    assert read_text(text_of(counted(durations_s))) == counted(durations_s)


def test_nothing_has_no_quantile_and_no_mean() -> None:
    assert quantile_s({}, 0.5) is mean_s({}) is None


def test_a_mean_is_within_the_error_too() -> None:
    assert mean_s(counted([0.1, 0.2, 30.0])) == pytest.approx(10.1, rel=ERROR)


def test_what_is_shorter_or_longer_than_all_buckets_is_told_as_the_bound() -> None:
    assert quantile_s(counted([-3.0]), 0.5) == quantile_s(counted([0.0004]), 0.5) == 0.001
    assert quantile_s(counted([LONGEST_S * 9.0]), 0.5) == LONGEST_S


def test_longer_ones_are_in_later_buckets_and_there_are_few() -> None:
    buckets = [bucket_of(0.001 * 1.01**n) for n in range(2_500)]
    assert buckets == sorted(buckets)
    assert len(set(buckets)) == buckets[-1] - buckets[0] + 1 < 255


def test_empty_buckets_are_not_kept() -> None:
    assert text_of(counted([0.0, 1.0, 1.0])) == '{"0":1,"80":2}'
