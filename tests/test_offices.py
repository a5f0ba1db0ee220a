"""Each fault that offices have met has tests that exist."""

from __future__ import annotations

from tests.offices import MET
from tests.support.places import is_test


def test_each_fault_that_was_met_has_an_answer_and_tests_that_exist() -> None:
    assert [met.what for met in MET if not met.answer or not met.tests] == []
    assert [named for met in MET for named in met.tests if not is_test(named)] == []
    assert len({met.what for met in MET}) == len(MET)


def test_a_test_that_is_not_there_is_seen() -> None:
    assert is_test("test_offices.py::test_a_test_that_is_not_there_is_seen")
    assert not is_test("test_offices.py::test_that_was_renamed")
    assert not is_test("test_gone.py::test_a_test_that_is_not_there_is_seen")
    assert not is_test("test_offices.py")
