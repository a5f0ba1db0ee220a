"""Whoever takes all places of the connection test, and goes, keeps nobody from it: on the front that listens."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from handlers.worker.connection import AT_ONCE
from tests.support.server import Live, live
from tests.support.waiting import until

PATH = "/engine.io/test"
GET = f"GET {PATH}?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"


def status(server: Live) -> int:
    return server.ask("GET", PATH).status


@pytest.mark.parametrize("request_", [GET, POST], ids=["waits", "bodies that do not end"])
def test_all_places_taken_are_free_again_when_their_connections_close(tmp_path: Path, request_: str) -> None:
    with live(tmp_path) as server:
        with ExitStack() as stack:
            for _ in range(AT_ONCE):
                made = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                made.sendall(request_.encode())
            until(lambda: status(server) == 503, what="all places taken")
            assert server.ask("GET", "/livez").status == 200
        until(lambda: status(server) == 200, what="places that are free again")
