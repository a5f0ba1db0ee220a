"""A name has one meaning: no two classes of the program share one, and no word has another meaning in another part."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from dispatcher.sdk.client.answers import error_of
from dispatcher.sdk.client.exchange import ServerAnswer

#: Errors that the client raises when the server has raised them.
BOTH_SIDES = {
    "Draining",
    "Forbidden",
    "Invalid",
    "KeyConflict",
    "QueueFull",
    "StorageFull",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "WrongState",
}
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
    found = homonyms({path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in files})
    assert [line for line in found if not (line.split(":")[0] in BOTH_SIDES and "sdk/client/errors.py" in line)] == []


#: Words that mean something else elsewhere, and where they do not stand: docs/design.md says what they mean.
TAKEN = {
    r"evidence": ("dispatcher/transport", "dispatcher/core/workers", "dispatcher/core/fleet", "dispatcher/pages"),
    r"adopt\w*": ("dispatcher/transport", "dispatcher/core/workers", "dispatcher/core/fleet", "dispatcher/pages"),
}


@pytest.mark.parametrize("word", TAKEN)
def test_a_word_of_another_part_is_not_used_for_something_else(word: str) -> None:
    files = [path for top in TAKEN[word] for path in (ROOT / top).rglob("*.py")]
    assert len(files) > 10
    found = re.compile(rf"(?<![A-Za-z]){word}(?![A-Za-z])", re.IGNORECASE)
    assert [path.relative_to(ROOT).as_posix() for path in files if found.search(path.read_text("utf-8"))] == []


def errors_with_codes(text: str) -> dict[str, str]:
    """The codes of the classes in a file of the server's errors."""
    found = {}
    for node in ast.parse(text).body:
        codes = re.findall(r'code = "(\w+)"|code="(\w+)"', ast.get_source_segment(text, node) or "")
        if isinstance(node, ast.ClassDef) and codes:
            found[node.name] = "".join(codes[0])
    return found


def test_an_error_of_the_client_that_is_called_like_one_of_the_server_is_that_one() -> None:
    """They are two classes, because the client stands alone; to users they are one thing."""
    server = errors_with_codes((ROOT / "dispatcher/errors.py").read_text("utf-8"))
    server |= errors_with_codes((ROOT / "handlers/errors.py").read_text("utf-8"))
    shared = {name: server[name] for name in BOTH_SIDES}
    made = {code: type(error_of(answer(code, status))) for code, status in {
        "bad_token": 401, "forbidden": 403, "wrong_state": 409, "key_conflict": 422, "too_large": 413,
        "unavailable": 503, "queue_full": 503, "storage_full": 503, "draining": 503, "invalid": 422,
    }.items()}  # fmt: skip
    assert {kind.__name__: code for code, kind in made.items()} == shared


def answer(code: str, status: int) -> ServerAnswer:
    body = json.dumps({"code": code, "status": status, "detail": "no"}).encode()
    return ServerAnswer(status, {"content-type": "application/problem+json"}, body)


def test_a_planted_homonym_is_found() -> None:
    outer = "class Outer:\n    class _Held:\n        pass\n"
    assert homonyms({"a.py": "class Held: ...", "b.py": outer}) == ["Held: a.py:1, b.py:2"]
    assert homonyms({"a.py": "class Held: ...\nclass Holder: ...", "b.py": "def Held(): ...\nHolder = 1"}) == []
