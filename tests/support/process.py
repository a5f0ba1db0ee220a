"""The real server as a process, for tests with a loop: started, killed with -9, started again on its port and store.

Its log is kept over all its lives and must be free of tracebacks when the test ends.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Farm, Reconnect
from tests.support.http import Reply
from tests.support.places import ROOT, environment
from tests.support.ports import free_port
from tests.support.server import command, port_in
from tests.support.signals import send
from tests.support.waiting import PATIENCE_S, eventually

__all__ = ["Refused", "ServerProcess", "farm_for", "quick", "serving"]

FAULTY = ROOT / "tests" / "crash" / "faulty_server.py"


class Refused(Exception):
    """The server ended instead of serving: its exit status and what it said on standard error."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"exit status {status}: {said}")
        self.status = status
        self.said = said


class ServerProcess:
    """``python server.py`` with a store in ``directory``; one process at a time."""

    def __init__(
        self, directory: Path, *flags: str, port: int | None = None, store: Path | None = None, faulty: Path = FAULTY
    ) -> None:
        self.store = store or directory / "jobs.db"
        self.log = directory / "server.log"
        self.port = free_port() if port is None else port
        self.flags = flags
        self.faulty = faulty
        #: Called in the process before it becomes the server.
        self.preexec: Callable[[], object] | None = None
        #: Set while it serves.
        self.up = asyncio.Event()
        self.starts = 0
        #: How long a start may take.
        self.patience_s = PATIENCE_S
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
        program = [self.faulty, *fault, "--"] if fault else ["server.py"]
        started = command(self.store, *self.flags, program=program, port=self.port)
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *started, cwd=ROOT, env=environment() | {"PYTHONFAULTHANDLER": "1"},
                stdout=asyncio.subprocess.PIPE, stderr=log,
                preexec_fn=self.preexec,
            )  # fmt: skip
        self.starts += 1
        try:
            port = await asyncio.wait_for(self._port(), self.patience_s)
        except TimeoutError:
            self.signal(signal.SIGABRT)  # it says what each of its threads does
            await self.ended()
            said = self.log.read_bytes()[before:].decode()
            raise TimeoutError(f"no banner after {self.patience_s:g} s: {said}") from None
        if port is None:
            status = await asyncio.wait_for(self.process.wait(), PATIENCE_S)
            raise Refused(status, self.log.read_bytes()[before:].decode())
        self.port = port
        self.up.set()

    async def _port(self) -> int | None:
        """The port in the banner; None if the server ended without one."""
        assert self.process.stdout is not None
        banner = ""
        while (port := port_in(banner)) is None and (line := await self.process.stdout.readline()):
            banner += line.decode()
        return port

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
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        token: str | None = None,
        timeout_s: float = PATIENCE_S,
    ) -> Reply:
        """One request on a connection of its own. Raises OSError, EOFError or TimeoutError if no answer comes."""
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nConnection: close\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        head += f"Idempotency-Key: {key}\r\n" if key is not None else ""
        head += f"Authorization: Bearer {token}\r\n" if token is not None else ""
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
        return answer.json()

    async def submit(self, data: Any = 1, *, key: str | None = None, **fields: Any) -> dict[str, Any]:
        """A job that must be accepted."""
        answer = await self.request("POST", "/api/v1/jobs", {"type": "echo", "data": data, **fields}, key=key)
        assert answer.status in (200, 201), answer
        job: dict[str, Any] = answer.json()
        return job

    async def job(self, job_id: str, *, wait_s: int = 0) -> dict[str, Any]:
        """A job; waits until it is final."""
        job: dict[str, Any] = await self.get(f"/api/v1/jobs/{job_id}" + (f"?wait={wait_s}" if wait_s else ""))
        return job

    # -- its log

    async def logged(self, words: str) -> None:
        """Returns when the log says so: a thread of the server's writes it, a little later than the thing itself."""
        await eventually(lambda: words in self.log.read_text(), what=f"the log says {words!r}")

    def assert_clean_log(self) -> None:
        """Fails if any of its lives logged a traceback."""
        text = self.log.read_text() if self.log.exists() else ""
        assert "Traceback" not in text, text[-4000:]
        assert "Exception" not in text, text[-4000:]


async def _answer(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    return Reply(int(head[0].split()[1]), headers, body)


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
    """Pages that come back quickly."""
    return Farm(server.url, reconnect=Reconnect(base_s=0.05, max_s=0.2), **fields)


def quick(**seconds: float) -> Sequence[str]:
    """Flags with short times: ``quick(offer_ttl_s=1)``."""
    given = {"offer_ttl_s": 1.0, "restart_grace_s": 2.0, "reconnect_grace_s": 2.0, "drain_s": 10.0} | seconds
    return [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]
