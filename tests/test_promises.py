"""The page of promises names tests that exist, and faults that were found."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from tests import promises
from tests.campaigns.record import RECORDS
from tests.promises import PROOFS, Proof, seen_to_fail
from tests.support.places import ROOT, is_test

CONTROLS = {
    f"{path.stem}: {control['what']}"
    for path in RECORDS.glob("*.json")
    for control in json.loads(path.read_text(encoding="utf-8"))["controls"]
    if control["count"] and control["must_fail"]
}


def missing(proofs: Mapping[str, Proof]) -> list[str]:
    """Names that lead nowhere."""
    return [
        f"{name}: {named}"
        for name, proof in proofs.items()
        for named in [*filter(None, map(_missing_check, proof.checks)), *(set(proof.controls) - CONTROLS)]
    ]


def _missing_check(check: str) -> str | None:
    if "::" not in check:
        return None if (RECORDS / f"{check.removeprefix('campaign ')}.json").exists() else check
    return None if is_test(check) else check


def test_the_table_of_the_page_is_fresh() -> None:
    text = promises.PAGE.read_text(encoding="utf-8")
    assert text == promises.page(text), "run: python -m tests.promises"


def test_each_promise_of_the_page_has_checks_that_exist_and_were_seen_to_fail() -> None:
    stated = re.findall(r"^- \*\*(S\d+b?)\.", promises.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert stated == list(PROOFS), "each promise has a proof, in the page's order"
    assert [name for name, proof in PROOFS.items() if not proof.checks or len(seen_to_fail(name)) < 2] == []
    assert missing(PROOFS) == []


@pytest.mark.parametrize(
    "proof",
    [
        Proof(("core/workers/test_retry.py::test_that_was_renamed",), ()),
        Proof(("core/test_that_is_gone.py::test_the_backoff",), ()),
        Proof(("campaign never",), ()),
        Proof((), ("a worker is never freed",)),
        Proof((), ("kill: synchronous=OFF",)),
    ],
)
def test_what_is_not_there_is_seen(proof: Proof) -> None:
    assert len(missing({"S1": proof})) == 1


def test_every_invariant_that_a_test_names_stands_on_the_page() -> None:
    page = promises.PAGE.read_text(encoding="utf-8")
    stated = set(re.findall(r"^\| (I\d+b?) \|", page, re.MULTILINE)) | set(PROOFS)
    for path in sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "dispatcher").rglob("*.py")):
        named = set(re.findall(r"(?:promise |\(|\"|, )([SI]\d{1,2}b?)(?=[:,)\"])", path.read_text(encoding="utf-8")))
        assert named - stated == set(), path
