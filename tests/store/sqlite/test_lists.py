"""What a page of a list looks at in SQLite: a slice at a time, and no lane that is not asked for."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel
from dispatcher.store.sqlite.lists import PageRead
from tests.store.contract import DURABLE, Desk
from tests.support.jobs import spec
from tests.support.operations import operations

_RANGE = re.compile(r"j\.seq < (\d+) AND j\.seq >= (\d+)")
#: How many jobs one call of the store's thread may look at; a turn waits for one such call.
_MOST = 1_000


@pytest.fixture
def desk(quick_path: Path) -> Iterator[Desk]:
    made = Desk(DURABLE[0], quick_path)
    yield made
    made.end()


def _looks(desk: Desk, **fields: Any) -> list[int]:
    """How many jobs each statement of a page looks at."""
    store: Any = desk.store
    said: list[str] = []
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(said.append)))
    desk.run(store.jobs(JobFilter(**fields)))
    desk.run(store._thread.run(lambda: store._db.set_trace_callback(None)))
    found = (_RANGE.search(text) for text in said)
    return [int(one[1]) - int(one[2]) for one in found if one]


def _thousands(desk: Desk, number: int) -> list[str]:
    return [job.id for _ in range(number) for job in desk.submit(*[spec()] * 1_000)]


def test_one_call_looks_at_a_thousand_jobs_at_most_until_the_end_of_the_table(desk: Desk) -> None:
    _thousands(desk, 5)
    looks = _looks(desk, states=(JobState.SUCCEEDED,))
    assert max(looks) <= _MOST
    assert sum(looks) == 5_000


def test_one_page_looks_at_forty_slices_at_most_and_its_cursor_goes_on_from_there(desk: Desk) -> None:
    (first,) = desk.submit(spec("seldom"))
    store: Any = desk.store
    store._rows._seq = 50_000  # as if jobs had been there between
    (last,) = desk.submit(spec("seldom"))
    looks = _looks(desk, type="seldom")
    assert (len(looks), sum(looks)) == (40, 40_000)
    pages = [[job.id for job in page] for page in desk.pages(type="seldom", limit=5)]
    assert pages == [[last.id], [first.id]]


def test_a_job_in_a_rare_state_is_found_by_one_look_in_an_index(desk: Desk) -> None:
    first, *_ = _thousands(desk, 5)
    desk.command(Cancel(first, "not needed"))
    assert _looks(desk, states=(JobState.CANCELLED,)) == [5_000]
    assert _steps(desk, states=(JobState.CANCELLED,)) < 500
    assert [job.id for job in desk.listed(states=(JobState.CANCELLED,))] == [first]


@pytest.mark.parametrize("name", [{"tags": ("a",)}, {"batch": "b"}, {"key": "k"}], ids=["tag", "batch", "key"])
def test_a_job_with_a_name_is_found_by_an_index_alone_however_many_others_there_are(
    desk: Desk, name: dict[str, Any]
) -> None:
    (first,) = desk.submit(replace(spec(key="k", fingerprint="f", tags=("a",)), batch="b"))
    few = _steps(desk, **name)
    _thousands(desk, 5)
    assert _steps(desk, **name) == few
    assert _steps(desk, type="echo", **name) <= few + 100
    assert [job.id for job in desk.listed(**name)] == [first.id]


def test_a_filter_beside_a_tag_looks_at_a_thousand_jobs_of_the_tag_at_most_in_one_call(desk: Desk) -> None:
    for _ in range(3):
        desk.submit(*[spec(tags=("a",))] * 999, spec())
    (last,) = desk.submit(spec("seldom", tags=("a",)))
    assert desk.listed(tags=("a",), type="nothing") == []
    assert [job.id for job in desk.listed(tags=("a",), type="seldom")] == [last.id]
    assert _steps(desk, tags=("a",)) * 4 < _steps(desk, tags=("a",), type="nothing")
    reading = PageRead(_database(desk), JobFilter(tags=("a",), type="nothing"))
    store: Any = desk.store
    calls = [desk.run(store._thread.run(lambda: reading.slice(store._rows.lanes))) for _ in range(3)]
    assert calls == [False, False, True]


def _database(desk: Desk) -> sqlite3.Connection:
    store: Any = desk.store
    connection: sqlite3.Connection = store._db
    return connection


def _steps(desk: Desk, **fields: Any) -> int:
    """How many steps of SQLite's machine a page takes, in hundreds of them."""
    store: Any = desk.store
    steps: list[int] = []
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(lambda: steps.append(100), 100)))
    desk.run(store.jobs(JobFilter(**fields)))
    desk.run(store._thread.run(lambda: store._db.set_progress_handler(None, 100)))
    return sum(steps)


def test_a_list_by_label_costs_the_same_beside_100_lanes_and_10_000(desk: Desk) -> None:
    (wanted,) = desk.submit(spec(requires=requirement_of({"printer": ["zebra", "brother"], "site": "berlin"})))
    costs = []
    for start, end in ((0, 100), (100, 10_000)):
        _named_lanes(desk, start, end)
        costs.append([_cost(desk, ("printer", "zebra"), ("site", "berlin")), _cost(desk, ("order", "7"))])
    for few, many in zip(*costs, strict=True):
        assert many <= 1.1 * few
    assert [job.id for job in desk.listed(requires=(("printer", "zebra"),))] == [wanted.id]


def _named_lanes(desk: Desk, start: int, end: int) -> None:
    """A job for each of these orders, in a lane of its own."""
    for first in range(start, end, 900):
        numbers = range(first, min(first + 900, end))
        desk.submit(*(spec(requires=requirement_of({"order": str(n), "site": "berlin"})) for n in numbers))


def _cost(desk: Desk, *labels: tuple[str, str]) -> int:
    """Of the last slice of a page, in which one job is found: the first one of the store or a neighbour of it."""
    store: Any = desk.store
    page = PageRead(store._db, JobFilter(requires=labels, cursor="MTAw"))  # below the job 100
    count: int = desk.run(store._thread.run(lambda: operations(lambda: page.slice(store._rows.lanes))))
    assert len(page.page().items) == 1
    return count


def test_a_label_is_looked_up_once_for_all_slices_of_a_page(desk: Desk) -> None:
    desk.submit(spec(requires=requirement_of({"site": "berlin"})))
    _thousands(desk, 3)
    store: Any = desk.store
    asked: list[Any] = []

    class Lanes:
        def requiring(self, wanted: Any) -> list[int]:
            asked.append(wanted)
            numbers: list[int] = store._rows.lanes.requiring(wanted)
            return numbers

    lanes: Any = Lanes()
    page = PageRead(store._db, JobFilter(requires=(("site", "berlin"),)))
    whole = [desk.run(store._thread.run(lambda: page.slice(lanes))) for _ in range(4)]
    assert whole == [False, False, False, True]
    assert len(page.page().items) == len(asked) == 1


def test_where_no_job_requires_the_label_no_job_is_looked_at(desk: Desk) -> None:
    _thousands(desk, 3)
    assert _looks(desk, requires=(("site", "berlin"),)) == []
    assert list(desk.pages(requires=(("site", "berlin"),))) == [[]]
