"""A proxy on 127.0.0.1 that spoils traffic: it cuts idle polls, loses answers, repeats requests, and worse.

In a test, in its loop::

    async with toxic(server.port, seed=7) as proxy:          # clients talk to proxy.port
        await proxy.switch(Toxics(cut_s=1.0))                # every unanswered request is cut after 1 s
        await proxy.switch(Toxics(lose_answer=True, share=0.2, only="POST /engine.io/"))
        await proxy.switch(Toxics(partition="silent"))       # nothing passes, nothing is closed
        await proxy.switch()                                 # healed: all passes
        proxy.counters["lost_answers"]                       # what was done, by name

It also runs as a process, ``python -m tests.support.toxic UPSTREAM_PORT [--port N] [--seed N]``. It then prints its
port, takes one JSON object per line (the fields of ``Toxics``; ``{}`` heals) and answers each with its counters.

It reads and passes on whole messages, one exchange at a time on a connection, and of a WebSocket the pieces that come.
Each client's connection has one of its own to the server. When a client closes, the server's side closes at once,
except across a silent partition. All chances come from the one seeded generator. An exchange has the toxics that were
set when it began, also a waiting poll; only a partition affects it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from tests.support.http_bytes import Message, Side
from tests.support.toxic_messages import gateway, rewritten, words
from tests.support.toxic_tunnel import tunnel

__all__ = ["Link", "ToxicProxy", "Toxics", "toxic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxics:
    """What the proxy does to an exchange (a request and its answer). The default does nothing."""

    #: The share of exchanges matched by ``only`` that are spoilt; drawn for each.
    share: float = 1.0
    #: A regular expression at the start of ``METHOD target``: ``"GET /engine.io/"``, ``"POST .*sid="``.
    only: str = ""
    #: How a connection is cut: ``close`` (FIN), ``reset`` (RST), ``answer`` (a gateway's 504 or 502, then FIN).
    how: str = "close"
    #: Cut when the server has not answered after this time.
    cut_s: float | None = None
    #: Cut when this many bytes of the request (with headers) have been passed to the server; shorter ones pass.
    limit_up: int | None = None
    #: Cut when this many bytes of the answer have been passed to the client; shorter ones pass.
    limit_down: int | None = None
    #: Cut when the whole answer has come, and pass none of it.
    lose_answer: bool = False
    #: Each message waits ``latency_s`` +- ``jitter_s``, each way.
    latency_s: float = 0.0
    jitter_s: float = 0.0
    #: Each message's pace, each way.
    bytes_per_s: float | None = None
    #: Plays a buffering proxy: each answer is kept for this time, and then passed.
    hold_s: float = 0.0
    #: The chance that, after a POST, one of the last 50 POSTs (whole, as it was) is sent again on a connection
    #: of its own; its answer goes nowhere. ``ToxicProxy.replay`` does it by hand.
    replay: float = 0.0
    #: Any of ``lower`` (header names), ``strip`` (headers that are not needed), ``forwarded`` (invented
    #: X-Forwarded-For and the like), ``chunked`` (answers come in chunks).
    rewrite: frozenset[str] = frozenset()
    #: ``silent``: connections are taken, but nothing passes, not even a close, until it is healed; then everything
    #: passes. ``refused``: nobody listens, and open connections get a RST. For all clients, whatever ``only`` says.
    partition: str = ""


_CLEAN = Toxics()


class _Cut(Exception):
    """The connection ends here."""

    def __init__(self, what: str, how: str = "close", status: int = 504) -> None:
        super().__init__(what)
        self.what = what
        self.how = how
        self.status = status


class Link:
    """One client's connection. ``toxics`` are its own; None: it has the proxy's."""

    def __init__(self, number: int, client: Side) -> None:
        #: From 1, in the order in which connections came.
        self.number = number
        self.client = client
        self.server: Side | None = None
        self.toxics: Toxics | None = None
        #: The request that is being answered; None between two. ``waits``: for the server.
        self.request: Message | None = None
        self.waits = False
        #: Completed exchanges.
        self.exchanges = 0

    def hang_up(self, *, reset: bool = False) -> None:
        """Ends it on both sides."""
        self.client.hang_up(reset=reset)
        if self.server is not None:
            self.server.hang_up(reset=reset)


class ToxicProxy:
    """See the module. ``upstream`` is the port to which everything goes; it may be changed at any time."""

    def __init__(self, upstream: int, *, seed: int = 0, port: int = 0) -> None:
        self.upstream = upstream
        self.port = port
        self.toxics = _CLEAN
        #: Counts ``connections``, ``exchanges``, ``sockets``, ``switches``, ``hang_ups`` (by either side, not by us);
        #: the cuts ``cut_polls``, ``cut_posts``, ``cut_sockets``, ``cut_by_hand``, ``limited_up``, ``limited_down``,
        #: ``lost_answers``, ``unreachable``, ``resets_by_partition``; ``delays``, ``slow_pieces``, ``held_answers``;
        #: ``replays``, ``replays_answered_STATUS``, ``replays_unanswered``.
        self.counters: Counter[str] = Counter()
        #: The connections that are open now.
        self.links: set[Link] = set()
        #: Given to each new connection before its first request.
        self.on_link: Callable[[Link], None] = lambda link: None
        #: Told of each cut, at once after the client's side was closed: the link (with its ``request``) and the
        #: counter's name.
        self.on_cut: Callable[[Link, str], None] = lambda link, what: None
        #: Awaited before an idle request is cut; an answer that comes meanwhile saves it.
        self.before_cut: Callable[[], Awaitable[None]] = _at_once
        self._rng = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._passes = asyncio.Event()
        self._passes.set()
        self._captured: deque[bytes] = deque(maxlen=50)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"

    # -- its life

    async def open(self) -> None:
        """Listens."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends all."""
        self._deafen()
        self._passes.set()
        for link in list(self.links):
            link.hang_up(reset=True)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # so that what was closed is

    async def switch(self, toxics: Toxics = _CLEAN) -> None:
        """Sets the toxics of all connections that have none of their own; without any the proxy is healed."""
        self.toxics = toxics
        self.counters["switches"] += 1
        if toxics.partition == "silent":
            self._passes.clear()
        else:
            self._passes.set()
        if toxics.partition == "refused":
            self._deafen()
            for link in list(self.links):
                self.counters["resets_by_partition"] += 1
                link.hang_up(reset=True)
        elif self._server is None:
            await self.open()

    def _deafen(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut_now(self, how: str = "close", only: str = "") -> int:
        """Cuts all connections with a waiting request that ``only`` matches; returns how many."""
        waiting = [link for link in self.links if link.request and re.match(only, words(link.request))]
        for link in waiting:
            self._end(link, _Cut("cut_by_hand", "close" if how == "answer" else how))
        return len(waiting)

    async def replay(self, number: int = -1) -> Message:
        """Sends one of the captured POSTs again (the last one) and returns its answer. Raises OSError, EOFError."""
        side = await Side.connect(self.upstream)
        try:
            side.writer.write(self._captured[number])
            self.counters["replays"] += 1
            return await side.answer("POST")
        finally:
            side.hang_up()

    # -- connections

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counters["connections"] += 1
        link = Link(self.counters["connections"], Side(reader, writer))
        self.links.add(link)
        self._keep(self._serve(link))

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, link: Link) -> None:
        self.on_link(link)
        try:
            while await self._next(link):
                request = await link.client.request()
                link.request = request
                await self._exchange(link, request, self._drawn(link, request))
                link.request = None
                link.exchanges += 1
        except _Cut as cut:
            self._end(link, cut)
        except (OSError, EOFError):
            self.counters["hang_ups"] += 1
        finally:
            self.links.discard(link)
            try:
                await self._passes.wait()
            finally:
                link.hang_up()

    def _end(self, link: Link, cut: _Cut) -> None:
        self.counters[cut.what] += 1
        if cut.how == "answer":
            link.client.writer.write(gateway(cut.status))
        link.hang_up(reset=cut.how == "reset")
        self.on_cut(link, cut.what)

    @staticmethod
    async def _next(link: Link) -> bool:
        """Whether a request comes; False: the server has hung up."""
        if link.client.buffer:
            return True
        sides = [side for side in (link.client, link.server) if side is not None]
        await asyncio.wait([side.more() for side in sides], return_when=asyncio.FIRST_COMPLETED)
        return link.server is None or not link.server.ended

    def _drawn(self, link: Link, request: Message) -> Toxics:
        toxics = link.toxics or self.toxics
        matches = re.match(toxics.only, words(request)) is not None
        return toxics if matches and self._rng.random() < toxics.share else _CLEAN

    # -- an exchange

    async def _exchange(self, link: Link, request: Message, toxics: Toxics) -> None:
        self.counters["exchanges"] += 1
        if link.server is None:
            link.server = await self._upstream(toxics)
        if request.method == "POST":
            self._captured.append(request.encoded())
        await self._pass(link.server, rewritten(request, toxics.rewrite, request.method), toxics, toxics.limit_up, "up")
        if request.method == "POST" and self._rng.random() < toxics.replay:
            self._keep(self._replayed())
        answer = await self._answer(link, link.server, request.method, toxics)
        if answer.status == 101:
            await self._tunnel(link, link.server, request, answer)
        if toxics.lose_answer:
            raise _Cut("lost_answers", toxics.how)
        if toxics.hold_s:
            self.counters["held_answers"] += 1
            await asyncio.sleep(toxics.hold_s)
        await self._pass(
            link.client, rewritten(answer, toxics.rewrite, request.method), toxics, toxics.limit_down, "down"
        )
        if "close" in (request.get("connection"), answer.get("connection")):
            raise EOFError

    async def _tunnel(self, link: Link, server: Side, request: Message, answer: Message) -> None:
        """From now on it is a WebSocket. Each piece of bytes has the toxics of its moment."""
        link.client.writer.write(answer.encoded())

        def drawn() -> Toxics:
            toxics = self._drawn(link, request)  # nobody answers for the server any more
            return replace(toxics, how="close") if toxics.how == "answer" else toxics

        async def passed(data: bytes, way: str) -> None:
            toxics = drawn()
            if toxics.lose_answer and way == "down":
                raise _Cut("lost_answers", toxics.how)
            await asyncio.sleep(toxics.hold_s if way == "down" else 0)
            limit = toxics.limit_down if way == "down" else toxics.limit_up
            await self._pass(link.client if way == "down" else server, data, toxics, limit, way)

        def aged(seconds: float) -> None:
            toxics = drawn()
            if toxics.cut_s is not None and seconds > toxics.cut_s and self._passes.is_set():
                raise _Cut("cut_sockets", toxics.how)

        self.counters["sockets"] += 1
        await tunnel(link.client, server, passed, aged)
        raise EOFError

    async def _upstream(self, toxics: Toxics) -> Side:
        await self._passes.wait()
        try:
            return await Side.connect(self.upstream)
        except OSError:
            raise _Cut("unreachable", toxics.how, 502) from None

    async def _answer(self, link: Link, server: Side, method: str, toxics: Toxics) -> Message:
        """The server's answer, unless it does not come in time, or the client hangs up first."""
        answer = asyncio.ensure_future(server.answer(method))
        link.waits = True
        loop = asyncio.get_running_loop()
        deadline = None if toxics.cut_s is None else loop.time() + toxics.cut_s
        try:
            while not answer.done():
                left_s = None if deadline is None else max(0.0, deadline - loop.time())
                waits: set[asyncio.Future[Any]] = {answer} if len(link.client.buffer) else {answer, link.client.more()}
                done, _ = await asyncio.wait(waits, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
                if not done:
                    await self.before_cut()
                    await self._passes.wait()
                    if not answer.done():
                        raise _Cut("cut_polls" if method == "GET" else "cut_posts", toxics.how)
                elif link.client.ended and not answer.done():
                    raise EOFError
            return answer.result()
        finally:
            answer.cancel()
            link.waits = False

    async def _pass(self, to: Side, data: bytes, toxics: Toxics, limit: int | None, way: str) -> None:
        if toxics.latency_s or toxics.jitter_s:
            self.counters["delays"] += 1
            await asyncio.sleep(max(0.0, toxics.latency_s + self._rng.uniform(-1, 1) * toxics.jitter_s))
        cut = limit is not None and limit < len(data)
        await self._write(to, data[:limit] if cut else data, toxics.bytes_per_s)
        if cut:
            raise _Cut(f"limited_{way}", "close" if toxics.how == "answer" else toxics.how)

    async def _write(self, to: Side, data: bytes, bytes_per_s: float | None) -> None:
        step = len(data) if bytes_per_s is None else max(1, int(bytes_per_s / 20))
        for at in range(0, len(data), max(1, step)):
            await self._passes.wait()
            to.writer.write(data[at : at + step])
            await to.writer.drain()
            if bytes_per_s is not None:
                self.counters["slow_pieces"] += 1
                await asyncio.sleep(step / bytes_per_s)

    async def _replayed(self) -> None:
        try:
            status = (await self.replay(self._rng.randrange(len(self._captured)))).status
            self.counters[f"replays_answered_{status}"] += 1
        except (OSError, EOFError):
            self.counters["replays_unanswered"] += 1


async def _at_once() -> None:
    pass


@asynccontextmanager
async def toxic(upstream: int, *, seed: int = 0, port: int = 0) -> AsyncIterator[ToxicProxy]:
    """A proxy while it lasts."""
    proxy = ToxicProxy(upstream, seed=seed, port=port)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()


async def _process(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    async with toxic(options.upstream, seed=options.seed, port=options.port) as proxy:
        print(proxy.port, flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            fields = json.loads(line)
            await proxy.switch(Toxics(**fields | {"rewrite": frozenset(fields.get("rewrite", ()))}))
            print(json.dumps(proxy.counters), flush=True)


def main() -> None:
    """The command line; it ends with its standard input."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.toxic")
    parser.add_argument("upstream", type=int, help="port of the server on 127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    asyncio.run(_process(parser.parse_args()))


if __name__ == "__main__":
    main()
