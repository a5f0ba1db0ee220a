"""Fault G6: nobody reads the log, or its disk is full. The loop never waits, and dropped lines are counted."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from dispatcher.config.logwriter import MOST_LINES
from tests.support.http import Page
from tests.support.server import Live, gone_at_the_end
from tests.support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sizes of pipes, /dev/full: Linux")

LINE = re.compile(rb"^\d{4}-\d\d-\d\d [\d:,]+ INFO tornado\.access 404 GET /nope/(\d+) ", re.M)
DROPPED = re.compile(rb"WARNING pagehand\.log (\d+) lines of the log have been dropped")


def running(directory: Path, log: int, prepare: Callable[[], object] | None = None) -> AbstractContextManager[Live]:
    """A server that writes its log to this descriptor."""
    return gone_at_the_end(Live(directory, log_to=log, prepare=prepare))


def refuse(server: Live, first: int, count: int) -> None:
    """Sends ``count`` requests that each make a line in the log; all are answered."""
    for number in range(first, first + count):
        assert server.ask("GET", f"/nope/{number}").status == 404


def test_fault_G06_a_log_that_nobody_reads_holds_nothing_up_and_says_later_what_it_lacks(tmp_path: Path) -> None:
    """The reader is stopped (SIGSTOP), and its pipe is small; requests come, a job runs, and the reader goes on."""
    log = tmp_path / "read.log"
    with log.open("wb") as file:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)
    assert reader.stdin is not None
    pipe = reader.stdin.fileno()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4_096)
    try:
        with running(tmp_path, pipe) as server:
            refuse(server, 0, 1)
            until(lambda: LINE.search(log.read_bytes()), PATIENCE_S, "the first line")
            reader.send_signal(signal.SIGSTOP)
            last = MOST_LINES + 500
            refuse(server, 1, last - 1)
            page = Page(server)
            page.register("x")
            job = server.submit("x")
            page.say("result", attempt=page.hear("job")["attempt"], value=1)
            assert page.hear("recorded")["verdict"] == "recorded"
            assert server.ask("GET", f"/api/v1/jobs/{job['id']}").json()["state"] == "succeeded"
            reader.send_signal(signal.SIGCONT)
            until(lambda: len(LINE.findall(log.read_bytes())) > MOST_LINES, PATIENCE_S, "the lines that were kept")
            refuse(server, last, 1)
            said = until(lambda: DROPPED.search(log.read_bytes()), PATIENCE_S, "the line on what was dropped")
            assert server.stop() == 0
    finally:
        reader.send_signal(signal.SIGCONT)
        reader.stdin.close()
        assert reader.wait(PATIENCE_S) == 0
    seen = [int(number) for number in LINE.findall(log.read_bytes())]
    assert len(set(seen)) == len(seen)
    assert {0, last} < set(seen)
    assert len(seen) + int(said[1]) == last + 1, "each line was written or counted"
    assert int(said[1]) > 100


def test_fault_G06_a_server_whose_log_is_stuck_still_ends(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4_096)
    try:
        with running(tmp_path, theirs) as server:
            refuse(server, 0, 200)
            assert server.stop() == 0
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize("where", ["/dev/full", "a pipe without a reader", "a closed descriptor"])
def test_fault_G06_a_log_that_cannot_be_written_holds_nothing_up(tmp_path: Path, where: str) -> None:
    if where == "a pipe without a reader":
        ours, log = os.pipe()
        os.close(ours)
    else:
        log = os.open("/dev/full", os.O_WRONLY)
    try:
        with running(tmp_path, log, partial(os.close, 2) if where == "a closed descriptor" else None) as server:
            refuse(server, 0, 200)
            assert server.submit("x")["state"] == "queued"
            assert server.stop() == 0
    finally:
        os.close(log)
