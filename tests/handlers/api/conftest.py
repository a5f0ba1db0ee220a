"""Every test of the API runs twice: new jobs by the short way, and by the handler. Those over sockets run on both
fronts."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.house import House
from tests.transport.support import Recorder


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def write_timeout_s() -> float:
    """How long a client may take to read what is written."""
    return 60.0


@pytest.fixture(params=["tornado", "fast"])
def port(
    request: pytest.FixtureRequest,
    io_loop: IOLoop,
    _unused_port: tuple[socket.socket, int],
    app: Application,
    house: House,
    write_timeout_s: float,
) -> Iterator[int]:
    """The application behind each front in turn."""
    sessions = Sessions(SessionLimits(), Recorder())
    front = Front(sessions, app, clock=house.clock.monotonic, write_timeout_s=write_timeout_s)
    server = make_server(front, Settings(front=str(request.param)))
    server.add_socket(_unused_port[0])
    yield _unused_port[1]
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=5)
