"""Which jobs a list asks for."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.matching import requirement_of, requires, wanted_of
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState

ZEBRA = requirement_of({"site": "berlin", "printer": ["zebra", "brother"]})


@pytest.mark.parametrize(
    ("asked", "alone"),
    [
        ({"state": JobState.FAILED}, True),
        ({"type": "a"}, False),
        ({"worker": "DESK-1"}, False),
        ({"requires": (("name", "DESK-1"),)}, False),
    ],
)
def test_a_filter_knows_whether_it_asks_for_a_state_alone(asked, alone: bool) -> None:
    assert JobFilter(**asked).only_state() is alone


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], True),
        ([("site", "berlin")], True),
        ([("printer", "zebra"), ("site", "berlin")], True),
        ([("printer", "zebra"), ("site", "paris")], False),
        ([("name", "DESK-1")], False),
    ],
)
def test_a_list_finds_jobs_that_require_a_value_among_others(wanted, found: bool) -> None:
    assert requires(ZEBRA, wanted) is found


def test_a_requirement_is_shown_as_it_was_written() -> None:
    assert wanted_of(ZEBRA) == {"site": "berlin", "printer": ["brother", "zebra"]}
    assert requirement_of(wanted_of(ZEBRA)) == ZEBRA
