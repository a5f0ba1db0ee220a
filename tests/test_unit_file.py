"""The systemd unit that docs/operations.md shows: systemd understands each line, and its command is one."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.missing import missing
from tests.support.places import ROOT, environment

#: Newer than the systemd of Debian 12; docs/operations.md says so.
YOUNG = ("RestartSteps", "RestartMaxDelaySec")


def unit(directory: Path) -> str:
    """With its paths under this directory, and with a program where it says that one is."""
    shown = re.search(r"```ini\n(.*?)```", (ROOT / "docs/operations.md").read_text("utf-8"), re.S)
    assert shown is not None
    program = directory / "venv" / "bin" / "pagehand"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (directory / "tasks").mkdir()
    return shown[1].replace("/srv/pagehand", str(directory))


def complaints(file: Path, text: str) -> list[str]:
    """What ``systemd-analyze verify`` says of a unit, without what it is too old for."""
    if shutil.which("systemd-analyze") is None:
        missing("needs systemd-analyze (Debian: apt-get install systemd)")
    file.write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, timeout=60)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if file.name in line and not any(f"'{name}'" in line for name in YOUNG)]


@pytest.mark.parametrize(
    ("right", "wrong"), [("", ""), ("NoNewPrivileges=", "NoNewPrivilege="), ("RestartSec=1", "RestartSec=soon")]
)
def test_systemd_understands_every_line_of_the_unit(tmp_path: Path, right: str, wrong: str) -> None:
    """And a line that it does not understand would be seen."""
    text = unit(tmp_path)
    found = complaints(tmp_path / "pagehand.service", text.replace(right, wrong))
    assert bool(found) == bool(wrong), found


def test_the_command_of_the_unit_is_understood(tmp_path: Path) -> None:
    line = re.search(r"^ExecStart=(.+)$", unit(tmp_path), re.M)
    assert line is not None
    program, serve, *flags = shlex.split(line[1])
    assert (Path(program).name, serve) == ("pagehand", "serve")
    done = subprocess.run(
        [sys.executable, ROOT / "server.py", *flags, "--print-config"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"sqlite:///{tmp_path}/pagehand.db" in done.stdout
