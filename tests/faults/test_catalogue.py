"""Each of the 86 faults has a test that injects it, or a reason why none can; and this check can fail."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS, NOT_INJECTED, id_of, injected

COUNTS = {"A": 18, "B": 15, "D": 20, "E": 16, "F": 10, "G": 7}
LEAST = 80


def problems(tests: Mapping[str, list[str]], reasons: Mapping[str, str]) -> list[str]:
    """What is wrong with these tests and these reasons; empty: nothing."""
    found = [f"{fault}: there is neither a test nor a reason" for fault in FAULTS if fault not in {*tests, *reasons}]
    found += [
        f"{fault}: injected by {tests[fault]}, so it needs no reason"
        for fault in FAULTS
        if fault in tests and fault in reasons
    ]
    found += [f"{fault}: there is no such fault ({tests[fault]})" for fault in tests if fault not in FAULTS]
    found += [f"{fault}: there is no such fault" for fault in reasons if fault not in FAULTS]
    found += [f"{fault}: an empty reason is none" for fault in reasons if not reasons[fault].strip()]
    count = len(set(tests) & set(FAULTS))
    return found if count >= LEAST else [*found, f"only {count} are injected, and it should be {LEAST}"]


def test_the_catalogue_has_86_faults_each_with_what_must_come_of_it():
    assert list(FAULTS) == [f"{part}{number:02}" for part, count in COUNTS.items() for number in range(1, count + 1)]
    assert len(FAULTS) == 86
    assert all(fault.what and fault.expected for fault in FAULTS.values())
    assert len({fault.what for fault in FAULTS.values()}) == 86


def test_every_fault_is_injected_by_a_test_or_says_why_not():
    assert problems(injected(), NOT_INJECTED) == []


# negative controls

ALL = {fault: [f"x.py::test_fault_{fault}_x"] for fault in FAULTS}


@pytest.mark.parametrize(
    ("tests", "reasons", "word"),
    [
        ({fault: ALL[fault] for fault in FAULTS if fault != "D06"}, {}, "D06: there is neither"),
        (ALL, {"D06": "no"}, "D06: injected by"),
        (ALL | {"A19": ["x"]}, {}, "A19: there is no such fault"),
        (ALL, {"Z01": "no"}, "Z01: there is no such fault"),
        ({fault: ALL[fault] for fault in FAULTS if fault != "D06"}, {"D06": " "}, "D06: an empty reason"),
        (
            {fault: ALL[fault] for fault in FAULTS if fault[0] != "G"},
            {fault: "no" for fault in FAULTS if fault[0] == "G"},
            "only 79",
        ),
    ],
)
def test_what_is_missing_or_too_much_is_seen(tests, reasons, word):
    assert problems(ALL, {}) == []
    (found,) = problems(tests, reasons)
    assert found.startswith(word)


def test_only_tests_that_are_collected_and_may_run_count(tmp_path: Path):
    (tmp_path / "test_x.py").write_text(
        "import pytest\n"
        "def test_fault_A01_one(): pass\n"
        "async def test_fault_A02_two(): pass\n"
        "class TestThings:\n    def test_fault_A03_three(self): pass\n"
        "class Helper:\n    def test_fault_A04_four(self): pass\n"
        "@pytest.mark.skip\ndef test_fault_A05_five(): pass\n"
        "@pytest.mark.xfail(reason='x')\ndef test_fault_A06_six(): pass\n"
        "@pytest.mark.skipif(False, reason='x')\ndef test_fault_A07_seven(): pass\n"
        "def outer():\n    def test_fault_A08_eight(): pass\n"
        "def test_fault_A9_nine(): pass\n"
    )
    (tmp_path / "support.py").write_text("def test_fault_A10_ten(): pass\n")
    assert sorted(injected(tmp_path)) == ["A01", "A02", "A03", "A07"]


def test_the_id_is_read_from_a_name_with_two_digits():
    assert id_of("test_fault_D06_headers_only") == "D06"
    assert [id_of(name) for name in ("test_fault_D6_x", "test_fault_D06", "test_D06_x", "test_fault_d06_x")] == [
        None
    ] * 4
