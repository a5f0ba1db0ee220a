"""Each fault that offices have met has tests that exist, and each clause of what was asked for has a row."""

from __future__ import annotations

from tests.offices import HANDED_IN
from tests.offices_asked import ASKED
from tests.offices_read import READ
from tests.support.places import is_test

MET = HANDED_IN + READ


def test_each_fault_that_was_met_has_an_answer_and_tests_that_exist() -> None:
    assert [met.what for met in MET if not met.answer or not met.tests] == []
    assert [named for met in MET for named in met.tests if not is_test(named)] == []
    assert len({met.what for met in MET}) == len(MET)


def test_each_clause_of_what_was_asked_for_has_a_row_and_each_row_was_asked_for() -> None:
    rows = {met.what for met in MET}
    pointed = {what for clauses in ASKED.values() for what in clauses.values()}
    lacking = [(entry, part) for entry, clauses in ASKED.items() for part, what in clauses.items() if what not in rows]
    assert lacking == []
    assert rows - pointed == set()
    assert [entry for entry, clauses in ASKED.items() if not clauses] == []


def test_a_test_that_is_not_there_is_seen() -> None:
    assert is_test("test_offices.py::test_a_test_that_is_not_there_is_seen")
    assert not is_test("test_offices.py::test_that_was_renamed")
    assert not is_test("test_gone.py::test_a_test_that_is_not_there_is_seen")
    assert not is_test("test_offices.py")
