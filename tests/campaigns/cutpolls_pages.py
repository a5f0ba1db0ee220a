"""Pages of a few lines, which have numbered messages sent into their sessions at bad moments: see ``cutpolls``.

A message is made to go by an op that the server does not know: it answers ``refused`` and names it. The stock server
echoes. Before the proxy cuts a page's poll it asks the server for something else and waits for the answer: on a machine
that stands still for a second a message would otherwise be on its way in a poll that is cut, which no server can
know. A ping still can be; its session then ends, and the page has what it misses sent into the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import Counter
from dataclasses import dataclass, field

from tests.support.http_bytes import Message, Side
from tests.support.polling import HANDSHAKE, message, packets, sid_in
from tests.support.toxic import Toxics, toxic

__all__ = ["Tally", "messages"]

#: What has not come after so long without any cut does not come.
SILENCE_S = 5.0
_NUMBER = re.compile(r"n(\d+)n")


@dataclass
class Tally:
    """Of one run of messages."""

    #: Number -> the moment at which it was sent (last).
    sent: dict[int, str] = field(default_factory=dict)
    got: Counter[int] = field(default_factory=Counter)
    cuts: int = 0
    #: Sessions that the server ended; what was missing was sent again into the next one.
    ended: int = 0

    def lost(self) -> list[int]:
        """Never received."""
        return [number for number in self.sent if not self.got[number]]

    @property
    def twice(self) -> int:
        """Received more than once, or never sent."""
        return sum(count > 1 or number not in self.sent for number, count in self.got.items())


class _SessionEnded(Exception):
    """By the server; it must not."""


class RawPage:
    """A session of its own: polls through the proxy, POSTs past it. It polls on in its session after a cut."""

    def __init__(self, server: int, proxy: int, tally: Tally, rng: random.Random) -> None:
        self._server, self._proxy = server, proxy
        self._tally = tally
        self._rng = rng
        self._polls: Side | None = None
        self._posts: Side | None = None
        #: One POST at a time, as the protocol has it.
        self._posting = asyncio.Lock()
        self._sid = ""
        self._mine: set[int] = set()

    async def work(self, numbers: list[int], pause_s: float) -> None:
        """Has these messages sent to it, then waits for what is missing."""
        await asyncio.sleep(pause_s)  # so that not all are cut at the same instant
        while numbers:
            try:
                await self._live(numbers)
            except _SessionEnded:
                self._tally.ended += 1
                missing = [number for number in self._mine if not self._tally.got[number]]
                self._mine.difference_update(missing)
                numbers += missing
            finally:
                self._hang_up()

    async def _live(self, numbers: list[int]) -> None:
        """One session."""
        self._posts = await Side.connect(self._server)
        opened = await self._exchange(self._posts, "GET", HANDSHAKE)
        self._sid = sid_in(opened.body)
        while numbers:
            if await self._poll(self._proxy):
                continue
            self._tally.cuts += 1
            await self._have_sent(numbers.pop(), "after the cut")
            if numbers and self._rng.random() < 0.5:
                number = numbers.pop()
                await asyncio.gather(self._poll(self._proxy), self._have_sent(number, "after the next poll"))
        await self._collect()

    async def _have_sent(self, number: int, moment: str) -> None:
        """The server sends itself the message, before this POST is answered or right after."""
        self._tally.sent[number] = moment
        self._mine.add(number)
        await self._post(message(f"n{number}n").encode())

    async def _post(self, body: bytes) -> None:
        assert self._posts is not None
        async with self._posting:
            answer = await self._exchange(self._posts, "POST", f"{HANDSHAKE}&sid={self._sid}", body)
        if answer.status != 200:
            raise _SessionEnded

    async def _poll(self, port: int) -> bool:
        """One poll; False: it was cut."""
        try:
            if self._polls is None:
                self._polls = await Side.connect(port)
            answer = await self._exchange(self._polls, "GET", f"{HANDSHAKE}&sid={self._sid}")
        except (OSError, EOFError):
            self._hang_up_polls()
            return False
        if answer.status != 200 or answer.body == b"1":
            raise _SessionEnded
        numbers = [int(found) for found in _NUMBER.findall(answer.body.decode())]
        self._tally.got.update(numbers)
        if "2" in packets(answer.body.decode()):
            await self._post(b"3")
        return True

    async def _collect(self) -> None:
        """No more cuts: what is to come comes."""
        self._hang_up_polls()
        with contextlib.suppress(TimeoutError):
            while any(not self._tally.got[number] for number in self._mine):
                async with asyncio.timeout(SILENCE_S):
                    await self._poll(self._server)

    async def _exchange(self, side: Side, method: str, target: str, body: bytes = b"") -> Message:
        return await side.ask(method, target, body, host=f"127.0.0.1:{self._server}")

    def _hang_up(self) -> None:
        self._hang_up_polls()
        if self._posts is not None:
            self._posts.hang_up(reset=True)

    def _hang_up_polls(self) -> None:
        if self._polls is not None:
            self._polls.hang_up(reset=True)
            self._polls = None


class Probe:
    """A request that the server answers when it has done all that came before; many may wait for the same one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._asking: asyncio.Task[None] | None = None

    async def ask(self) -> None:
        """One that is sent from now on."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait([self._asking])  # it may have been sent too early
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._exchange())
        await asyncio.wait([self._asking])

    async def _exchange(self) -> None:
        side = await Side.connect(self._port)
        request = Message("GET /engine.io/?probe HTTP/1.1", (("Host", f"127.0.0.1:{self._port}"),))
        side.writer.write(request.encoded())
        await side.answer("GET")
        side.hang_up()


async def messages(server: int, count: int, pages: int, cut_s: float, seed: int) -> Tally:
    """So many messages to so many pages, each page's polls cut."""
    rng, tally = random.Random(seed), Tally()
    async with toxic(server, seed=seed) as proxy:
        await proxy.switch(Toxics(cut_s=cut_s, only="GET /engine.io/"))
        proxy.before_cut = Probe(server).ask
        numbers = [list(range(first, count, pages)) for first in range(pages)]
        raw = [RawPage(server, proxy.port, tally, rng) for _ in numbers]
        await asyncio.gather(*(page.work(mine, rng.uniform(0, cut_s)) for page, mine in zip(raw, numbers, strict=True)))
    return tally
