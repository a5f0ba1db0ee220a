"""Negative control: stock python-engineio fails the scenes that our server passes, so the scenes can see a loss.

When one of these tests fails, python-engineio has got better, and the scene must be looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import engineio
import pytest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application

from tests.support.waiting import eventually
from tests.transport.support import Page, many_packets, scene_dead_poll


class Stock:
    """A stock server and what it heard."""

    def __init__(self) -> None:
        logger = logging.getLogger("stock")
        logger.propagate = False  # it logs a traceback for each loss
        logger.addHandler(logging.NullHandler())
        self.eio = engineio.AsyncServer(
            async_mode="tornado", async_handlers=False, monitor_clients=False, logger=logger
        )
        self.texts: list[str] = []
        self.eio.on("message", self._message)

    async def _message(self, sid: str, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def stock() -> Stock:
    return Stock()


@pytest.fixture
def app(stock: Stock) -> Application:
    return Application([("/engine.io/", engineio.get_tornado_handler(stock.eio))], log_function=lambda _: None)


@pytest.fixture
def http_server(io_loop: IOLoop, _unused_port, app: Application) -> Iterator[object]:
    server = HTTPServer(app)
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=5)
    io_loop.run_sync(_cancel_what_it_left)


async def _cancel_what_it_left() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.mark.gen_test
async def test_the_stock_server_loses_a_message_in_a_poll_whose_client_is_gone(port: int, stock: Stock) -> None:
    page = await Page.open(port)
    queue = stock.eio.sockets[page.sid].queue

    def send(text: str) -> None:
        queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, data=text))

    waiting = len(asyncio.all_tasks())
    got = await scene_dead_poll(page, lambda: len(asyncio.all_tasks()) > waiting, send)
    assert "one" not in got


@pytest.mark.gen_test
async def test_the_stock_server_drops_a_post_of_more_than_16_packets_and_says_ok(port: int, stock: Stock) -> None:
    page = await Page.open(port)
    reply = await page.post(many_packets())
    assert (reply.status, reply.body.lower(), stock.texts) == (200, "ok", [])
    await page.post("4one alone arrives")
    await eventually(lambda: stock.texts == ["one alone arrives"])
