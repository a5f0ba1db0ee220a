"""The list of controls in docs/security.md: it is whole, and each test that it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.places import ROOT

_ROW = re.compile(r"^\| (X\d+) \| (.+?) \| (.+) \|$", re.M)
ROWS = {name: told for name, _, told in _ROW.findall((ROOT / "docs" / "security.md").read_text("utf-8"))}
#: What would run or unpack what somebody sends.
_RUNS = {"eval", "exec", "compile", "__import__"}
_UNPACKS = {"pickle", "marshal", "shelve", "yaml", "socketio"}


def named(told: str) -> list[tuple[str, str]]:
    """The file and the name of each test in a row."""
    return re.findall(r"`([\w/]+\.py)::(\w+)`", told)


def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_list_has_all_its_controls_in_order() -> None:
    assert list(ROWS) == [f"X{number}" for number in range(1, 30)]


@pytest.mark.parametrize("control", ROWS)
def test_each_control_has_tests_that_exist_or_is_said_to_be_open(control: str) -> None:
    told = ROWS[control]
    tests = named(told)
    assert tests or told.startswith("open"), told
    for path, name in tests:
        assert name in functions_in(path), f"{path}::{name}"


def sources() -> Iterator[ast.AST]:
    for folder in ("dispatcher", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text("utf-8"))


def test_nothing_that_came_from_others_is_run_or_unpickled() -> None:
    found: set[str] = set()
    for tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found.add(node.func.id)
            elif isinstance(node, ast.Import):
                found.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    assert "len" in found, "the program was read"
    assert not found & (_RUNS | _UNPACKS)
