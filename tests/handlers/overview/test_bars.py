"""Bars that the server draws, and their words."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.views.endings import Endings, steps_of, summary_of
from handlers.overview.bars import bars_of, minute_bars
from tests.support.jobs import NOW

STEPS = steps_of(3_600, NOW)


def test_each_value_has_a_bar_with_the_bad_ones_at_its_foot() -> None:
    bars = bars_of([(10, 0), (0, 0), (5, 5), (10, 4), (1, 0)], 20, "words")
    assert bars.good == "M0 20v-20h3v20zM12 12v-12h3v12zM16 20v-2h3v2z"
    assert bars.bad == "M8 20v-10h3v10zM12 20v-8h3v8z"
    assert (bars.width, bars.height, bars.label) == (20, 20, "words")


def test_what_is_little_is_seen_all_the_same() -> None:
    bars = bars_of([(10_000, 1), (1, 0), (1, 1)], 20, "")
    assert bars.good == "M0 19v-19h3v19zM4 20v-1h3v1z"
    assert bars.bad == "M0 20v-1h3v1zM8 20v-1h3v1z"


def test_nothing_is_drawn_of_nothing() -> None:
    assert bars_of([(0, 0)] * 3, 20, "").good == bars_of([], 20, "").bad == ""
    assert bars_of([], 20, "").width == 1


@pytest.mark.parametrize(
    ("points", "label"),
    [
        ([], "no job ended in the last 60 minutes"),
        ([(STEPS.last, Endings(2, 1))], "0 to 3 jobs ended each minute, 1 failed"),
        ([(STEPS.last - 60 * n, Endings(1)) for n in range(60)], "1 job ended each minute, 0 failed"),
        ([(STEPS.first, Endings(9))], "no job ended in the last 60 minutes"),
    ],
)
def test_the_last_sixty_minutes_are_told_in_words(points: list[tuple[int, Endings]], label: str) -> None:
    bars = minute_bars(summary_of("fax", STEPS, points))
    assert bars.label == label
    assert bars.width == 240


def test_the_minute_that_is_not_over_stands_last() -> None:
    bars = minute_bars(summary_of("fax", STEPS, [(STEPS.last, Endings(1)), (STEPS.last - 59 * 60, Endings(1))]))
    assert bars.good == "M0 20v-20h3v20zM236 20v-20h3v20z"
