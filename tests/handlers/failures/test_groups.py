"""Failed jobs that failed alike."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.states import JobState
from handlers.failures.groups import MOST_WORKERS, Grouping, commonest, message_of
from tests.support.jobs import job_view


def failed(**fields: Any) -> Any:
    return job_view(**({"state": JobState.FAILED, "type": "fax", "reason": "error", "ended_at": 5.0} | fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"error": '{"message": "order 4711 of 9 is unknown"}'}, "order # of # is unknown"),
        ({"error": '{"message": "  one\\ttwo\\nthree"}'}, "one two"),
        ({"error": '"just a text 7"'}, "just a text #"),
        ({"error": None, "detail": "no more tries after 3"}, "no more tries after #"),
        ({"error": None, "detail": None}, "error"),
        ({"error": None, "detail": None, "reason": None}, "no message"),
        ({"error": '{"message": "of an earlier try"}', "reason": "timed_out", "detail": "60 s"}, "no answer in time"),
        ({"reason": "poison"}, "its pages were lost too often"),
        ({"reason": "no_retry", "error": '{"message": "bad data"}'}, "bad data"),
    ],
)
def test_a_message_is_the_first_line_without_its_numbers(fields: dict[str, Any], message: str) -> None:
    assert message_of(failed(**fields)) == message


def grouped(*jobs: Any) -> list[Any]:
    grouping = Grouping()
    for job in jobs:
        grouping.add([job])
    return grouping.groups()


def test_jobs_that_failed_alike_are_one_group_with_when_and_where() -> None:
    error = '{"message": "line 1 is busy"}'
    groups = grouped(
        failed(id="c", error=error, ended_at=30.0, worker="w2", worker_name="B"),
        failed(id="b", error='{"message": "no paper"}', ended_at=20.0),
        failed(id="a", error=error.replace("1", "22"), ended_at=10.0, worker="w1", worker_name="A"),
        failed(id="x", error=error, type="mail", ended_at=40.0),
    )
    assert [(one.type, one.message, one.ids, one.jobs) for one in groups] == [
        ("fax", "line # is busy", ["c", "a"], 2), ("mail", "line # is busy", ["x"], 1), ("fax", "no paper", ["b"], 1),
    ]  # fmt: skip
    assert (groups[0].first_at, groups[0].last_at, groups[0].workers) == (10.0, 30.0, ["B", "A"])


def test_some_workers_are_named_and_all_are_counted() -> None:
    [group] = grouped(*(failed(error='"x"', worker=f"w{n}", worker_name=f"D{n}") for n in range(9)))
    assert (group.workers, group.worker_count) == ([f"D{n}" for n in range(MOST_WORKERS)], 9)


def test_the_commonest_message_of_each_type_is_told() -> None:
    jobs = [failed(error='"a"'), failed(error='"b"'), failed(error='"b"'), failed(error='"c"', type="mail")]
    assert commonest(jobs) == {"fax": "b", "mail": "c"}
