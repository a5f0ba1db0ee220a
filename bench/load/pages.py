"""Pages that poll. A page has a connection for polls and one for POSTs, as a browser has, and a browser's headers.

Messages are found by their bytes, and not parsed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Sequence

from bench.load.client import connect, get_request, post_head
from bench.load.progress import Run

__all__ = ["OFFER", "EchoPage", "FleetPage", "JobPage", "Page", "PairPage"]

OFFER = re.compile(rb'"op":"job","attempt":"([^"]+)"')
_RESULT = b'4{"op":"result","attempt":"%b","value":"OK"}'
_ERROR = b'4{"op":"error","attempt":"%b","message":"as asked","retry":false}'
_ENGINE = "/engine.io/?EIO=4&transport=polling&t=lx3k9a2-1"


class Page:
    """An Engine.IO polling client. Subclasses say what to do with messages."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._waiting: list[bytes] = []
        self._posting = False

    async def open(self) -> None:
        """Connect and shake hands; ``opened`` follows."""
        self._gets = await connect(self.port, self._shaken)
        self._posts = await connect(self.port, self._posted)
        self._gets.send(get_request(self.port, _ENGINE))

    def opened(self) -> None:
        """The session is open."""

    def received(self, body: bytes) -> None:
        """A poll was answered with something other than pings."""

    def delivered(self) -> None:
        """A POST was answered."""

    def say(self, packets: list[bytes]) -> None:
        """POST packets, together with waiting ones."""
        if self._posting:
            self._waiting += packets
            return
        self._posting = True
        body = b"\x1e".join(packets)
        self._posts.send(self._post_head + b"%d\r\n\r\n" % len(body) + body)

    def _shaken(self, status: int, body: bytes) -> None:
        if status != 200 or body[:1] != b"0":
            return Run.fail(f"handshake: {status} {body[:100]!r}")
        sid = json.loads(body[1:])["sid"]
        self._get = get_request(self.port, f"{_ENGINE}&sid={sid}")
        self._post_head = post_head(self.port, f"{_ENGINE}&sid={sid}")
        self._gets.on_answer = self._polled
        self._gets.send(self._get)
        self.opened()

    def _polled(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"poll: {status} {body[:100]!r}")
        self._gets.send(self._get)
        if body[:1] == b"2" or b"\x1e2" in body:
            self.say([b"3"])
        self.received(body)

    def _posted(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"POST: {status} {body[:100]!r}")
        self._posting = False
        self.delivered()
        if self._waiting and not self._posting:
            waiting, self._waiting = self._waiting, []
            self.say(waiting)


class EchoPage(Page):
    """Sends a message, waits for its echo, sends the next."""

    def opened(self) -> None:
        """The first message."""
        self.say([b'4{"value":"OK"}'])

    def received(self, body: bytes) -> None:
        """An echo came."""
        if b"4{" in body:
            Run.count += 1
            self.say([b'4{"value":"OK"}'])


class JobPage(Page):
    """A worker page: takes offers, answers with ``"OK"``; one that ``fails`` answers with an error."""

    def __init__(
        self,
        port: int,
        *,
        slots: int = 1,
        quick: bool = True,
        number: int = 0,
        types: Sequence[str] = ("bench",),
        fails: bool = False,
    ) -> None:
        super().__init__(port)
        self._slots, self._quick, self._number, self._types = slots, quick, number, types
        self._answer = _ERROR if fails else _RESULT
        self._accepting: list[bytes] = []
        self._accepted: list[bytes] = []
        self.registered = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """Register."""
        register = {
            "op": "register",
            "version": 1,
            "types": self._types,
            "boot": f"bench-{os.getpid()}-{self._number}",
            "name": f"bench-{self._number}",
            "slots": self._slots,
            "holding": [],
            "finished": [],
        }
        self.say([b"4" + json.dumps(register).encode()])

    def received(self, body: bytes) -> None:
        """Offers and verdicts."""
        Run.count += body.count(b'"verdict":"recorded"')
        attempts = OFFER.findall(body)
        if attempts and self._quick:
            self.say([self._answer % attempt for attempt in attempts])
        elif attempts:
            self._accepting += attempts
            self.say([b'4{"op":"accept","attempt":"%b"}' % attempt for attempt in attempts])
        if not self.registered.done():
            self._check_registered(body)

    def say(self, packets: list[bytes]) -> None:
        """Also note which accepts this POST carries."""
        if not self._posting:
            self._accepted, self._accepting = self._accepting, []
        super().say(packets)

    def delivered(self) -> None:
        """Start accepted tasks; they are done at once."""
        attempts, self._accepted = self._accepted, []
        if attempts:
            self._waiting += [self._answer % attempt for attempt in attempts]

    def _check_registered(self, body: bytes) -> None:
        if b'"op":"registered"' in body:
            self.registered.set_result(None)
        elif b'"op":"refused"' in body:
            Run.fail(f"refused: {body[:200]!r}")


class PairPage:
    """Sends GET, then POST, then GET...: the pairs for a server that does nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        body = b'4{"value":"OK"}'
        self._get = get_request(port, f"{_ENGINE}&sid=0123456789abcdef")
        self._post = post_head(port, f"{_ENGINE}&sid=0123456789abcdef") + b"%d\r\n\r\n" % len(body) + body

    async def open(self) -> None:
        """Connect and begin."""
        self._gets = await connect(self._port, self._got)
        self._posts = await connect(self._port, self._posted)
        self._gets.send(self._get)

    def _got(self, status: int, body: bytes) -> None:
        self._posts.send(self._post)

    def _posted(self, status: int, body: bytes) -> None:
        Run.count += 1
        self._gets.send(self._get)


class FleetPage(JobPage):
    """A quick page with one connection: it sends its messages, then polls."""

    async def open(self) -> None:
        """Connect and shake hands."""
        self._gets = await connect(self.port, self._shaken)
        self._gets.send(get_request(self.port, _ENGINE))

    def say(self, packets: list[bytes]) -> None:
        """Queue packets to send before the next poll."""
        self._waiting += packets

    def _shaken(self, status: int, body: bytes) -> None:
        if status != 200 or body[:1] != b"0":
            return Run.fail(f"handshake: {status} {body[:100]!r}")
        sid = body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        self._get = get_request(self.port, f"{_ENGINE}&sid={sid}")
        self._post_head = post_head(self.port, f"{_ENGINE}&sid={sid}")
        self.opened()
        self._next()

    def _next(self) -> None:
        if not self._waiting:
            self._gets.on_answer = self._polled
            return self._gets.send(self._get)
        body, self._waiting = b"\x1e".join(self._waiting), []
        self._gets.on_answer = self._posted
        self._gets.send(self._post_head + b"%d\r\n\r\n" % len(body) + body)

    def _polled(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"poll: {status} {body[:100]!r}")
        if body[:1] == b"2" or b"\x1e2" in body:
            self.say([b"3"])
        self.received(body)
        self._next()

    def _posted(self, status: int, body: bytes) -> None:
        if status != 200:
            return Run.fail(f"POST: {status} {body[:100]!r}")
        self._next()
