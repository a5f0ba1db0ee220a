"""A real server process to attack, and clients that send whatever they are told to.

Knows how to start and end the process, to look at its log, descriptors and memory, to send bytes, and to speak as a
page that has no manners. Decides nothing about what is right.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["ROOT", "Live", "Page", "Reply", "exchange", "gone_at_the_end", "head", "live", "until"]

ROOT = Path(__file__).resolve().parents[2]
_QUICK_END = ("--drain-s", "0.1")
JSON = {"Content-Type": "application/json"}
#: What must not be in a log: a traceback, or a control character that forges lines or moves a terminal's cursor.
_TROUBLE = re.compile(rb"Traceback \(most recent call last\)| (?:ERROR|CRITICAL) |[\x00-\x09\x0b-\x1f\x7f]")


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """What the condition gives once it is true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not in {seconds:g} s")
        time.sleep(0.02)
    return value


class Live:
    """One server process on a free port."""

    def __init__(
        self,
        directory: Path,
        *flags: str,
        watched: bool = False,
        bind: str = "127.0.0.1",
        descriptors: int = 0,
        hasty_s: float = 0,
        program: Path = ROOT / "server.py",
        environ: Mapping[str, str] | None = None,
        log_to: int | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        """``environ``: its whole environment. ``prepare``: called in the new process before the program is there."""
        program = Path(__file__).with_name("inside.py") if watched else program
        store = f"sqlite:///{directory / 'pagehand.db'}"
        self.log_path = directory / "server.log"
        if environ is None:
            environ = {name: value for name, value in os.environ.items() if not name.startswith("PAGEHAND_")}
        environ = {**environ, "HASTY_S": str(hasty_s)}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(program), "--port", "0", "--bind", bind, "--store", store, *_QUICK_END, *flags],
                cwd=directory, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log if log_to is None else log_to,
                preexec_fn=partial(_allow, descriptors) if descriptors else prepare,
            )  # fmt: skip
        self.banner = ""
        self.port = self._read_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def _read_port(self) -> int:
        assert self.process.stdout is not None
        while "reachable from" not in self.banner:
            line = self.process.stdout.readline().decode()
            assert line, f"the server ended: {self.log().decode()}"
            self.banner += line
        found = re.search(r"(?:submit a job|listens on)\s+http://\S+?:(\d+)/", self.banner)
        assert found, self.banner
        return int(found[1])

    def counts(self) -> dict[str, int]:
        """What the process holds now (``watched`` only); see ``inside.py``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        counts: dict[str, int] = json.loads(self.process.stdout.readline())
        return counts

    def log(self) -> bytes:
        return self.log_path.read_bytes()

    def trouble(self, after: int = 0) -> str:
        """What stands in the log (after so many bytes) and must not, with what is around it; empty: all is well."""
        log = self.log()[after:]
        found = _TROUBLE.search(log)
        return repr(log[max(0, found.start() - 300) : found.end() + 3000].decode("utf-8", "replace")) if found else ""

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def submit(self, job_type: str, data: Any = None, **headers: str) -> dict[str, Any]:
        """The job that was made, as the API shows it."""
        body = json.dumps({"type": job_type, "data": data})
        reply = self.ask("POST", "/api/v1/jobs", body, JSON | headers)
        assert reply.status == 201, reply
        return dict(reply.json())

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


def _allow(descriptors: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))


@contextmanager
def live(
    directory: Path,
    *flags: str,
    watched: bool = False,
    bind: str = "127.0.0.1",
    descriptors: int = 0,
    hasty_s: float = 0,
    program: Path = ROOT / "server.py",
) -> Iterator[Live]:
    """A server that must end well and must not have complained. ``hasty_s`` (``watched`` only): see ``inside.py``."""
    server = Live(
        directory,
        *flags,
        watched=watched,
        bind=bind,
        descriptors=descriptors,
        hasty_s=hasty_s,
        program=program,
    )
    try:
        yield server
    finally:
        status = server.stop()
    assert status == 0, f"exit status {status}: {server.log()[-2000:].decode('utf-8', 'replace')}"
    assert not server.trouble(), server.trouble()


@contextmanager
def gone_at_the_end(server: Live) -> Iterator[Live]:
    """Of a server that may not end by itself: however the test went, it is killed."""
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def head(method: str, target: str, port: int, *lines: str) -> bytes:
    """The head of a request, with a Host that the server goes by."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, "", ""]).encode("latin-1")


def exchange(port: int, request: bytes, *, seconds: float = 5.0, address: str = "127.0.0.1") -> bytes:
    """Send bytes; all that comes back until the other side closes. Raises TimeoutError when it does not."""
    with socket.create_connection((address, port), timeout=seconds) as sock:
        answer = b""
        deadline = time.monotonic() + seconds
        try:
            sock.sendall(request)
            while piece := sock.recv(65_536):
                answer += piece
                if time.monotonic() > deadline:
                    raise TimeoutError(f"still sending: {answer[:200]!r}")
        except (ConnectionResetError, BrokenPipeError):
            return answer
        except TimeoutError:
            raise TimeoutError(f"the connection stays open; so far: {answer[:200]!r}") from None
        return answer


class Page:
    """A page that says what it is told to, one request at a time."""

    def __init__(self, server: Live, *, headers: Mapping[str, str] | None = None) -> None:
        self._server = server
        self._headers = dict(headers or {})
        opened = server.ask("GET", "/engine.io/?EIO=4&transport=polling", headers=self._headers)
        assert opened.status == 200, opened
        self.sid = str(json.loads(opened.body[1:])["sid"])
        self.target = f"/engine.io/?EIO=4&transport=polling&sid={self.sid}"
        self._seen: list[dict[str, Any]] = []

    def say(self, op: str, **fields: Any) -> None:
        """Send one message."""
        reply = self._server.ask("POST", self.target, "4" + json.dumps({"op": op, **fields}), self._headers)
        assert (reply.status, reply.body) == (200, b"ok"), reply

    def hear(self, op: str) -> dict[str, Any]:
        """The next message of this op; others are kept for later."""
        for _ in range(50):
            for message in self._seen:
                if message["op"] == op:
                    self._seen.remove(message)
                    return message
            reply = self._server.ask("GET", self.target, headers=self._headers)
            assert reply.status == 200, reply
            for packet in reply.text.split("\x1e"):
                if packet[:1] == "4":
                    self._seen.append(json.loads(packet[1:]))
                elif packet == "2":
                    self._server.ask("POST", self.target, "3", self._headers)
        raise AssertionError(f"no {op}; heard {self._seen}")

    def register(self, *types: str, **fields: Any) -> dict[str, Any]:
        """Join as a worker; what the server answers."""
        self.say("register", types=types, boot=f"boot-{self.sid}", version=1, **fields)
        return self.hear("registered")

    def leave(self) -> None:
        """End the session at once."""
        reply = self._server.ask("POST", self.target, "1", self._headers)
        assert reply.status == 200, reply

    def hear_end(self) -> None:
        """Poll until the server has ended the session."""
        for _ in range(50):
            reply = self._server.ask("GET", self.target, headers=self._headers)
            if reply.status != 200 or reply.text.split("\x1e")[-1] == "1":
                return
        raise AssertionError("the session goes on")
