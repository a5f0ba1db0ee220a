"""The campaign of faults counts rightly, and its controls can be planted and are noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import faults
from tests.campaigns.record import Record
from tests.campaigns.reliability import page

TREE = """
import pytest

def test_fault_A01_good(): pass
def test_fault_A01_bad(): assert False, "another outcome"
@pytest.mark.parametrize("n", [1, 2])
def test_fault_A02_twice(n): pass
@pytest.fixture
def broken():
    yield
    raise RuntimeError("not torn down")
def test_fault_A03_not_torn_down(broken): pass
def test_fault_A04_skipped(): pytest.skip("no browser")
@pytest.mark.parametrize("n", [1, 2])
def test_fault_A05_half_skipped(n):
    if n == 1:
        pytest.skip("no browser")
def test_fault_A06_not_asked_for(): pass
def test_another(): assert False
"""
ASKED = ["A01", "A02", "A03", "A04", "A05", "B01"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, faults.Outcome]:
    root = tmp_path_factory.mktemp("tree")
    (root / "tests").mkdir()
    (root / "tests" / "test_tree.py").write_text(TREE, encoding="utf-8")
    return faults.inject(root, ASKED)


def test_each_fault_is_counted_by_what_its_tests_said(seen: dict[str, faults.Outcome]) -> None:
    verdicts = {fault: outcome.verdict for fault, outcome in seen.items()}
    assert verdicts == {"A01": "RED", "A02": "as it must", "A03": "RED", "A04": "not run", "A05": "as it must"}
    counts = {fault: (outcome.passed, outcome.red, outcome.skipped) for fault, outcome in seen.items()}
    assert counts["A01"] == (1, 1, 0)
    assert counts["A02"] == (2, 0, 0)
    assert counts["A04"] == (0, 0, 1)
    assert counts["A05"] == (1, 0, 1)
    assert "another outcome" in seen["A01"].words[0]


def test_the_table_says_of_each_fault_what_came_of_it(seen: dict[str, faults.Outcome], tmp_path: Path) -> None:
    shown = {row.id: (row.tests, row.verdict) for row in faults.rows(seen, [*ASKED, "F08"])}
    assert shown["A01"] == (2, "RED")
    assert shown["B01"] == (0, "not injected: no test yet")
    assert shown["F08"] == (0, "not injected: no test yet")
    record = Record("faults", faults=faults.rows(seen, ASKED))
    (tmp_path / "faults.json").write_text(record.written(), encoding="utf-8")
    row = "| A02 | kill -9 before or after each write and sync | the old state or the new one, never one between | 2 |"
    assert f"{row} as it must |" in page(tmp_path)


def test_every_planted_fault_still_has_its_place_in_the_source() -> None:
    assert faults.unplantable() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", faults.SHORT)
def test_a_planted_fault_of_the_program_turns_its_tests_red(name: str) -> None:
    """``make campaign-faults`` plants all of them."""
    found = faults.control(name)
    assert 0 < found.count <= found.of
