"""A server for simulated pages: just enough Engine.IO and worker protocol, over real sockets.

It offers each job to the first registered page with a free slot, offers it again when a register shows that it
was lost, records the first result of each attempt and says ``duplicate`` to the others. What it was told is kept
in lists for tests to look at.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class StubWorker:
    name: str
    slots: int = 0
    types: tuple[str, ...] = ()
    session: StubSession | None = None
    owned: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class StubSession:
    sid: str
    worker: StubWorker | None = None
    outbox: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def packet(self, packet: str) -> None:
        self.outbox.append(packet)
        self.news.set()

    def send(self, **message: object) -> None:
        self.packet("4" + json.dumps(message, separators=(",", ":")))


class Stub:
    """``mute`` lists ops that it does not answer."""

    def __init__(self, *, ping_ms: int = 20_000, max_payload: int = 100_000, mute: tuple[str, ...] = ()) -> None:
        self.mute = set(mute)
        self.messages: list[dict[str, Any]] = []
        self.recorded: dict[str, Any] = {}
        self.accepted: list[str] = []
        self.posts: list[bytes] = []
        #: What came at the API: the head and the body of each.
        self.submitted: list[tuple[str, dict[str, Any]]] = []
        self.submits_answered = 201
        self.sessions: dict[str, StubSession] = {}
        self.workers: dict[str, StubWorker] = {}
        self.jobs: list[dict[str, Any]] = []
        self.port = 0
        self._hello = {
            "upgrades": [],
            "pingInterval": ping_ms,
            "pingTimeout": ping_ms,
            "maxPayload": max_payload,
        }
        self._made = 0
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Plays a crash: cuts connections, forgets sessions."""
        assert self._server is not None
        self._server.close()
        for session in list(self.sessions.values()):
            self._forget(session)
        for writer in list(self._writers):
            writer.transport.abort()
        while self._writers:
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Stub:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def ops(self, op: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["op"] == op]

    async def until(self, condition, timeout_s: float = 5.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def submit(self, job: str, data: str = "null", *, type: str = "echo", **more: object) -> None:
        attempt = f"attempt-{job}"
        head = {
            "op": "job",
            "attempt": attempt,
            "id": job,
            "type": type,
            "number": 1,
            "timeout_ms": 60_000,
            **more,
        }
        self.jobs.append({**head, "text": json.dumps(head)[:-1] + f', "data": {data}}}'})
        self._dispatch()

    def _dispatch(self) -> None:
        for job in list(self.jobs):
            for worker in self.workers.values():
                if worker.session and len(worker.owned) < worker.slots and job["type"] in worker.types:
                    self.jobs.remove(job)
                    worker.owned[job["attempt"]] = job
                    worker.session.packet("4" + job["text"])
                    break

    # The worker protocol.

    def _message(self, session: StubSession, message: dict[str, Any]) -> None:
        self.messages.append(message)
        op, attempt = message["op"], message.get("attempt", "")
        if op in self.mute:
            return
        if op == "register":
            self._register(session, message)
        elif op == "accept":
            self.accepted.append(attempt)
        elif op in ("result", "error"):
            verdict = "duplicate" if attempt in self.recorded else "recorded"
            self.recorded.setdefault(attempt, message.get("value", message))
            session.send(op="recorded", attempt=attempt, verdict=verdict)
        if op in ("result", "error", "released") and session.worker:
            session.worker.owned.pop(attempt, None)
        self._dispatch()

    def _register(self, session: StubSession, message: dict[str, Any]) -> None:
        # Named after its first boot: a page that missed the answer to its first register is the same worker.
        name = message.get("worker") or f"worker-{message['boot'][:8]}"
        session.worker = worker = self.workers.setdefault(name, StubWorker(name))
        worker.session, worker.slots, worker.types = session, message["slots"], tuple(message["types"])
        session.send(op="registered", worker=name, secret=f"secret of {name}", name="", settings={})
        known = {held["attempt"] for held in message["holding"]} | set(message["finished"])
        for attempt in worker.owned.keys() - known:
            self.jobs.insert(0, worker.owned.pop(attempt))

    # Engine.IO.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head, body = await self._read(reader)
                status, answer = await self._answer(reader, head, body)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n\r\n".encode() + answer)
                self._changed.set()
        except (OSError, EOFError):
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
            self._changed.set()

    async def _read(self, reader: asyncio.StreamReader) -> tuple[str, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        _, found, rest = head.partition("Content-Length: ")
        body = await reader.readexactly(int(rest.split("\r\n")[0])) if found else b""
        return head, body

    async def _answer(self, reader: asyncio.StreamReader, head: str, body: bytes) -> tuple[int, bytes]:
        method, target, _ = head.split(" ", 2)
        query = parse_qs(urlsplit(target).query)
        if target == "/api/v1/jobs":
            return self.submits_answered, self._take(head, json.loads(body))
        if "sid" not in query:
            return 200, self._open()
        session = self.sessions.get(query["sid"][0])
        if session is None:
            return 400, b'"unknown session"'
        if method == "GET":
            return 200, await self._poll(reader, session)
        self.posts.append(body)
        for packet in body.decode().split("\x1e"):
            if packet.startswith("4"):
                self._message(session, json.loads(packet[1:]))
            elif packet == "3":
                self.messages.append({"op": "pong"})
            elif packet == "1":
                self.messages.append({"op": "close"})
                session.packet("6")
                self._forget(session)
        return 200, b"ok"

    def _take(self, head: str, job: dict[str, Any]) -> bytes:
        self.submitted.append((head, job))
        if self.submits_answered == 201:
            self.submit(f"submitted-{len(self.submitted)}", json.dumps(job["data"]), type=job["type"])
        return b"{}"

    def _open(self) -> bytes:
        self._made += 1
        session = StubSession(f"session-{self._made}")
        self.sessions[session.sid] = session
        return ("0" + json.dumps({"sid": session.sid, **self._hello})).encode()

    def _forget(self, session: StubSession) -> None:
        self.sessions.pop(session.sid, None)
        if session.worker and session.worker.session is session:
            session.worker.session = None

    async def _poll(self, reader: asyncio.StreamReader, session: StubSession) -> bytes:
        """Wait for packets; a connection that closes meanwhile ends the session."""
        news, gone = asyncio.ensure_future(session.news.wait()), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((news, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                self._forget(session)
                raise ConnectionError("the poll's connection closed")
        finally:
            for future in (news, gone):
                future.cancel()
            await asyncio.wait((news, gone))
        session.news.clear()
        packets, session.outbox[:] = "\x1e".join(session.outbox), []
        return packets.encode()
