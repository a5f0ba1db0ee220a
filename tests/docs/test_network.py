"""The README's box "Open it to your network": its three commands, with this machine's address in the place of all."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

from tests.support.server import live

from .blocks import only


def test_the_commands_that_open_it_to_a_network_work(tmp_path: Path) -> None:
    secret, server, question = only("README.md", "sh", "--bind").splitlines()
    subprocess.run(["sh", "-c", secret], cwd=tmp_path, check=True)
    [make, run, given] = shlex.split(server)
    assert (make, run) == ("make", "run")
    flags = (
        given.removeprefix("ARGS=").replace("0.0.0.0", "127.0.0.1").replace("token.txt", str(tmp_path / "token.txt"))
    )
    with live(tmp_path, *flags.split()) as started:
        curl = question.replace("curl ", f"curl -s --connect-to pagehand.example:8888:127.0.0.1:{started.port} ", 1)
        shown = subprocess.run(["sh", "-c", curl], cwd=tmp_path, capture_output=True, check=True, timeout=20)
        refused = subprocess.run(
            ["sh", "-c", curl.replace("$(cat token.txt)", "wrong")], cwd=tmp_path, capture_output=True, timeout=20
        )
    assert json.loads(shown.stdout)["jobs"]["queued"] == 0
    assert json.loads(refused.stdout)["status"] == 401
