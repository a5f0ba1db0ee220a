"""The contract of a store: the report of a turn shows the jobs that somebody waits for, if they settle in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import Demand, Logged, Report
from tests.store.contract import KINDS, Desk, error, result
from tests.support.jobs import spec

#: PostgreSQL shows none: other connections read beside its turns.
SHOWS = [kind for kind in KINDS if kind.name != "postgresql"]


@pytest.fixture(params=SHOWS, ids=lambda kind: kind.name)
def desk(request: pytest.FixtureRequest, open_desk: Callable[..., Desk]) -> Desk:
    return open_desk(request.param)


def _ended(desk: Desk, *wanted: str) -> tuple[list[JobView], list[JobView]]:
    """One job of each name has succeeded, failed for good, failed for now; what is shown, and how these are read."""
    jobs = dict(zip(("good", "bad", "later"), desk.submit(*[spec(data=f'"{n}"') for n in range(3)]), strict=True))
    jobs["new"] = desk.submit(spec())[0]
    claims = desk.turn(demand=[Demand(1, ("echo",), 3)]).claims
    reports: list[Report] = [
        Logged(claims[0].attempt, "a line"),
        result(claims[0].attempt),
        error(claims[1].attempt, delay_s=None),
        error(claims[2].attempt),
    ]
    shown = tuple(jobs[name].id if name in jobs else name for name in wanted)
    report = desk.run(desk.store.apply(replace(desk.make_turn(reports=reports), shown=shown)))
    return report.shown, [desk.job(jobs[name].id) for name in wanted if name in jobs]


def test_a_job_that_settles_is_shown_as_it_is_read(desk: Desk) -> None:
    shown, read = _ended(desk, "good", "bad")
    assert shown == read
    assert [(str(job.state), job.data, len(job.attempts)) for job in shown] == [
        ("succeeded", '"0"', 1),
        ("failed", '"1"', 1),
    ]
    assert (shown[0].result, [line.line for line in shown[0].log]) == ('"done"', ["a line"])


@pytest.mark.parametrize("name", ["later", "new", "nobody"])
def test_a_job_that_does_not_settle_is_not_shown(desk: Desk, name: str) -> None:
    assert _ended(desk, name)[0] == []


def test_a_job_that_nobody_waits_for_is_not_shown(desk: Desk) -> None:
    assert _ended(desk)[0] == []
