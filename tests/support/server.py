"""The real server as a process on a free port, for tests without a loop; ``process`` is for tests with one.

It can start and end the server, look at its log, descriptors and memory, and send requests. It does not decide what is
right. The server is up when its banner is on its standard output; nothing here waits for time to pass.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.http import JSON, Reply
from tests.support.places import ROOT, environment
from tests.support.ports import free_port
from tests.support.waiting import until

__all__ = ["Live", "ask_at", "command", "cpu_s", "gone_at_the_end", "live", "port_in", "running"]

SERVER = ROOT / "server.py"
_WATCHED = ROOT / "tests" / "attack" / "inside.py"
_QUICK_END = ("--drain-s", "0.1")
#: What must not be in a log: a traceback, or a control character that forges lines or moves a terminal's cursor.
_TROUBLE = re.compile(rb"Traceback \(most recent call last\)| (?:ERROR|CRITICAL) |[\x00-\x09\x0b-\x1f\x7f]")


def command(store: Path, *flags: str, program: Sequence[object] = (SERVER,), port: int) -> list[str]:
    """The command line of a server; ``program`` may have arguments of its own before the server's flags."""
    return [sys.executable, *map(str, program), "--port", str(port), "--store", f"sqlite:///{store}", *flags]


def port_in(banner: str) -> int | None:
    """The port that it listens on; None if the banner is not yet whole."""
    if "reachable from" not in banner:
        return None
    # With a public address the others are the proxy's.
    name = "listens on" if "listens on" in banner else "submit a job"
    found = re.search(rf"{name}\s+http://\S+?:(\d+)/", banner)
    assert found, banner
    return int(found[1])


def ask_at(
    port: int, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """One request to whoever listens there, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Live:
    """One server process on a free port."""

    def __init__(
        self,
        directory: Path,
        *flags: str,
        watched: bool = False,
        bind: str = "127.0.0.1",
        port: int | None = None,
        descriptors: int = 0,
        hasty_s: float = 0,
        program: Path = SERVER,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        log_to: int | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        """``environ``: its whole environment. ``prefix``: what starts it. ``prepare``: called in the new process."""
        started = command(
            directory / "pagehand.db", "--bind", bind, *_QUICK_END, *flags,
            program=[_WATCHED if watched else program],
            port=free_port() if port is None else port,
        )  # fmt: skip
        self.log_path = directory / "server.log"
        environ = {**(environment() if environ is None else environ), "HASTY_S": str(hasty_s)}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*prefix, *started], cwd=directory, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log if log_to is None else log_to,
                preexec_fn=partial(_allow, descriptors) if descriptors else prepare,
            )  # fmt: skip
        self.banner = ""
        self._marks = 0
        self.port = self._read_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def _read_port(self) -> int:
        assert self.process.stdout is not None
        while (port := port_in(self.banner)) is None:
            line = self.process.stdout.readline().decode()
            assert line, f"the server ended: {self.log().decode()}"
            self.banner += line
        return port

    def counts(self) -> dict[str, int]:
        """What the process holds now (``watched`` only); see ``inside.py``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        counts: dict[str, int] = json.loads(self.process.stdout.readline())
        return counts

    def log(self) -> bytes:
        """What has been written by now. A thread of the server's writes, a little later than the thing itself."""
        return self.log_path.read_bytes()

    def log_so_far(self) -> bytes:
        """Its log with each line of what was answered before: they are written in order, and this adds the last one."""
        self._marks += 1
        mark = f"/mark-{self._marks}"
        self.ask("GET", mark)
        return bytes(until(lambda: f"GET {mark} ".encode() in (log := self.log()) and log, what="a line in the log"))

    def trouble(self, after: int = 0) -> str:
        """Lines that must not be in the log (after ``after`` bytes), with those around them; empty if all is well."""
        log = self.log()[after:]
        found = _TROUBLE.search(log)
        return repr(log[max(0, found.start() - 300) : found.end() + 3000].decode("utf-8", "replace")) if found else ""

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        return ask_at(self.port, method, path, body, headers)

    def submit(
        self, job_type: str, data: Any = None, *, terms: Mapping[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        """Submits a job; returns it as the API shows it."""
        body = json.dumps({"type": job_type, "data": data, **(terms or {})})
        reply = self.ask("POST", "/api/v1/jobs", body, JSON | headers)
        assert reply.status == 201, reply
        return dict(reply.json())

    def job(self, job_id: str, *, wait_s: int = 0) -> dict[str, Any]:
        """A job as the API shows it, now or once it is final."""
        return dict(self.ask("GET", f"/api/v1/jobs/{job_id}" + (f"?wait={wait_s}" if wait_s else "")).json())

    def stop(self) -> int:
        """Ends it in good order; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode


@contextmanager
def running(*arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A program of ours that goes on until it is ended: ``running("-m", "dispatcher.sdk", "simulate")``.

    In this person's environment, and its words are what the test reads. ``live`` asks more of a server.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=30)


def cpu_s(pid: int) -> float:
    """How much processor time a process has used so far; other programs do not count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _allow(descriptors: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


@contextmanager
def live(directory: Path, *flags: str, **fields: Any) -> Iterator[Live]:
    """A server that must end well, without complaints in its log. ``hasty_s`` (``watched`` only): see ``inside.py``."""
    server = Live(directory, *flags, **fields)
    try:
        yield server
    finally:
        status = server.stop()
    assert status == 0, f"exit status {status}: {server.log()[-2000:].decode('utf-8', 'replace')}"
    assert not server.trouble(), server.trouble()


@contextmanager
def gone_at_the_end(server: Live) -> Iterator[Live]:
    """For a server that may not end by itself: it is killed, however the test went."""
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()
