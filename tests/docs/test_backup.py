"""docs/operations.md, "Backup": its commands make a backup of a real server, and bring the jobs back from it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

from tests.support.server import Live, gone_at_the_end, live
from tests.support.waiting import until

from .blocks import blocks, section_of

PAGE = "docs/operations.md"


def commands() -> list[str]:
    """Those of the section, in their order."""
    own = [block for block in blocks(PAGE) if "backups" in block.body and block.language == "console"]
    assert all(section_of(PAGE, block.start).startswith("\n## Backup") for block in own)
    return [line[2:] for block in own for line in block.body.splitlines() if line.startswith("$ ")]


def said(command: str, directory: Path, server: Live | None = None) -> str:
    if server is not None:
        command = command.replace("127.0.0.1:8888", f"127.0.0.1:{server.port}")
    return subprocess.check_output(["sh", "-c", command], cwd=directory, text=True, timeout=60)


def test_the_commands_back_a_server_up_and_restore_it(tmp_path: Path) -> None:
    make, ask, *restore = commands()
    assert [shlex.split(line)[0] for line in restore] == ["mv", "cp"]
    with gone_at_the_end(Live(tmp_path)) as server:
        job = server.submit("echo", "kept")
        name = json.loads(said(make, tmp_path, server))["name"]
        until(lambda: json.loads(said(ask, tmp_path, server))["items"][0]["state"] == "done", what="the backup")
        later = server.submit("echo", "made after the backup")
        server.process.kill()
        server.process.communicate()
    (tmp_path / "moved-away").mkdir()
    for line in restore:
        said(re.sub(r"pagehand-20….db", name, line), tmp_path)
    with live(tmp_path) as restored:
        assert restored.job(job["id"])["data"] == "kept"
        assert restored.ask("GET", f"/api/v1/jobs/{later['id']}").status == 404
