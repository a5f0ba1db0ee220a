"""The echo as a process: what an Engine.IO suite needs of it."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect

from tests.support.polling import HANDSHAKE
from tests.support.server import running


@pytest.fixture(scope="module", params=["fast", "tornado"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    flags = ("--ping-interval-ms", "300", "--ping-timeout-ms", "200", "--front", request.param)
    with running("-m", "tests.support.echo", *flags) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    assert process.returncode == 0


def asked(address: str, body: bytes | None = None) -> str:
    with urllib.request.urlopen(address, body, timeout=10) as answer:  # the address is our own
        return str(answer.read().decode())


def test_it_says_what_the_suite_asks_for_and_echoes_texts_and_bytes_by_polls(address: str) -> None:
    opened = json.loads(asked(address + HANDSHAKE)[1:])
    assert (opened["pingInterval"], opened["pingTimeout"], opened["maxPayload"]) == (300, 200, 1_000_000)
    session = f"{address}{HANDSHAKE}&sid={opened['sid']}"
    assert asked(session, "4hello ☃\x1ebAQIDBA==".encode()) == "ok"
    assert asked(session) == "4hello ☃\x1ebAQIDBA=="


def test_it_echoes_texts_and_bytes_by_socket_and_closes_who_answers_no_ping(address: str) -> None:
    async def scenario() -> None:
        uri = address.replace("http", "ws") + "/engine.io/?EIO=4&transport=websocket"
        async with connect(uri, proxy=None) as socket:
            assert json.loads((await socket.recv())[1:])["upgrades"] == []
            for data in ("4hello ☃", b"\x01\x02"):
                await socket.send(data)
                assert await socket.recv() == data
            assert await socket.recv() == "2"
            await socket.wait_closed()
            assert socket.close_code == 4001

    asyncio.run(scenario())
