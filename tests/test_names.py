"""A class name has one meaning: no two classes of the program share one, even in different modules."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def homonyms(texts: Mapping[str, str]) -> list[str]:
    """Names that occur twice, with their places. A leading underscore or nesting does not make another name."""
    places = defaultdict(list)
    for file, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{file}:{node.lineno}")
    return [f"{name}: {', '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1]


def test_no_class_name_stands_twice_in_the_program() -> None:
    files = [ROOT / "server.py", *(ROOT / "dispatcher").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")]
    assert homonyms({path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files}) == []


def test_a_planted_homonym_is_found() -> None:
    outer = "class Outer:\n    class _Held:\n        pass\n"
    assert homonyms({"a.py": "class Held: ...", "b.py": outer}) == ["Held: a.py:1, b.py:2"]
    assert homonyms({"a.py": "class Held: ...\nclass Holder: ...", "b.py": "def Held(): ...\nHolder = 1"}) == []
