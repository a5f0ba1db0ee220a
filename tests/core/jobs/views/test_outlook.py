"""When a ready job may start, from its place and the rate of its type."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.views.outlook import MOST_BEFORE, InLine, Outlook, Throughput, outlook

BUSY = Throughput(1_000, 900.0, run_s=1.0, slots=1)


def test_a_place_and_a_rate_tell_when_a_job_starts() -> None:
    seen = outlook(InLine(before=3, later=2, of=12), Throughput(90, 900.0, 10.0, slots=1))
    assert seen == Outlook(place=4, of=12, overtaken_by=2, estimate_s=40.0, samples=90)


@pytest.mark.parametrize(("ran", "starts"), [(None, None), (0, None), (19, None), (20, 45.0)])
def test_few_that_ran_tell_nothing(ran: int | None, starts: float | None) -> None:
    seen = outlook(InLine(before=0, later=0, of=1), None if ran is None else Throughput(ran, 900.0, None, slots=1))
    assert (seen.place, seen.estimate_s, seen.samples) == (1, starts, ran)


def test_a_job_far_behind_has_no_place() -> None:
    assert outlook(InLine(MOST_BEFORE, 0, 5_000), BUSY).place == MOST_BEFORE + 1
    seen = outlook(InLine(MOST_BEFORE + 1, 0, 5_000), BUSY)
    assert (seen.place, seen.of, seen.estimate_s) == (None, 5_000, None)


@pytest.mark.parametrize(
    ("before", "ran", "over_s", "starts"),
    [(99, 70, 900.0, 1_300.0), (0, 700, 900.0, 1.3), (0, 90_000, 900.0, 0.01), (0, 20, 0.0, None)],
)
def test_an_estimate_has_two_digits_that_count(before: int, ran: int, over_s: float, starts: float | None) -> None:
    assert outlook(InLine(before, 0, 500), Throughput(ran, over_s, None, slots=1)).estimate_s == starts


def test_workers_that_had_little_to_do_are_faster_than_they_were() -> None:
    faxes = Throughput(30, 900.0, run_s=25.0, slots=6)
    assert outlook(InLine(before=20, later=0, of=24), faxes).estimate_s == 88.0
    assert outlook(InLine(before=20, later=0, of=24), Throughput(900, 900.0, 25.0, 6)).estimate_s == 21.0, (
        "more slots than now"
    )
