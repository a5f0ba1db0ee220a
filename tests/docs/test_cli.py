"""The examples of docs/cli.md: one shell runs them in their order, and each prints what stands below it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dispatcher.sdk.cli.exits import CommandExit
from dispatcher.sdk.cli.program import GROUPS
from tests.support.places import ROOT, environment
from tests.support.server import live, running

from .blocks import blocks

PAGE = "docs/cli.md"
DESK = (
    *("-m", "dispatcher.sdk", "simulate", "--types=word-count", "--workers=1"),
    *("--name-prefix=DESK", "--label=site:berlin", "--url"),
)
_COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).+\n)*)", re.M)
_MARK = "==== the end of a command"


def examples() -> list[tuple[str, str]]:
    """Each command, and what it prints."""
    return [pair for block in blocks(PAGE) if block.language == "console" for pair in _COMMAND.findall(block.body)]


def as_regex(shown: str) -> str:
    return ".*".join(map(re.escape, shown.rstrip("\n").split("…")))


def printed(directory: Path, url: str) -> list[str]:
    """What each command writes, on both streams."""
    program = directory / "bin" / "pagehand"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m dispatcher.sdk "$@"\n')
    program.chmod(0o755)
    script = "".join(f"{command}\necho '{_MARK}'\n" for command, _ in examples())
    environ = environment() | {"PAGEHAND_URL": url}
    environ["PATH"] = f"{program.parent}:{environ['PATH']}"
    done = subprocess.run(
        ["bash"], input=script, cwd=directory, env=environ, text=True, timeout=100,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.stdout.split(f"{_MARK}\n")[:-1]


def test_the_examples_print_what_stands_below_them(tmp_path: Path) -> None:
    with live(tmp_path) as server, running(*DESK, server.url):
        said = printed(tmp_path, server.url)
    assert len(said) == len(examples()) > 15
    wrong = [
        (command, text)
        for (command, shown), text in zip(examples(), said, strict=True)
        if not re.fullmatch(as_regex(shown) + r"\n?", text, re.S)
    ]
    assert wrong == []


def test_the_page_names_each_verb_and_each_exit_status() -> None:
    text = (ROOT / PAGE).read_text("utf-8")
    verbs = [verb.name for group in GROUPS for verb in group.verbs]
    assert [name for name in verbs if not re.search(rf"pagehand {name}\b|`{name}`", text)] == []
    assert re.findall(r"^\| (\d+) \|", text, re.M) == [str(int(status)) for status in CommandExit]
    assert {block.language for block in blocks(PAGE)} == {"console"}
