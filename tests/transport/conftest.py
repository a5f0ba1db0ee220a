"""A real server on a real socket, with a listener that takes notes and a clock turned by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.doorkeeper import Doorkeeper
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.transport.support import Bench, Recorder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limits() -> SessionLimits:
    """A module or a test may have its own."""
    return SessionLimits()


@pytest.fixture
def sessions(limits: SessionLimits, recorder: Recorder) -> Sessions:
    return Sessions(limits, recorder)


@pytest.fixture
def bench(sessions: Sessions) -> Bench:
    return Bench(sessions)


class _Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")

    def post(self) -> None:
        self.write("posted")


class _Size(RequestHandler):
    def check_xsrf_cookie(self) -> None:
        """Open to all."""

    def post(self) -> None:
        self.write(str(len(self.request.body)))


@pytest.fixture
def app() -> Application:
    """The application beside Engine.IO; XSRF protection is on, as in the real one."""
    return Application([("/", _Hello), ("/size", _Size)], xsrf_cookies=True, cookie_secret="x")


@pytest.fixture
def front(sessions: Sessions, app: Application, clock: ManualClock) -> Front:
    return Front(sessions, app, clock=clock.monotonic)


@pytest.fixture(params=["tornado", "fast"])
def front_name(request: pytest.FixtureRequest) -> str:
    """Which front listens; every test that needs a port runs on both."""
    return str(request.param)


@pytest.fixture
def http_server(
    io_loop: IOLoop, _unused_port: tuple[socket.socket, int], front: Front, front_name: str
) -> Iterator[Doorkeeper]:
    """Replaces pytest-tornado's own server, so that our front serves."""
    server = make_server(front, Settings(front=front_name))
    server.add_socket(_unused_port[0])
    yield server
    server.stop()
    io_loop.run_sync(server.close_all_connections, timeout=5)


@pytest.fixture
def port(http_server: Doorkeeper, _unused_port: tuple[socket.socket, int]) -> int:
    """The server is up."""
    return _unused_port[1]
