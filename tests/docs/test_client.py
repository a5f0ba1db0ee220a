"""The examples of docs/client.md: they run in their order, as one program, and print what stands behind them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dispatcher import sdk
from dispatcher.sdk.client.config import find_config
from tests.support.places import ROOT, environment
from tests.support.server import live, running

from .blocks import blocks, only

PAGE = "docs/client.md"
DESK = ("-m", "dispatcher.sdk", "simulate", "--types=word-count", "--workers=1", "--name-prefix=DESK", "--url")
#: A line that prints, and what it prints.
_PRINTS = re.compile(r"^ *print\(.*\)  # (.+)$", re.M)


def as_regex(shown: str) -> str:
    return ".*".join(map(re.escape, shown.split("…")))


def test_the_examples_print_what_stands_behind_them(tmp_path: Path) -> None:
    (tmp_path / "pagehand").symlink_to(ROOT / "dispatcher" / "sdk")
    program = "".join(block.body for block in blocks(PAGE) if block.language == "python")
    shown = _PRINTS.findall(program)
    assert len(shown) == program.count("print(") > 10
    with live(tmp_path) as server, running(*DESK, server.url):
        given = program.replace("http://127.0.0.1:8888", server.url)
        environ = environment() | {"PYTHONPATH": str(tmp_path), "PAGEHAND_URL": server.url}
        done = subprocess.run([sys.executable, "-c", given], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [pair for pair in zip(shown, said, strict=True) if not re.fullmatch(as_regex(pair[0]), pair[1])] == []


def test_the_file_of_settings_is_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(only(PAGE, "toml"), "utf-8")
    config = find_config(None, None, environ={}, path=path)
    assert (config.url, config.token) == ("https://jobs.example:443/pagehand", "SECRET")


def test_the_page_is_python_and_one_file_of_settings_and_names_each_exception() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    assert {block.language for block in blocks(PAGE)} == {"python", "toml"}
    errors = {name for name in sdk.__all__ if name in vars(sys.modules["dispatcher.sdk.client.errors"])}
    assert {name for name in errors if f"`{name}`" not in text} == {"JobUnsuccessful", "RequestRefused"}
