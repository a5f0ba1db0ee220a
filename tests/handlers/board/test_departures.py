"""The lines of the board, from jobs and what is usual of their types."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from handlers.board.departures import (
    BoardLine,
    BoardPart,
    UsualRuns,
    ended_lines,
    parts_that_fit,
    running_lines,
    soon_lines,
    waiting_lines,
)
from tests.support.jobs import NOW, job_view

USUAL: UsualRuns = {"slow": 60.0, "new": None}


def told(lines: list[BoardLine]) -> list[tuple[str, str]]:
    """(job, when) of each line, without what keeps words together."""
    return [(line.job.id, line.when.replace("\u00a0", " ")) for line in lines]


def job(id: str, type: str = "slow", **fields: object) -> JobView:
    return job_view(id=id, type=type, **fields)


def test_what_is_done_first_comes_first_and_what_nobody_can_tell_comes_last() -> None:
    running = [
        job("unknown", "new", started_at=NOW - 5),
        job("long", started_at=NOW - 20),
        job("soon", started_at=NOW - 45),
        job("late", started_at=NOW - 90),
        job("offered", "new", started_at=None),
    ]
    assert told(running_lines(running, USUAL, NOW)) == [
        ("late", "any moment, running for 1 min"),
        ("soon", "in 15 s"),
        ("long", "in 40 s"),
        ("unknown", "running for 5 s"),
        ("offered", "about to begin"),
    ]


def test_a_job_that_waits_is_told_its_place_or_when_it_begins() -> None:
    busy = ("busy", 2)
    waits = [(job("b"), ("next", 0)), (job("c"), busy), (job("d", "new"), busy)]
    assert told(waiting_lines(waits, USUAL)) == [
        ("b", "next"), ("c", "begins in about 1 min"), ("d", "number 3 in the queue"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "words"), [("no_match", "no worker is here for it"), ("type_paused", "its type is paused")]
)
def test_what_keeps_a_job_from_its_workers_is_said_instead(code: str, words: str) -> None:
    assert told(waiting_lines([(job("a"), (code, 0))], USUAL)) == [("a", words)]


def test_the_last_that_ended_comes_first() -> None:
    over = [
        job("old", state=JobState.SUCCEEDED, ended_at=NOW - 120),
        job("bad", state=JobState.FAILED, ended_at=NOW - 12),
        job("doubt", state=JobState.IN_DOUBT, ended_at=None, stopped_at=NOW - 5),
    ]
    lines = ended_lines(over, NOW)
    assert told(lines) == [
        ("doubt", "in doubt: somebody must decide"), ("bad", "failed 12 s ago"), ("old", "done 2 min ago"),
    ]  # fmt: skip
    assert [line.look for line in lines] == ["bad", "bad", "good"]


def test_what_is_scheduled_for_the_next_minutes_comes_in_that_order_and_what_is_later_does_not() -> None:
    scheduled = [
        job("tomorrow", run_at=NOW + 86_400),
        job("minutes", run_at=NOW + 300),
        job("seconds", run_at=NOW + 40),
        job("failed-once", run_at=NOW + 8, number=1),
        job("due", run_at=NOW - 1),
    ]
    assert told(soon_lines(scheduled, NOW)) == [
        ("due", "about to begin"), ("failed-once", "tried again in 8 s"), ("seconds", "begins in 40 s"),
        ("minutes", "begins in 5 min"),
    ]  # fmt: skip


def part(count: int, total: int = 0, has_others: bool = False) -> BoardPart:
    lines = [BoardLine("runs", job(f"j{number}"), "", "") for number in range(count)]
    return BoardPart(lines=lines, total=total or count, has_others=has_others, word="waiting")


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ((100, 100, 100, 100), [4, 4, 3, 3]),
        ((100, 0, 2, 1), [11, 0, 2, 1]),
        ((0, 3, 0, 100), [0, 3, 0, 11]),
        ((3, 3, 3, 3), [3, 3, 3, 3]),
        ((0, 0, 0, 0), [0, 0, 0, 0]),
    ],
)
def test_each_kind_has_its_share_of_the_wall_and_what_one_leaves_over_the_others_have(
    counts: tuple[int, ...], shown: list[int]
) -> None:
    assert [len(each.lines) for each in parts_that_fit([part(count) for count in counts], 14)] == shown


def test_what_is_left_out_is_counted_and_where_nobody_has_looked_at_all_it_says_so() -> None:
    told = [part(20), part(14, total=60), part(14, total=100, has_others=True), part(0)]
    assert [each.rest for each in parts_that_fit(told, 12)] == [
        "and 16 more waiting", "and 56 more waiting", "and at least 96 more waiting", ""
    ]  # fmt: skip
