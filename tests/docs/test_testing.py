"""The examples of docs/testing.md: the files of an application and its tests, and pytest runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT, environment

from .blocks import blocks

PAGE = "docs/testing.md"
_NAME = re.compile(r"^(?:#|//) (\S+\.(?:py|js))\n")


def put_files(directory: Path) -> set[str]:
    """Each block is the file that its first line names."""
    names = set()
    for block in blocks(PAGE):
        name = _NAME.match(block.body)
        assert name, block.body
        path = directory / name[1]
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.body, "utf-8")
        names.add(name[1])
    return names


def test_the_examples_pass_with_pytest_alone_and_without_a_warning(tmp_path: Path) -> None:
    names = put_files(tmp_path)
    assert len(names) == len(blocks(PAGE)) == 7
    (tmp_path / "pagehand").symlink_to(ROOT / "dispatcher" / "sdk")
    given = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "pagehand.testing.plugin"]
    environ = environment() | {"PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(given, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = sum(block.body.count("\ndef test_") for block in blocks(PAGE))
    assert re.search(rf"^{tests} passed in", done.stdout, re.M), done.stdout
