"""The README's box "Open it to your network": its three commands, with this machine's address in the place of all."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

from tests.support.server import live

from .blocks import blocks, only


def test_the_commands_that_open_it_to_a_network_work(tmp_path: Path) -> None:
    secret, server = only("README.md", "sh", "--bind").splitlines()
    [question] = only("README.md", "sh", "Bearer").splitlines()
    subprocess.run(["sh", "-c", f"umask 022; {secret}"], cwd=tmp_path, check=True)
    [make, run, given] = shlex.split(server)
    assert (make, run) == ("make", "run")
    token = tmp_path / "token.txt"
    flags = given.removeprefix("ARGS=").replace("0.0.0.0", "127.0.0.1").replace("token.txt", str(token))
    (elsewhere := tmp_path / "another-pc").mkdir()
    with live(tmp_path, *flags.split()) as started:
        curl = question.replace("curl ", f"curl -s --connect-to pagehand.example:8888:127.0.0.1:{started.port} ", 1)
        shown, refused = (
            json.loads(subprocess.check_output(["sh", "-c", asked], cwd=elsewhere, timeout=20))
            for asked in (curl.replace("SECRET", token.read_text("utf-8").strip()), curl)
        )
    assert token.stat().st_mode & 0o077 == 0
    assert shown["jobs"]["queued"] == 0
    assert refused["status"] == 401


def test_no_command_that_is_typed_elsewhere_reads_a_file_of_the_server() -> None:
    """Windows' shells have no ``$(cat ...)`` either."""
    pages = ("README.md", "docs/offices.md", "docs/api.md", "docs/operations.md", "docs/install.md", "docs/tasks.md")
    asked = [line for page in pages for block in blocks(page) for line in block.body.splitlines() if "curl" in line]
    assert len(asked) > 5
    assert [line for line in asked if "$(" in line or "token.txt" in line] == []


def test_no_command_writes_a_secret_that_others_may_read() -> None:
    pages = ("README.md", "docs/offices.md", "docs/operations.md", "docs/install.md")
    made = [line for page in pages for block in blocks(page) for line in block.body.splitlines() if "rand" in line]
    assert len(made) == 2
    assert [line for line in made if "umask 077;" not in line and " -m 640 " not in line] == []
