"""docs/operations.md, "When pages or programs do not get through": the command prints what stands there."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT, environment
from tests.support.server import live

from .blocks import only, section_of

PAGE = "docs/operations.md"
SHOWN = only(PAGE, "console", "pagehand doctor")


def test_the_example_prints_what_stands_there(tmp_path: Path) -> None:
    command, *shown = SHOWN.splitlines()
    with live(tmp_path) as server:
        server.submit("print-lable", "x")
        program, *words = shlex.split(command.removeprefix("$ ").replace(":8888", f":{server.port}"))
        assert program == "pagehand"
        done = subprocess.run(
            [sys.executable, "-m", "dispatcher.sdk", *words, "--hold-s", "1"], cwd=ROOT, env=environment(),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    said = done.stdout.replace(f"port {server.port}", "port 8888")
    pattern = "\n".join(r"(?:.*\n)*?.*" if line == "…" else re.escape(line).replace("…", r"\d+") for line in shown)
    assert re.fullmatch(pattern + "\n", said), said


def test_the_table_names_each_check_and_nothing_else() -> None:
    section = section_of(PAGE, (ROOT / PAGE).read_text("utf-8").index("\n| check | finds |"))
    named = {name for row in re.findall(r"^\| (`.*?) \|", section, re.M) for name in re.findall(r"`(\w+)`", row)}
    made = set()
    for module in ("gate", "way", "farm"):
        for node in ast.walk(ast.parse((ROOT / "dispatcher/sdk/doctor" / f"{module}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "found",
                "noted",
                "wrong",
                "skipped",
                "_cut",
            ):
                assert isinstance(node.args[0], ast.Constant | ast.Name)
                made |= {node.args[0].value} if isinstance(node.args[0], ast.Constant) else set()
    assert named == made
