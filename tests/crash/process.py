"""The real server as a process: started, killed with -9 and started again on the same port and the same store.

It is ready when its banner is on its standard output; nothing here waits for time to pass. Its log is kept over all
its lives and must be free of tracebacks when the test ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Farm, Reconnect
from tests.support.signals import send

__all__ = ["ROOT", "Answer", "Refused", "ServerProcess", "farm_for", "free_port", "serving", "until"]

ROOT = Path(__file__).resolve().parents[2]
FAULTY = Path(__file__).with_name("faulty_server.py")
#: No step of a test takes longer, even on a loaded machine.
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Refused(Exception):
    """The server ended instead of serving: its exit status and what it said on standard error."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"exit status {status}: {said}")
        self.status = status
        self.said = said


class ServerProcess:
    """``python server.py`` with a store in ``directory``; one process at a time."""

    def __init__(
        self, directory: Path, *flags: str, port: int = 0, store: Path | None = None, faulty: Path = FAULTY
    ) -> None:
        self.store = store or directory / "jobs.db"
        self.log = directory / "server.log"
        self.port = port
        self.flags = flags
        self.faulty = faulty
        #: What the process does before it becomes the server.
        self.preexec: Callable[[], object] | None = None
        #: Set while it serves.
        self.up = asyncio.Event()
        self.starts = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process of the last start."""
        assert self._process is not None, "it was never started"
        return self._process

    # -- lives

    async def start(self, *fault: str) -> None:
        """Starts it and returns when its banner is out. ``fault``: for the faulty server. Raises Refused."""
        program = [str(self.faulty), *fault, "--"] if fault else ["server.py"]
        arguments = ["--port", str(self.port), "--store", f"sqlite:///{self.store}", *self.flags]
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *program, *arguments, cwd=ROOT, env=_environment(), stdout=asyncio.subprocess.PIPE,
                stderr=log, preexec_fn=self.preexec,
            )  # fmt: skip
        self.starts += 1
        banner = await asyncio.wait_for(self._banner(), PATIENCE_S)
        if banner is None:
            status = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
            raise Refused(status, self.log.read_bytes()[before:].decode())
        self.port = int(banner)
        self.up.set()

    async def _banner(self) -> str | None:
        """The port that the banner names; None: it ended without one."""
        assert self.process.stdout is not None
        port = None
        while line := await self.process.stdout.readline():
            found = re.search(rb"submit a job\s+http://127\.0\.0\.1:(\d+)/", line)
            port = found[1].decode() if found else port
            if line.lstrip().startswith(b"reachable from"):
                return port
        return None

    async def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        self.up.clear()
        send(self.process, signal.SIGKILL)
        await self.ended()

    async def restart(self, *fault: str) -> None:
        """kill -9 and start again."""
        await self.kill()
        await self.start(*fault)

    async def ended(self) -> int:
        """Its exit status, once it has ended by itself."""
        status = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
        self.up.clear()
        return status

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        send(self.process, number)

    async def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.up.clear()
        self.signal(signal.SIGTERM)
        return await self.ended()

    # -- requests

    async def request(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, timeout_s: float = PATIENCE_S
    ) -> Answer:
        """One request on a connection of its own. Raises OSError, EOFError or TimeoutError where no answer comes."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        head += f"Idempotency-Key: {key}\r\n" if key is not None else ""
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write((head + "\r\n").encode() + content)
                return await _answer(reader)
            finally:
                writer.transport.abort()

    async def get(self, path: str) -> Any:
        """A JSON page that must be there."""
        answer = await self.request("GET", path)
        assert answer.status == 200, (path, answer)
        return answer.json

    async def submit(self, data: Any = 1, *, key: str | None = None, **fields: Any) -> dict[str, Any]:
        """A job that must be accepted."""
        answer = await self.request("POST", "/api/v1/jobs", {"type": "echo", "data": data, **fields}, key=key)
        assert answer.status in (200, 201), answer
        job: dict[str, Any] = answer.json
        return job

    async def job(self, job_id: str, *, wait_s: int = 0) -> dict[str, Any]:
        """A job, waited for until it is final."""
        job: dict[str, Any] = await self.get(f"/api/v1/jobs/{job_id}" + (f"?wait={wait_s}" if wait_s else ""))
        return job

    # -- its log

    def assert_clean_log(self) -> None:
        """No traceback in any of its lives."""
        text = self.log.read_text() if self.log.exists() else ""
        assert "Traceback" not in text, text[-4000:]
        assert "Exception" not in text, text[-4000:]


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Answer(int(head[0].split()[1]), headers, body)


def _environment() -> dict[str, str]:
    """Ours without settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAGEHAND_")}
    return kept | {"PYTHONPATH": str(ROOT)}


@asynccontextmanager
async def serving(directory: Path, *flags: str, **fields: Any) -> AsyncIterator[ServerProcess]:
    """A started server; it is killed at the end, and its log must be clean."""
    server = ServerProcess(directory, *flags, **fields)
    try:
        await server.start()
        yield server
    finally:
        if server._process is not None:
            await server.kill()
    server.assert_clean_log()


def farm_for(server: ServerProcess, **fields: Any) -> Farm:
    """Pages that come back fast."""
    return Farm(server.url, reconnect=Reconnect(base_s=0.05, max_s=0.2), **fields)


async def until(condition: Callable[[], Any], *, what: str, timeout_s: float = PATIENCE_S) -> Any:
    """Asks again and again until the (awaitable) answer is true, and returns it. Fails after ``timeout_s``."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while not (answer := await condition()):
        assert loop.time() < deadline, f"after {timeout_s} s, still not: {what}"
        await asyncio.sleep(0.02)
    return answer


def free_port() -> int:
    """A port that nobody listens on now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def quick(**seconds: float) -> Sequence[str]:
    """Flags with short times: ``quick(offer_ttl_s=1)``."""
    given = {"offer_ttl_s": 1.0, "restart_grace_s": 2.0, "reconnect_grace_s": 2.0, "drain_s": 10.0} | seconds
    return [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]
