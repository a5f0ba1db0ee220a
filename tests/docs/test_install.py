"""The commands of docs/install.md, in a directory in the place of /srv/pagehand, up to a new version and back.

A user and a service would change this machine, and an index would need the network. So ``sudo`` only runs what follows
it, ``useradd`` notes what it is asked for, ``systemctl`` starts the unit's command, and pip finds what it needs here.
"""

from __future__ import annotations

import getpass
import http.client
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.places import ROOT, environment
from tests.support.server import port_in
from tests.test_packaging import copied

from .blocks import only

pytestmark = pytest.mark.slow

PAGE = "docs/install.md"
#: What the page says to add to the unit's command; a test must stay on this machine.
FLAGS = "--bind 127.0.0.1 --port 0 --token-file {home}/token --allow-host pagehand.example"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Machine:
    """Runs commands as they stand on the page."""

    def __init__(self, directory: Path) -> None:
        self.checkout = copied(directory / "checkout")
        self.home = directory / "srv"
        self.users = directory / "users"
        self._programs = directory / "programs"
        self._programs.mkdir()
        self._shim("sudo", 'exec "$@"')
        self._shim("useradd", f'echo "$@" >> {self.users}')
        self._shim("python3", f'exec {sys.executable} "$@"')
        self._server: subprocess.Popen[str] | None = None
        self.port = 0

    def _shim(self, name: str, script: str) -> None:
        path = self._programs / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, block: str) -> None:
        for line in block.splitlines():
            words = shlex.split(line)
            if words[:2] == ["sudo", "systemctl"]:
                self._systemctl(words[2])
                continue
            here = line.replace("/srv/pagehand", str(self.home)).replace("-o pagehand -g pagehand", f"-o {me()}")
            here = here.replace("-o root -g pagehand", f"-o {me()}")
            environ = environment() | OFFLINE | {"PATH": f"{self._programs}:{os.environ['PATH']}"}
            environ.pop("PYTHONPATH")
            done = subprocess.run(
                ["sh", "-c", here], cwd=self.checkout, env=environ, capture_output=True, text=True, timeout=100
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            if words[-3:-1] == ["-m", "venv"]:
                self._lend(here.split()[-1])

    def _lend(self, environment: str) -> None:
        """Lets a new environment find this one's packages: those to build with first, all others behind its own."""
        [site] = (self.checkout / environment).glob("lib/python*/site-packages")
        there = sysconfig.get_path("purelib")
        line = f"import sys; sys.path.insert(0, {there!r})" if environment == "build-venv" else there
        (site / "lent.pth").write_text(line + "\n", "utf-8")

    def _systemctl(self, verb: str) -> None:
        if verb in ("enable", "start"):
            unit = re.search(r"^ExecStart=(.+)$", (ROOT / "docs/operations.md").read_text("utf-8"), re.M)
            assert unit is not None
            command = shlex.split(f"{unit[1]} {FLAGS}".replace("/srv/pagehand", "{home}").format(home=self.home))
            environ = environment()
            environ.pop("PYTHONPATH")
            self._server = subprocess.Popen(
                command, cwd=self.home, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            assert self._server.stdout is not None
            banner = ""
            while (port := port_in(banner)) is None:
                banner += (line := self._server.stdout.readline())
                assert line, banner
            self.port = port
        elif verb == "stop":
            self.stop()

    def stop(self) -> None:
        if self._server is not None:
            self._server.terminate()
            assert self._server.wait(timeout=40) == 0
            assert self._server.stdout is not None
            self._server.stdout.close()
            self._server = None

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, dict[str, object]]:
        token = (self.home / "token").read_text("utf-8").strip()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body or None, headers | {"Host": "pagehand.example"})
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    def version(self) -> str:
        return subprocess.check_output([self.home / "venv/bin/pagehand", "--version"], text=True).strip()


def me() -> str:
    return getpass.getuser()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.stop()


def test_the_service_is_installed_upgraded_and_brought_back_by_the_page_s_commands(machine: Machine) -> None:
    machine.run(only(PAGE, "sh", "useradd"))
    assert machine.users.read_text().split()[-1] == "pagehand"
    assert (machine.home / "token").stat().st_mode & 0o777 == 0o640
    assert machine.home.stat().st_mode & 0o777 == 0o750
    machine.run(only(PAGE, "sh", "enable --now"))
    status, job = machine.ask("POST", "/api/v1/jobs", '{"type": "word-count", "data": "to be"}')
    assert status == 201
    for name in ("dispatcher", "dispatcher/sdk"):
        newer = machine.checkout / name / "__init__.py"
        newer.write_text(newer.read_text("utf-8").replace('__version__ = "0.1.0"', '__version__ = "0.2.0"'), "utf-8")
    machine.run("build-venv/bin/pip wheel --no-deps --wheel-dir dist .")
    machine.run(only(PAGE, "sh", "pagehand.db.before"))
    assert machine.version() == "pagehand 0.2.0"
    assert machine.ask("GET", f"/api/v1/jobs/{job['id']}")[1]["state"] == "queued"
    machine.run(only(PAGE, "sh", "stop pagehand\nsudo /srv"))
    assert machine.version() == "pagehand 0.1.0"
    assert machine.ask("GET", f"/api/v1/jobs/{job['id']}")[1]["state"] == "queued"
    assert (machine.home / "pagehand.db.before").stat().st_size > 0


def test_the_flags_that_the_page_adds_are_those_of_this_test() -> None:
    [added] = re.findall(r"add `([^`]+)` to its command", (ROOT / PAGE).read_text("utf-8"))
    assert added.replace("0.0.0.0", "127.0.0.1 --port 0") == FLAGS.replace("{home}", "/srv/pagehand")
