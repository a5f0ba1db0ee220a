"""Which filters of a list an index answers alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState

NAMES = [JobFilter(tags=("a",)), JobFilter(batch="b"), JobFilter(key="k")]


@pytest.mark.parametrize("name", NAMES)
def test_one_name_is_asked_for_alone_wherever_the_page_begins(name: JobFilter) -> None:
    assert name.only_names()
    assert replace(name, limit=1, cursor="c").only_names()
    for more in ({"type": "t"}, {"states": (JobState.FAILED,)}, {"created_after": 1.0}, {"worker": "w"}):
        assert not replace(name, **more).only_names()


@pytest.mark.parametrize("wanted", [JobFilter(), JobFilter(tags=("a", "b")), JobFilter(batch="b", key="k")])
def test_no_name_or_several_are_not_one(wanted: JobFilter) -> None:
    assert not wanted.only_names()


def test_states_alone_are_asked_for_where_no_name_is() -> None:
    assert JobFilter(states=(JobState.FAILED,), limit=3).only_states()
    assert not any(name.only_states() for name in NAMES)


@pytest.mark.parametrize("wanted", [JobFilter(), JobFilter(type="t"), JobFilter(states=(JobState.FAILED,), type="t")])
def test_jobs_of_a_type_in_some_states_are_counted_wherever_the_page_begins(wanted: JobFilter) -> None:
    assert replace(wanted, limit=1, cursor="c", snippets=True).is_counted()
    for more in ({"worker": "w"}, {"search": "x"}, {"ended_after": 1.0}, {"owner": "o"}, {"tags": ("a",)}):
        assert not replace(wanted, **more).is_counted()
