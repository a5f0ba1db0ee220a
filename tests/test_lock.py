"""``requirements.lock`` names what setup.py asks for, and all that this needs, in one version each and with digests."""

from __future__ import annotations

import re
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.places import ROOT

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([A-Za-z0-9.!+]+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M)
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PINNED = {canonicalize_name(name): version for name, version, _ in _PINNED.findall(LOCK)}


def needed_by(name: str) -> list[Requirement]:
    """What this package asks for as it is installed here, without its extras."""
    found = [Requirement(line) for line in requires(name) or []]
    return [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]


def fits(one: Requirement) -> bool:
    version = PINNED.get(canonicalize_name(one.name))
    return version is not None and one.specifier.contains(version, prereleases=True)


def test_what_setup_py_asks_for_is_there_in_a_version_that_fits() -> None:
    asked = needed_by("pagehand")
    assert len(asked) >= 6
    assert [str(one) for one in asked if not fits(one)] == [], "run: make lock"


@pytest.mark.parametrize("name", PINNED)
def test_what_a_package_needs_is_there_too(name: str) -> None:
    assert [str(one) for one in needed_by(name) if not fits(one)] == [], "run: make lock"


def test_nothing_is_there_that_nobody_needs() -> None:
    found: set[str] = set()
    waiting = ["pagehand"]
    while waiting:
        needed = {canonicalize_name(one.name) for one in needed_by(waiting.pop())} - found
        found |= needed
        waiting += needed
    assert set(PINNED) == found


def test_it_holds_pins_and_digests_and_no_address_of_an_index() -> None:
    comments = "".join(line for line in LOCK.splitlines(keepends=True) if line.startswith("#"))
    assert _PINNED.sub("", LOCK) == comments
    assert not re.search(r"://|--(?!hash=|require-hashes|no-deps)", LOCK)
