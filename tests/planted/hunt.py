"""Hunts planted bugs: plants each in a copy of the program and runs the tests that should find it there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.planted import core, page, protocol, store
from tests.planted.bug import MODEL, Bug, copy_tree, plant

__all__ = ["AREAS", "Find", "HuntFailed", "area_of", "bugs", "control", "hunt", "passed"]

#: Area -> its bugs by name. No name is in two areas.
AREAS = {"core": core.BUGS, "store": store.BUGS, "protocol": protocol.BUGS | page.BUGS}
#: Examples of the model test; some bugs need them all.
EXAMPLES = 700
#: A bug that is not found in this time counts as not found.
TIMEOUT_S = 180
_FAILED = re.compile(r"^(?:FAILED|ERROR) tests/(?P<test>.+?)(?: - (?P<why>.*))?$", re.MULTILINE)


class HuntFailed(Exception):
    """The tests did not run, or the copy without a bug fails: this says nothing about bugs."""


class Find(NamedTuple):
    """The outcome of a hunt."""

    area: str
    name: str
    #: The test that found it; None if none did.
    test: str | None
    #: What the test said.
    why: str
    seconds: float


def bugs() -> dict[str, Bug]:
    """All bugs by name."""
    return {name: bug for area in AREAS.values() for name, bug in area.items()}


def area_of(name: str) -> str:
    """Raises KeyError for a name that no bug has."""
    for area, planted in AREAS.items():
        if name in planted:
            return area
    raise KeyError(name)


def hunt(name: str, *, examples: int = EXAMPLES) -> Find:
    """Plants one bug and runs its tests until one fails. Raises Misfit and HuntFailed."""
    bug = bugs()[name]
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        plant(name, bug, tree)
        begun = time.monotonic()
        test, why = _run(tree, bug.found_by.split(), examples, what=name)
        return Find(area_of(name), name, test, why, round(time.monotonic() - begun, 1))


def control(names: Iterable[str], *, examples: int = EXAMPLES) -> float:
    """Runs the tests for these bugs in a copy without any, and returns seconds. Raises HuntFailed if they fail."""
    return passed({file for name in names for file in bugs()[name].found_by.split()}, examples=examples)


def passed(tests: Iterable[str], *, examples: int = EXAMPLES) -> float:
    """Runs these files, or single tests, in a copy without a bug. Returns seconds. Raises HuntFailed if one fails."""
    wanted, begun = sorted(set(tests)), time.monotonic()
    others = [test for test in wanted if test != MODEL]
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy_tree(Path(folder))
        for some in [[MODEL]] * (MODEL in wanted) + [others] * bool(others):
            test, why = _run(Path(folder), some, examples, what="the control")
            if test is not None:
                raise HuntFailed(f"the copy without a bug fails {test}: {why}")
    return round(time.monotonic() - begun, 1)


def _run(tree: Path, tests: list[str], examples: int, *, what: str) -> tuple[str | None, str]:
    """(the test that failed, what it said), or (None, "")."""
    command = [sys.executable, "-m", "tests.planted.model", str(examples)]
    if tests != [MODEL]:
        options = ["-q", "-x", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, *tests]
    environ = os.environ | {
        "COLUMNS": "240",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        "ASYNC_TEST_TIMEOUT": "15",
    }
    try:
        done = subprocess.run(
            command, cwd=tree, env=environ, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None, ""
    if done.returncode == 0:
        return None, ""
    found = _found(done.stdout, tests) if done.returncode == 1 else None
    if found is None:
        raise HuntFailed(f"{what}: {' '.join(command[2:])} did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found


def _found(output: str, tests: list[str]) -> tuple[str, str] | None:
    if tests == [MODEL]:
        said, found, why = output.strip().partition("found: ")
        return ("core/model/test_model.py", why) if found and not said else None
    match = _FAILED.search(output)
    return None if match is None else (match["test"], match["why"] or "")
