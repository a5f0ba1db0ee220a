"""Every pitfall is either tested under its number or listed with the reason why it is none here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.transport import test_pitfalls_p, test_pitfalls_q


def numbers_in(path: str) -> set[str]:
    tree = ast.parse(Path(path).read_text("utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {found[1] for name in names if (found := re.match(r"test_([pq]\d\d)_", name))}


@pytest.mark.parametrize(("module", "letter", "last"), [(test_pitfalls_p, "p", 22), (test_pitfalls_q, "q", 23)])
def test_each_number_is_tested_or_listed_and_never_both(module, letter: str, last: int) -> None:
    numbers = {f"{letter}{number:02}" for number in range(1, last + 1)}
    listed = set(module.DO_NOT_APPLY)
    assert numbers_in(module.__file__) | listed == numbers
    assert numbers_in(module.__file__) & listed == set()
    assert all(len(reason) > 20 for reason in module.DO_NOT_APPLY.values())
