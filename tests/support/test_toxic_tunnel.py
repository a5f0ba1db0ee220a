"""The proxy passes a WebSocket on, and spoils it. Behind it is a server that says each piece back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from tests.support.http_bytes import Side
from tests.support.toxic import ToxicProxy, Toxics, toxic

PATIENCE_S = 10.0


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    side = Side(reader, writer)
    try:
        await side.request()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
        while piece := await _piece(side):
            writer.write(piece)
    finally:
        side.hang_up()


async def _piece(side: Side) -> bytes:
    """What comes next; nothing: the other side has hung up."""
    if not side.buffer:
        await asyncio.wait([side.more()])
    data = bytes(side.buffer)
    side.buffer.clear()
    return data


@asynccontextmanager
async def stage() -> AsyncIterator[tuple[ToxicProxy, Side]]:
    """The proxy, and a client whose handshake is answered."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, toxic(server.sockets[0].getsockname()[1], seed=1) as proxy:
        client = await Side.connect(proxy.port)
        answer = await client.ask("GET", "/socket", Upgrade="websocket")
        assert answer.status == 101
        yield proxy, client
        client.hang_up()


Test = Callable[[ToxicProxy, Side], Coroutine[None, None, None]]


def staged(test: Test) -> Callable[[], None]:
    """On a stage of its own, in a loop."""

    def play() -> None:
        async def act() -> None:
            async with asyncio.timeout(PATIENCE_S), stage() as (proxy, client):
                await test(proxy, client)

        asyncio.run(act())

    play.__name__ = test.__name__
    return play


@staged
async def test_pieces_pass_both_ways(proxy: ToxicProxy, client: Side) -> None:
    for piece in (b"one", b"\0\1\2", b"GET / HTTP/1.1\r\n\r\n"):
        client.writer.write(piece)
        assert await _piece(client) == piece
    assert (proxy.counters["sockets"], proxy.counters["exchanges"]) == (1, 1)


@staged
async def test_a_piece_that_is_lost_breaks_the_socket(proxy: ToxicProxy, client: Side) -> None:
    await proxy.switch(Toxics(lose_answer=True, only="GET /socket"))
    client.writer.write(b"lost")
    assert await _piece(client) == b""
    assert proxy.counters["lost_answers"] == 1


@staged
async def test_of_a_piece_that_is_too_long_a_part_passes(proxy: ToxicProxy, client: Side) -> None:
    await proxy.switch(Toxics(limit_down=3))
    client.writer.write(b"abcdef")
    assert await _piece(client) == b"abc"
    assert await _piece(client) == b""


@staged
async def test_a_socket_is_cut_at_its_age_however_busy_it_is(proxy: ToxicProxy, client: Side) -> None:
    await proxy.switch(Toxics(cut_s=0.1, how="reset"))
    client.writer.write(b"again")
    while await _piece(client):
        client.writer.write(b"again")
    assert (client.was_reset, proxy.counters["cut_sockets"]) == (True, 1)


@staged
async def test_what_a_silent_partition_holds_back_passes_when_it_is_healed(proxy: ToxicProxy, client: Side) -> None:
    await proxy.switch(Toxics(partition="silent"))
    client.writer.write(b"kept")
    await asyncio.wait([client.more()], timeout=0.2)
    assert not client.buffer
    await proxy.switch()
    assert await _piece(client) == b"kept"


@staged
async def test_a_partition_that_refuses_resets_it(proxy: ToxicProxy, client: Side) -> None:
    await proxy.switch(Toxics(partition="refused"))
    assert await _piece(client) == b""
    assert client.was_reset


@staged
async def test_when_a_side_hangs_up_the_other_hears_of_it(proxy: ToxicProxy, client: Side) -> None:
    client.hang_up()
    while proxy.links:
        await asyncio.sleep(0)
