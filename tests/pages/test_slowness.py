"""What a page says of how its browser treats it, as instants of this server."""

from __future__ import annotations

import pytest

from dispatcher.pages.slowness import LONGEST_S, NOT_SLOW, Slowness, slowness_of


def test_durations_count_from_when_the_page_is_heard() -> None:
    said = {"hidden_for_ms": 60_000, "slow_timers": True, "stood_still_ms": 40_500, "stood_still_ago_ms": 5_000}
    assert slowness_of(said, 100.0) == Slowness(hidden_since=40.0, late=True, stood_s=40.5, stood_until=95.0)


@pytest.mark.parametrize("odd", ["60000", True, None, -1])
def test_what_is_no_duration_is_passed_over(odd: object) -> None:
    names = ("hidden_for_ms", "stood_still_ms", "stood_still_ago_ms")
    assert slowness_of(dict.fromkeys(names, odd) | {"slow_timers": "yes"}, 100.0) == NOT_SLOW


def test_half_a_standstill_is_none() -> None:
    assert slowness_of({"stood_still_ago_ms": 5_000}, 100.0) == NOT_SLOW
    assert slowness_of({"stood_still_ms": 5_000}, 100.0).stood_until is None


def test_a_page_has_lived_for_no_longer_than_a_year() -> None:
    assert slowness_of({"hidden_for_ms": 1e300}, 0.0).hidden_since == -LONGEST_S
