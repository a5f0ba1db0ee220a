"""The contract of a store: which jobs a list shows by their states, their instants and their error."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.keys import key_in_batch
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel, Delete
from dispatcher.core.jobs.validate import snapshot_faults
from dispatcher.store.views import cursor_of
from tests.store.conftest import OpenDesk
from tests.store.contract import Desk, Kind, error, result
from tests.support.jobs import spec


def _failed(desk: Desk, text: str) -> str:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=None, text=text))
    return claim.job


def _cancelled(desk: Desk) -> str:
    (job,) = desk.submit()
    desk.command(Cancel(job.id, "no"))
    return job.id


def _succeeded(desk: Desk) -> str:
    claim = desk.start()
    desk.report(result(claim.attempt))
    return claim.job


def _ids(desk: Desk, **fields: Any) -> list[str]:
    return [job.id for job in desk.listed(**fields)]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_list_shows_jobs_in_any_of_its_states_newest_first(desk: Desk, limit: int) -> None:
    jobs = [make(desk) for make in (_cancelled, _succeeded, lambda d: _failed(d, "{}"), _cancelled)]
    (waiting,) = desk.submit()
    rare = (JobState.FAILED, JobState.CANCELLED)
    assert _ids(desk, states=rare, limit=limit) == [jobs[3], jobs[2], jobs[0]]
    both = (JobState.SUCCEEDED, JobState.QUEUED)
    assert _ids(desk, states=both, limit=limit) == [waiting.id, jobs[1]]
    mixed = (JobState.QUEUED, JobState.CANCELLED)
    assert _ids(desk, states=mixed, limit=limit) == [waiting.id, jobs[3], jobs[0]]


def test_a_cursor_above_all_jobs_begins_with_the_newest_and_one_page_has_them(desk: Desk) -> None:
    jobs = desk.submit(spec(), spec())
    page = desk.run(desk.store.jobs(JobFilter(cursor=cursor_of(1 << 61))))
    assert [job.id for job in page.items] == [jobs[1].id, jobs[0].id]


def test_a_list_shows_jobs_with_an_error_code(desk: Desk) -> None:
    paper = _failed(desk, '{"message":"no","code":"out_of_paper"}')
    texts = ['{"message":"out_of_paper"}', '{"code":"other"}', '["out_of_paper"]', '"out_of_paper"', '{"code":null}']
    for text in texts:
        _failed(desk, text)
    _succeeded(desk)
    assert _ids(desk, error="out_of_paper") == [paper]
    assert _ids(desk, error="out_of_paper", states=(JobState.FAILED,)) == [paper]
    assert _ids(desk, error="out_of_paper", states=(JobState.CANCELLED,)) == []


def test_a_list_shows_jobs_created_from_an_instant_on_and_before_another(desk: Desk) -> None:
    instants, jobs = [], []
    for _ in range(4):
        instants.append(desk.now_at)
        jobs.append(desk.submit()[0].id)
        desk.pass_time(10.0)
    assert _ids(desk, created_after=instants[1], created_before=instants[3]) == [jobs[2], jobs[1]]
    assert _ids(desk, created_after=instants[3], limit=1) == [jobs[3]]
    assert _ids(desk, created_before=instants[0]) == []


def test_a_list_shows_jobs_that_have_ended_in_a_time_and_none_that_are_open(desk: Desk) -> None:
    first = _cancelled(desk)
    desk.pass_time(10.0)
    second = _succeeded(desk)
    desk.submit(spec())
    at = desk.job(second).ended_at
    assert at is not None
    assert _ids(desk, ended_after=at) == [second]
    assert _ids(desk, ended_before=at) == [first]
    assert _ids(desk, ended_after=0.0) == [second, first]
    assert _ids(desk, ended_before=at, states=(JobState.CANCELLED,)) == [first]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_list_shows_jobs_that_have_all_of_its_tags(desk: Desk, limit: int) -> None:
    a, _, both, c = desk.submit(spec(tags=("a",)), spec(), spec(tags=("b", "a")), spec(tags=("b", "A", "c")))
    assert _ids(desk, tags=("a",), limit=limit) == [both.id, a.id]
    assert _ids(desk, tags=("b",), limit=limit) == [c.id, both.id]
    assert _ids(desk, tags=("a", "b"), limit=limit) == _ids(desk, tags=("b", "a"), limit=limit) == [both.id]
    assert _ids(desk, tags=("c", "a"), limit=limit) == _ids(desk, tags=("nope",)) == []


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_list_shows_the_jobs_of_a_batch_and_of_a_key(desk: Desk, limit: int) -> None:
    keyed = [replace(spec(key=key_in_batch("k", n), fingerprint="f", tags=("a",)), batch="b") for n in range(3)]
    jobs = [job.id for job in desk.submit(*keyed)]
    alone, other, _ = desk.submit(spec(key="k", fingerprint="f", tags=("a",)), spec(key="k1", fingerprint="f"), spec())
    assert _ids(desk, batch="b", limit=limit) == jobs[::-1]
    assert _ids(desk, key="k", limit=limit) == [alone.id, *jobs[::-1]]
    assert _ids(desk, key="k1", limit=limit) == [other.id]
    assert _ids(desk, key="k", batch="b", tags=("a",), limit=limit) == jobs[::-1]
    assert _ids(desk, key="k1", batch="b") == _ids(desk, key="k1", tags=("a",)) == _ids(desk, batch="c") == []
    assert _ids(desk, key="nope") == _ids(desk, key="") == []


@pytest.mark.parametrize("limit", [1, 100])
def test_names_go_with_the_other_filters(desk: Desk, limit: int) -> None:
    jobs = desk.submit(*[replace(spec(type, tags=("a",)), batch="b") for type in ("x", "y", "x", "y")])
    desk.command(Cancel(jobs[0].id, ""))
    desk.command(Cancel(jobs[1].id, ""))
    for name in ({"tags": ("a",)}, {"batch": "b"}):
        named: dict[str, Any] = {**name, "limit": limit}
        assert _ids(desk, type="x", **named) == [jobs[2].id, jobs[0].id]
        assert _ids(desk, states=(JobState.CANCELLED,), **named) == [jobs[1].id, jobs[0].id]
        assert _ids(desk, states=(JobState.CANCELLED, JobState.QUEUED), type="y", **named) == [jobs[3].id, jobs[1].id]
        assert _ids(desk, requires=(("site", "berlin"),), **named) == []


def test_a_removed_job_leaves_no_tag_behind(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, retention_s=1_000.0)
    old, gone, kept = desk.submit(*[spec(tags=("a", "b"))] * 3)
    for job in (old, gone):
        desk.command(Cancel(job.id, ""))
    desk.command(Delete(gone.id))
    desk.pass_time(2_000.0)
    while desk.turn().more:
        pass
    assert _ids(desk, tags=("a", "b")) == [kept.id]
    assert snapshot_faults(desk.run(kind.rows(desk.store))) == []
