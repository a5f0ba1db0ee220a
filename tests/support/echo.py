"""An echo on the project's own transport, so that any Engine.IO client or suite can be run against it.

In the loop of a test: ``async with echoing(limits) as port``. As a process:
``python -m tests.support.echo --port 3000 --ping-interval-ms 300 --ping-timeout-ms 200`` serves what the protocol's own
suite asks for (https://github.com/socketio/engine.io-protocol, ``test-suite``). Text comes back as text, bytes as
bytes, and ``maxPayload`` is 1,000,000. It prints its address, and ends with SIGTERM or Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tornado.netutil import bind_sockets
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.choice import make_server
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.fronts.server import EngineServer
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions

__all__ = ["MAX_PAYLOAD", "Ticker", "echoing"]

#: What the suite expects.
MAX_PAYLOAD = 1_000_000


class Ticker:
    """The timer of sessions without a service: one at a time, for their next deadline."""

    def __init__(self, sessions: Sessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    def arm(self) -> None:
        """The next deadline may have moved."""
        deadline = self._sessions.next_deadline()
        if deadline is None or (self._timer is not None and self._at <= deadline):
            return
        self.stop()
        self._at = deadline
        delay_s = max(0.0, deadline - self._clock())
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._fire)

    def stop(self) -> None:
        """No tick comes any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._sessions.tick(self._clock())
        self.arm()


@asynccontextmanager
async def echoing(limits: SessionLimits, port: int = 0, front: str = "") -> AsyncIterator[int]:
    """Serves on 127.0.0.1 while it lasts; the port. ``front`` as in the settings."""
    engine = EngineServer(limits)
    engine.on("message", lambda sid, data: engine.sessions.send(sid, data))
    ticker = Ticker(engine.sessions)
    server = make_server(Front(engine.sessions, Application(), on_change=ticker.arm), Settings(front=front))
    sockets = bind_sockets(port, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield int(sockets[0].getsockname()[1])
    finally:
        ticker.stop()
        server.stop()
        await server.close_all_connections()


def _limits_of(options: argparse.Namespace) -> SessionLimits:
    return SessionLimits(
        ping_interval_s=options.ping_interval_ms / 1_000,
        ping_timeout_s=options.ping_timeout_ms / 1_000,
        post_limit=MAX_PAYLOAD,
    )


async def _process(options: argparse.Namespace) -> None:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with echoing(_limits_of(options), options.port, options.front) as port:
        print(f"http://127.0.0.1:{port}", flush=True)
        await over.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.echo")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ping-interval-ms", type=int, default=20_000)
    parser.add_argument("--ping-timeout-ms", type=int, default=20_000)
    parser.add_argument("--front", choices=("", "fast", "tornado"), default="")
    asyncio.run(_process(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
