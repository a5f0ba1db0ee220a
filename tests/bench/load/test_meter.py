"""Quantiles."""

from __future__ import annotations

from bench.load.meter import quantile


def test_so_many_values_lie_below_a_quantile():
    values = [float(number) for number in range(1_000)]
    assert quantile(values, 0.5) == 500
    assert quantile(values, 0.99) == 990


def test_few_values_have_their_largest_as_the_last_quantile():
    assert quantile([1.0, 7.0], 0.99) == 7
    assert quantile([1.0], 0.99) == quantile([1.0], 1.0) == 1
