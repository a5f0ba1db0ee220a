"""What docs/install.md shows for containers and for Windows: the files are there, and the server takes the commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import ROOT, environment
from tests.support.server import Live, live
from tests.test_packaging import SOURCES

from .blocks import only

#: Instruction and the rest of its line.
_LINE = re.compile(r"^([A-Z]+) (.+)$", re.M)


def instructions(name: str) -> list[str]:
    text = (ROOT / "docs/Containerfile").read_text("utf-8")
    return [rest for instruction, rest in _LINE.findall(text) if instruction == name]


def settled(directory: Path, flags: list[str]) -> dict[str, Any]:
    """The settings that a server would have with these flags, by name."""
    done = subprocess.run(
        [sys.executable, ROOT / "server.py", *flags, "--print-config"],
        cwd=directory, env=environment() | {"PAGEHAND_TOKEN": "t" * 32}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return tomllib.loads(done.stdout)


def test_a_container_is_built_from_what_a_wheel_is_built_from() -> None:
    given = {name.removeprefix("./") for line in instructions("COPY")[:4] for name in line.split()[:-1]}
    assert given == set(SOURCES) - {"tests"}
    assert all((ROOT / line.split()[0]).exists() for line in instructions("COPY") if not line.startswith("--from"))


def test_a_container_s_command_is_understood_and_its_user_owns_the_store(tmp_path: Path) -> None:
    program, serve, *flags = json.loads(instructions("ENTRYPOINT")[0])
    assert (Path(program).name, serve) == ("pagehand", "serve")
    (tmp_path / "tasks").mkdir()
    found = settled(tmp_path, [flag.replace("/srv/tasks", str(tmp_path / "tasks")) for flag in flags])
    assert "/data/pagehand.db" in found["store"]
    assert instructions("USER") == ["10001"]
    assert "install -d -o 10001 -m 700 /data" in instructions("RUN")[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("healthy")) as started:
        yield started


@pytest.mark.parametrize(("path", "status"), [("/livez", 0), ("/nowhere", 1)])
def test_a_container_s_health_check_asks_the_server(server: Live, path: str, status: int) -> None:
    _, _, command = instructions("HEALTHCHECK")[0].partition("CMD ")
    _, option, code = json.loads(command)
    assert option == "-c"
    assert code.count("127.0.0.1:8888/livez") == 1
    asked = code.replace("127.0.0.1:8888/livez", f"127.0.0.1:{server.port}{path}")
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, timeout=60)
    assert done.returncode == status


def test_the_command_of_the_windows_service_is_understood(tmp_path: Path) -> None:
    service = ET.fromstring(only("docs/install.md", "xml", "<service>"))
    program, *flags = (service.findtext("arguments") or "").split()
    assert program.rpartition("\\")[2] == "server.py"
    here = [flag.replace("C:/ProgramData/Pagehand", str(tmp_path)) for flag in flags]
    assert settled(tmp_path, here)["store"].endswith("pagehand.db")
