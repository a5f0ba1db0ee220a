"""How jobs have ended: what a window is made of, and what is summed up of it."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import ALL_TYPES, Endings, Slot, counted, slots_of, steps_of, summary_of

HOUR, DAY = 3_600, 86_400
#: 10:37:20 of some day.
NOW = 1_800_000_000 // DAY * DAY + 10 * HOUR + 37 * 60 + 20


def test_an_end_counts_in_its_minute_and_its_hour_for_its_type_and_for_all() -> None:
    assert set(slots_of("echo", NOW + 0.75)) == {
        Slot(60, NOW - 20, "echo"),
        Slot(60, NOW - 20, ALL_TYPES),
        Slot(3_600, NOW - 37 * 60 - 20, "echo"),
        Slot(3_600, NOW - 37 * 60 - 20, ALL_TYPES),
    }


@pytest.mark.parametrize(
    ("window_s", "step_s", "steps"),
    [(60, 60, 2), (HOUR, 60, 61), (6 * HOUR, 60, 361), (6 * HOUR + 1, HOUR, 7), (DAY, HOUR, 25), (30 * DAY, HOUR, 721)],
)
def test_a_window_has_few_steps(window_s: int, step_s: int, steps: int) -> None:
    made = steps_of(window_s, NOW)
    assert (made.step_s, len(made.starts())) == (step_s, steps)


def test_a_window_begins_with_the_step_that_it_begins_in_and_ends_with_the_one_of_now() -> None:
    made = steps_of(HOUR, NOW)
    assert (made.first, made.last, made.until) == (NOW - HOUR - 20, NOW - 20, NOW)
    on_the_minute = steps_of(HOUR, NOW - 20)
    assert (on_the_minute.first, on_the_minute.last) == (NOW - HOUR - 20, NOW - 20)


def test_a_summary_adds_up_and_leaves_out_what_is_empty() -> None:
    steps = steps_of(HOUR, NOW - 20)
    some, others = Endings(succeeded=3, failed=1, wait={0: 4}), Endings(cancelled=2, expired=4, wait={0: 1, 5: 2})
    made = summary_of("echo", steps, [(NOW - 20, others), (NOW - 140, Endings()), (NOW - 80, some)])
    assert made.total == Endings(succeeded=3, failed=1, cancelled=2, expired=4, wait={0: 5, 5: 2})
    assert [start for start, _ in made.points] == [NOW - 80, NOW - 20]
    assert made.total.jobs == 10
    assert made.per_hour == pytest.approx(4.0), "what is cancelled or expires is no work"


def test_the_share_of_failures_is_of_those_that_succeeded_or_failed() -> None:
    assert Endings(succeeded=3, failed=1, cancelled=9, expired=9).failed_percent == 25.0
    assert Endings(cancelled=1).failed_percent is None


def test_a_job_that_was_ready_again_after_its_try_began_has_a_run_and_no_wait() -> None:
    """Its row was put back while an older try still ran, and brought the result."""
    late = ("echo", JobState.SUCCEEDED, None, NOW - 90.0, NOW - 5.0, NOW - 30.0)
    (made,) = counted([late], NOW).values()
    assert (made.succeeded, made.wait, sum(made.run.values())) == (1, {}, 1)


def test_each_end_is_counted_under_its_outcome_and_only_tries_have_durations() -> None:
    ends = [
        ("echo", JobState.CANCELLED, None, NOW - 9.0, None, NOW - 1.0),
        ("echo", JobState.EXPIRED, None, NOW - 9.0, None, None),
        ("echo", JobState.FAILED, "decided", NOW - 9.0, None, NOW - 1.0),
        ("echo", JobState.SUCCEEDED, "adopted", NOW - 9.0, None, NOW - 1.0),
        ("other", JobState.SUCCEEDED, None, NOW - 9.0, None, NOW - 1.0),
    ]
    made = counted(ends, NOW)
    assert made["echo"] == Endings(succeeded=0, failed=1, cancelled=1, expired=1)
    assert (made["other"].succeeded, sum(made["other"].wait.values()), sum(made["other"].run.values())) == (1, 1, 1)
