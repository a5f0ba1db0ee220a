"""Parts of the transport's tests: a listener that takes notes, a clock turned by hand, and a raw client.

The client speaks HTTP by itself, because the tests are about connections: which one carries what, and who closes it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream
from tornado.tcpclient import TCPClient

from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.session import Session
from dispatcher.transport.sessions import Sessions
from tests.support.polling import HANDSHAKE, sid_in
from tests.support.waiting import eventually

SOCKET = "EIO=4&transport=websocket"


class Recorder:
    """A listener that notes what it hears; ``on_message`` may act on it."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.on_message: Callable[[str, str], object] = lambda sid, text: None
        self.heard_count = 0
        self._changed = asyncio.Event()

    def _record(self, *event: object) -> None:
        self.events.append(event)
        self._changed.set()

    def opened(self, sid: str, remote: str, user_agent: str, now: float) -> None:
        self._record("opened", sid, remote, user_agent)

    def message(self, sid: str, text: str, now: float) -> None:
        self._record("message", sid, text)
        self.on_message(sid, text)

    def written(self, sid: str, attempts: list[str], now: float) -> None:
        self._record("written", sid, attempts)

    def away(self, sid: str, now: float, ago_s: float) -> None:
        self._record("away", sid, ago_s)

    def back(self, sid: str, now: float) -> None:
        self._record("back", sid)

    def quiet(self, sid: str, now: float) -> None:
        self._record("quiet", sid)

    def dropped(self, sid: str, now: float) -> None:
        self._record("dropped", sid)

    def ended(self, sid: str, now: float) -> None:
        self._record("ended", sid)

    def upgraded(self, sid: str, now: float) -> None:
        self._record("upgraded", sid)

    def received(self, sid: str, attempts: list[str], now: float) -> None:
        self._record("received", sid, attempts)

    def polled(self, sid: str, now: float) -> None:
        self.heard(sid, now)

    def heard(self, sid: str, now: float) -> None:
        self.heard_count += 1

    def names(self, sid: str | None = None) -> list[str]:
        """The names of what was heard, of one session or of all."""
        return [event[0] for event in self.events if sid is None or event[1] == sid]

    def texts(self) -> list[str]:
        """The messages, in order."""
        return [event[2] for event in self.events if event[0] == "message"]

    async def until(self, name: str, count: int = 1) -> None:
        """Wait until something has been heard ``count`` times."""
        while self.names().count(name) < count:
            self._changed.clear()
            await self._changed.wait()


class FakeExchange:
    """A request without a network; keeps the reply."""

    def __init__(self, method: str, query: str, *, upgrade: bool = False, connection: Connection | None = None) -> None:
        self.method = method
        self.query = query
        self.upgrade = upgrade
        self.remote = "192.0.2.1"
        self.user_agent = "fake"
        self.key = ""
        self.connection = connection
        self.session: Session | None = None
        self.answered: Reply | None = None
        self.open = True

    def answer(self, reply: Reply) -> bool:
        assert self.answered is None, "an exchange is answered once"
        if self.open:
            self.answered = reply
        return self.open

    def is_open(self) -> bool:
        return self.open and self.answered is None

    @property
    def body(self) -> str:
        assert self.answered is not None, "not answered yet"
        return self.answered.body.decode()

    @property
    def status(self) -> int:
        assert self.answered is not None, "not answered yet"
        return self.answered.status


class FakeSocket:
    """A WebSocket without a network; keeps what is written."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.remote = "192.0.2.2"
        self.user_agent = "fake"
        self.packets: list[str] = []
        #: Packets that the page still reads.
        self.room = 1 << 30
        self.open = True
        self.code: CloseCode | None = None

    def send(self, packets: list[bytes]) -> bool:
        if self.open:
            self.packets += [packet.decode() for packet in packets]
            self.room -= len(packets)
        return self.open

    def has_room(self) -> bool:
        return self.room > 0

    def close(self, code: CloseCode) -> None:
        if self.open:
            self.open, self.code = False, code

    def take(self) -> list[str]:
        """What has been written since the last time."""
        packets, self.packets = self.packets, []
        return packets


class Bench:
    """Drives sessions without a network, as a front would."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.now = 1_000.0

    def request(
        self, method: str, query: str, body: bytes = b"", *, upgrade: bool = False, conn: Connection | None = None
    ) -> FakeExchange:
        exchange = FakeExchange(method, query, upgrade=upgrade, connection=conn)
        refusal = self.sessions.begin(exchange, self.now)
        if refusal is not None:
            exchange.answer(refusal)
        else:
            self.sessions.complete(exchange, body, self.now)
        self.sessions.flush(self.now)
        return exchange

    def open(self, conn: Connection | None = None) -> str:
        body = self.request("GET", "EIO=4&transport=polling", conn=conn).body
        return sid_in(body)

    def get(self, sid: str, conn: Connection | None = None) -> FakeExchange:
        return self.request("GET", f"EIO=4&transport=polling&sid={sid}", conn=conn)

    def post(self, sid: str, body: str | bytes) -> FakeExchange:
        data = body.encode() if isinstance(body, str) else body
        return self.request("POST", f"EIO=4&transport=polling&sid={sid}", data)

    # --- by socket

    def join(self, sid: str = "") -> FakeSocket:
        """A socket for a session, or with one of its own; it must be let in."""
        exchange = FakeExchange("GET", SOCKET + (f"&sid={sid}" if sid else ""), upgrade=True)
        refusal = self.sessions.begin(exchange, self.now)
        assert refusal is None, refusal
        socket = FakeSocket()
        self.sessions.join(socket, exchange.session, self.now)
        self.sessions.flush(self.now)
        return socket

    def connect(self) -> tuple[str, FakeSocket]:
        """A session that begins with a socket."""
        socket = self.join()
        return sid_in(socket.take()[0]), socket

    def upgrade(self, sid: str) -> FakeSocket:
        """Moves a session to a socket."""
        socket = self.join(sid)
        self.frame(socket, "2probe")
        assert socket.take() == ["3probe"]
        self.frame(socket, "5")
        return socket

    def frame(self, socket: FakeSocket, data: str | bytes) -> None:
        self.sessions.frame(socket, data, self.now)
        self.sessions.flush(self.now)

    def send(self, sid: str, text: str, attempt: str | None = None) -> bool:
        taken = self.sessions.send(sid, text, attempt)
        self.sessions.flush(self.now)
        return taken

    def hang_up(self, socket: FakeSocket) -> None:
        socket.open = False
        self.sessions.hung_up(socket, self.now)
        self.sessions.flush(self.now)

    def later(self, seconds: float) -> None:
        self.now += seconds
        self.sessions.tick(self.now)


class HttpReply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: HTTPHeaders
    body: str


class Client:
    """One connection to the server under test; HTTP written and read by hand.

    On Tornado's stream and not ``http_bytes.Side``: a test sees when the stream closes, and how much it takes.
    """

    def __init__(self, stream: IOStream, port: int) -> None:
        self.stream = stream
        self._host = f"localhost:{port}".encode()

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(await TCPClient().connect("127.0.0.1", port), port)

    async def send(self, method: str, target: str, body: bytes | None = None, *headers: str) -> None:
        head = b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (method.encode(), target.encode(), self._host)
        for header in headers:
            head += header.encode() + b"\r\n"
        if body is not None:
            head += b"Content-Length: %d\r\n" % len(body)
        await self.stream.write(head + b"\r\n" + (body or b""))

    async def reply(self) -> HttpReply:
        head = (await self.stream.read_until(b"\r\n\r\n")).decode("latin1")
        start, _, rest = head.partition("\r\n")
        headers = HTTPHeaders.parse(rest)
        body = await self.stream.read_bytes(int(headers.get("Content-Length", "0")))
        return HttpReply(int(start.split()[1]), headers, body.decode())

    async def ask(self, method: str, target: str, body: bytes | None = None, *headers: str) -> HttpReply:
        await self.send(method, target, body, *headers)
        return await self.reply()

    def close(self) -> None:
        self.stream.close()


class Page:
    """A session as a page has it: one connection for polls and one for POSTs (``polling`` names its like)."""

    BASE = HANDSHAKE

    def __init__(self, port: int, polls: Client, posts: Client, handshake: dict[str, Any]) -> None:
        self.port = port
        self.polls = polls
        self.posts = posts
        self.handshake = handshake
        self.sid = str(handshake["sid"])
        self.target = f"{Page.BASE}&sid={self.sid}"

    @classmethod
    async def open(cls, port: int) -> Page:
        polls, posts = await Client.connect(port), await Client.connect(port)
        reply = await polls.ask("GET", Page.BASE)
        assert (reply.status, reply.body[:1]) == (200, "0")
        return cls(port, polls, posts, json.loads(reply.body[1:]))

    async def park(self) -> None:
        """Send a poll and leave it open."""
        await self.polls.send("GET", self.target)

    async def poll(self) -> HttpReply:
        return await self.polls.ask("GET", self.target)

    async def post(self, body: str | bytes, *headers: str) -> HttpReply:
        data = body.encode() if isinstance(body, str) else body
        return await self.posts.ask("POST", self.target, data, *headers)

    def close(self) -> None:
        self.polls.close()
        self.posts.close()


# Scenes for our server and, as a negative control, for the stock one.


async def scene_dead_poll(page: Page, parked: Callable[[], bool], send: Callable[[str], Any]) -> list[str]:
    """The connection of a poll is cut, two messages are sent, the page polls again: what it then gets."""
    await page.park()
    await eventually(parked)
    page.polls.close()
    page.polls = await Client.connect(page.port)
    send("one")
    await page.park()
    await asyncio.sleep(0)
    send("two")
    got: list[str] = []
    try:
        while len(got) < 2:
            reply = await asyncio.wait_for(page.polls.reply(), 1.0)
            got += [packet[1:] for packet in reply.body.split("\x1e") if packet[:1] == "4"]
            if len(got) < 2:
                await page.park()
    except TimeoutError:
        return got
    return got


def many_packets() -> str:
    """A POST as engine.io-client makes it after a burst of 40 messages."""
    return "\x1e".join(f"4message {n}" for n in range(40))


async def keep_writing(client: Client, data: bytes) -> None:
    """Write for ever; raises StreamClosedError when the server has had enough."""
    while True:
        await client.stream.write(data)
