"""Ports of tests: no connection gets one, and no two processes do."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT
from tests.support.ports import FIRST, LAST, free_port, is_free

_KEEPS_ONE = "import sys; from tests.support.ports import free_port; print(free_port(), flush=True); sys.stdin.read()"


def test_no_port_is_one_that_the_system_gives_to_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert {FIRST <= free_port() < LAST <= lowest for _ in range(300)} == {True}


def test_a_port_belongs_to_the_process_that_asked_until_it_ends() -> None:
    asking = [sys.executable, "-c", _KEEPS_ONE]
    with subprocess.Popen(asking, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        while_it_runs = is_free(port)
        process.communicate()
    assert (while_it_runs, is_free(port)) == (False, True)


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    taken = free_port() + 5
    with socket.create_server(("127.0.0.1", taken)):
        assert taken not in [free_port() for _ in range(10)]
