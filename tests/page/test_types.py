"""static/worker/*.js is free of names that do not exist: TypeScript reads it as ES5 in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from handlers.worker.script import PARTS, PARTS_DIRECTORY, join

from .npm import npm_file

FLAGS = ["--allowJs", "--checkJs", "--noEmit", "--target", "es5", "--lib", "es5,dom"]
#: What a part takes from another, gives to others, and stands between: of no use inside one function.
_TAKES = re.compile(r"^  var (\w+) = parts\.\1;\n", re.M)
_GIVES = re.compile(r"^  parts\.(\w+) = \1;\n", re.M)
_WALLS = re.compile(r"^(?:\(function \(parts\) \{|\}\(parts\)\);)\n", re.M)


def complaints(*paths: Path | str) -> str:
    """TypeScript's complaints about scripts."""
    compiler = npm_file("typescript", "5.9.3", "lib/tsc.js")
    node = shutil.which("node")
    assert node, "npm without node"
    command = [node, str(compiler), *FLAGS, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100).stdout


def one_function() -> str:
    """The script without the walls between its parts, so that TypeScript sees across them."""
    start, parts = join().split("/* worker/", 1)
    start = start.replace("function (parts)", "function (/** @type {any} */ parts)")
    return start + "/* worker/" + _WALLS.sub("", _GIVES.sub("", _TAKES.sub("", parts)))


@pytest.mark.slow
def test_the_worker_names_only_what_exists(tmp_path: Path) -> None:
    script = tmp_path / "worker.js"
    script.write_text(one_function(), encoding="utf-8")
    assert complaints(script) == ""


@pytest.mark.slow
def test_a_part_names_only_what_it_has_or_takes(tmp_path: Path) -> None:
    outside = tmp_path / "parts.d.ts"
    outside.write_text("declare var parts: any;", encoding="utf-8")
    paths = [PARTS_DIRECTORY / part for part in PARTS]
    said = complaints("--noUnusedLocals", outside, *paths).splitlines()
    # That a part alone does not know all methods of a class is no fault.
    assert [line for line in said if "does not exist on type" not in line] == []


def test_a_part_takes_only_what_one_before_it_gives() -> None:
    given: set[str] = set()
    for part in PARTS:
        source = (PARTS_DIRECTORY / part).read_text(encoding="utf-8")
        assert set(_TAKES.findall(source)) - given == set(), part
        gives = _GIVES.findall(source)
        assert given.isdisjoint(gives), part
        given.update(gives)


def test_no_part_is_left_out() -> None:
    assert sorted(PARTS) == sorted(path.name for path in PARTS_DIRECTORY.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("call", ["this._identity.claim();", "this._sendProgress(attempt);"])
def test_a_method_that_does_not_exist_is_caught(tmp_path: Path, call: str) -> None:
    source = one_function()
    planted = source.replace(call, call.replace("(", "s("), 1)
    assert planted != source
    (tmp_path / "worker.js").write_text(planted, encoding="utf-8")
    assert "s' does not exist" in complaints(tmp_path / "worker.js")
