"""The proxy does what each toxic says, does it to nothing else, and counts it. Behind it is a server of a few lines."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.http_bytes import Message, Side
from tests.support.toxic import ToxicProxy, Toxics, toxic

PATIENCE_S = 10.0


class Upstream:
    """Answers each request with its own text, but ``/wait`` only when told to. Keeps the requests."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.came = asyncio.Event()
        self.left = asyncio.Event()
        self.answer_waiting = asyncio.Event()
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side = Side(reader, writer)
        try:
            while True:
                request = await side.request()
                self.got.append(request)
                self.came.set()
                if request.target == "/wait":
                    waits = [asyncio.ensure_future(self.answer_waiting.wait()), side.more()]
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                    waits[0].cancel()
                body = f"{request.start} {len(request.body)}".encode() * 20
                writer.write(b"HTTP/1.1 200 OK\r\nX-Mixed: Case\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        except (EOFError, OSError):
            self.left.set()
        finally:
            side.hang_up()


class Client:
    """One connection through the proxy."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._others: list[Client] = []
        self.side: Side | None = None

    @property
    def open_side(self) -> Side:
        """After the first request."""
        assert self.side is not None
        return self.side

    def another(self) -> Client:
        """One that is closed with this one."""
        self._others.append(Client(self._port))
        return self._others[-1]

    async def ask(self, target: str, body: bytes | None = None, **headers: str) -> Message:
        """An exchange. Raises OSError or EOFError."""
        if self.side is None:
            self.side = await Side.connect(self._port)
        method = "GET" if body is None else "POST"
        async with asyncio.timeout(PATIENCE_S):
            return await self.side.ask(method, target, body or b"", **headers)

    def close(self) -> None:
        for other in self._others:
            other.close()
        if self.side is not None:
            self.side.hang_up()


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[Upstream, ToxicProxy, Client]]:
    upstream = Upstream()
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(upstream.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    async with toxic(upstream.port, seed=1) as proxy:
        client = Client(proxy.port)
        try:
            yield upstream, proxy, client
        finally:
            client.close()
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


Test = Callable[..., Coroutine[Any, Any, None]]


def staged(test: Test) -> Callable[[], None]:
    """Runs a test with an upstream, a proxy and a client."""

    async def play() -> None:
        async with stage() as (upstream, proxy, client):
            await test(upstream, proxy, client)

    def run() -> None:
        asyncio.run(play())

    return run


async def ended(awaitable: Awaitable[Any]) -> str:
    """How a connection ended."""
    with pytest.raises((EOFError, OSError)) as caught:
        await awaitable
    assert not isinstance(caught.value, TimeoutError), "it did not end"
    return type(caught.value).__name__


@staged
async def test_without_toxics_requests_and_answers_pass_whole_on_one_connection(upstream, proxy, client) -> None:
    answers = [await client.ask("/a"), await client.ask("/b", b"x" * 100_000)]
    assert [answer.body[:24] for answer in answers] == [b"GET /a HTTP/1.1 0GET /a ", b"POST /b HTTP/1.1 100000P"]
    assert upstream.got[1].body == b"x" * 100_000
    assert upstream.got[0].headers[0] == ("Host", "127.0.0.1")
    assert (proxy.counters["connections"], proxy.counters["exchanges"]) == (1, 2)


@pytest.mark.parametrize("how", ["close", "reset", "answer"])
def test_an_idle_poll_is_cut_and_the_server_sees_it(how: str) -> None:
    async def play() -> None:
        async with stage() as (upstream, proxy, client):
            cuts: list[str] = []
            proxy.on_cut = lambda link, what: cuts.append(f"{what} of {link.request and link.request.target}")
            await proxy.switch(Toxics(cut_s=0.05, how=how))
            if how == "answer":
                assert (await client.ask("/wait")).status == 504
                assert (await client.open_side.more()) is False
            else:
                await ended(client.ask("/wait"))
            async with asyncio.timeout(PATIENCE_S):
                await upstream.left.wait()
            assert cuts == ["cut_polls of /wait"]
            assert proxy.counters["cut_polls"] == 1
            assert client.open_side.was_reset is (how == "reset")

    asyncio.run(play())


@staged
async def test_an_answer_that_comes_before_the_cut_saves_the_poll(upstream, proxy, client) -> None:
    async def answer_comes() -> None:
        upstream.answer_waiting.set()
        async with asyncio.timeout(PATIENCE_S):
            await client.another().ask("/later")

    proxy.before_cut = answer_comes
    await proxy.switch(Toxics(cut_s=0.01, only="GET /wait"))
    assert (await client.ask("/wait")).status == 200
    assert proxy.counters["cut_polls"] == 0


@staged
async def test_what_the_client_closes_is_closed_behind_it(upstream, proxy, client) -> None:
    asking = asyncio.ensure_future(client.ask("/wait"))
    await upstream.came.wait()
    client.close()
    async with asyncio.timeout(PATIENCE_S):
        await upstream.left.wait()
    asking.cancel()


@staged
async def test_a_lost_answer_is_of_a_request_that_was_delivered(upstream, proxy, client) -> None:
    await proxy.switch(Toxics(lose_answer=True, only="POST /b"))
    assert (await client.ask("/b")).status == 200
    await ended(client.ask("/b", b"12"))
    assert [request.body for request in upstream.got] == [b"", b"12"]
    assert proxy.counters["lost_answers"] == 1


@staged
async def test_a_request_or_an_answer_is_cut_after_so_many_bytes(upstream, proxy, client) -> None:
    await proxy.switch(Toxics(limit_up=100))
    await ended(client.ask("/up", b"x" * 1000))
    async with asyncio.timeout(PATIENCE_S):
        await upstream.left.wait()
    assert upstream.got == []
    await proxy.switch(Toxics(limit_down=100))
    second = client.another()
    await ended(second.ask("/down"))
    assert len(upstream.got) == 1
    assert second.open_side.ended
    assert (proxy.counters["limited_up"], proxy.counters["limited_down"]) == (1, 1)


@staged
async def test_latency_bandwidth_and_buffering_take_their_time(upstream, proxy, client) -> None:
    loop = asyncio.get_running_loop()

    async def takes_s(toxics: Toxics, body: bytes) -> float:
        await proxy.switch(toxics)
        began = loop.time()
        assert (await client.ask("/slow", body)).status == 200
        return loop.time() - began

    assert await takes_s(Toxics(latency_s=0.1, jitter_s=0.05), b"") >= 0.1
    assert await takes_s(Toxics(hold_s=0.1), b"") >= 0.1
    assert await takes_s(Toxics(bytes_per_s=10_000), b"x" * 2000) >= 0.2
    assert proxy.counters["delays"] == 2


@staged
async def test_a_silent_partition_passes_nothing_and_then_all(upstream, proxy, client) -> None:
    asking = asyncio.ensure_future(client.ask("/wait"))
    await upstream.came.wait()
    await proxy.switch(Toxics(partition="silent"))
    upstream.answer_waiting.set()
    leaver = client.another()
    left = asyncio.ensure_future(leaver.ask("/left"))
    done, _ = await asyncio.wait([asking, left], timeout=0.1)
    assert not done
    leaver.close()
    await proxy.switch()
    assert (await asking).status == 200
    assert [request.target for request in upstream.got] == ["/wait"]
    left.cancel()


@staged
async def test_a_refusing_partition_resets_who_is_there_and_takes_nobody(upstream, proxy, client) -> None:
    asking = asyncio.ensure_future(client.ask("/wait"))
    await upstream.came.wait()
    await proxy.switch(Toxics(partition="refused"))
    await ended(asking)
    assert client.open_side.was_reset
    assert await ended(client.another().ask("/")) == "ConnectionRefusedError"
    await proxy.switch()
    assert (await client.another().ask("/")).status == 200


@staged
async def test_an_old_post_is_sent_again_on_another_connection(upstream, proxy, client) -> None:
    await client.ask("/once", b"body")
    await client.ask("/other")
    assert (await proxy.replay()).status == 200
    assert [(request.target, request.body) for request in upstream.got[::2]] == [("/once", b"body")] * 2
    assert upstream.got[0].headers == upstream.got[2].headers
    await proxy.switch(Toxics(replay=1.0))
    await client.ask("/twice", b"")
    async with asyncio.timeout(PATIENCE_S):
        while not proxy.counters["replays_answered_200"]:
            await asyncio.sleep(0.01)
    assert proxy.counters["replays"] == 2


@staged
async def test_headers_are_rewritten(upstream, proxy, client) -> None:
    await proxy.switch(Toxics(rewrite=frozenset({"lower", "strip", "forwarded", "chunked"})))
    answer = await client.ask("/a", Origin="http://x", Cookie="Kept")
    names = dict(upstream.got[0].headers)
    assert {name for name in names if name != name.lower()} == set()
    assert "origin" not in names
    assert (names["cookie"], names["x-forwarded-for"]) == ("Kept", "6.6.6.6, 10.0.0.1")
    assert (answer.get("transfer-encoding"), answer.get("content-length")) == ("chunked", "")
    assert answer.body.endswith(b"\r\n0\r\n\r\n")
    await proxy.switch()
    assert answer.content == (await client.ask("/a")).content == b"GET /a HTTP/1.1 0" * 20


@staged
async def test_one_connection_may_have_toxics_of_its_own(upstream, proxy, client) -> None:
    proxy.on_link = lambda link: setattr(link, "toxics", Toxics(lose_answer=True) if link.number == 1 else None)
    await ended(client.ask("/"))
    assert (await client.another().ask("/")).status == 200


@staged
async def test_waiting_polls_are_cut_by_hand(upstream, proxy, client) -> None:
    asking = asyncio.ensure_future(client.ask("/wait"))
    await upstream.came.wait()
    assert proxy.cut_now(only="POST") == 0
    assert proxy.cut_now(only="GET /w") == 1
    await ended(asking)


@staged
async def test_the_same_seed_spoils_the_same_requests(upstream, proxy, client) -> None:
    async def spoilt(seed: int) -> list[bool]:
        async with toxic(upstream.port, seed=seed) as other:
            await other.switch(Toxics(share=0.5, lose_answer=True))
            found = []
            for _ in range(30):
                one = Client(other.port)
                (answer,) = await asyncio.gather(one.ask("/"), return_exceptions=True)
                found.append(isinstance(answer, EOFError))
                one.close()
            return found

    first = await spoilt(5)
    assert first == await spoilt(5)
    assert first != await spoilt(6)
    assert 5 < sum(first) < 25


@staged
async def test_a_server_that_is_down_is_a_hang_up_or_a_502(upstream, proxy, client) -> None:
    proxy.upstream = 1
    await ended(client.ask("/"))
    await proxy.switch(Toxics(how="answer"))
    assert (await client.another().ask("/")).status == 502
    assert proxy.counters["unreachable"] == 2


def test_as_a_process_it_is_switched_by_lines_of_json() -> None:
    async def play() -> None:
        async with stage() as (upstream, _, client):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.support.toxic", str(upstream.port), "--seed", "3",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            async with asyncio.timeout(PATIENCE_S):
                port = int(await process.stdout.readline())
                client._port = port
                assert (await client.ask("/")).status == 200
                process.stdin.write(b'{"lose_answer": true, "rewrite": ["lower"]}\n')
                assert json.loads(await process.stdout.readline())["switches"] == 1
                await ended(client.ask("/"))
                process.stdin.close()
                assert await process.wait() == 0

    asyncio.run(play())
