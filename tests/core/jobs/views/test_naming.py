"""The order of names."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.views.naming import beginnings, counted


def test_names_sort_as_people_count() -> None:
    names = ["DESK", "DESK-1", "DESK-2", "DESK-10", "DESK-10b", "DESK-100", "DESK-1000000000000000000000", "TILL 2-3"]
    assert sorted(reversed(names), key=counted) == names


def test_no_two_names_stand_in_one_place() -> None:
    names = ["a1", "a01", "a001", "a", "a10", "a1 0", "1", "01", ""]
    assert len({counted(name) for name in names}) == len(names)


@pytest.mark.parametrize("prefix", ["", "DESK", "DESK-", "DESK-1", "DESK-10", "DESK-12345678901234567890123"])
@pytest.mark.parametrize("behind", ["", "0", "7b", "-", "000", "99999999999999999999999"])
def test_a_name_begins_with_a_prefix_if_its_place_has_one_of_the_beginnings(prefix: str, behind: str) -> None:
    assert any(counted(prefix + behind).startswith(beginning) for beginning in beginnings(prefix))
    assert not any(counted(f"x{prefix}{behind}").startswith(beginning) for beginning in beginnings(prefix) if prefix)


def test_the_beginnings_of_a_prefix_stand_in_order() -> None:
    assert beginnings("DESK-1") == sorted(beginnings("DESK-1"))
