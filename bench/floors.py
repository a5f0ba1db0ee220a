"""Servers to compare Pagehand with: ``python -m bench.floors KIND --port N``.

- ``bare``: a Tornado ``RequestHandler`` that answers GET and POST with ``ok``: the floor under every design in which
  each request goes through Tornado's web framework;
- ``engineio``: python-engineio on Tornado as its documentation shows it, polling only, echoing each message, with
  ``async_handlers=False``; ``engineio-default`` leaves that at its default, ``engineio-websocket`` is without polling.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import engineio
import tornado.web


class Ok(tornado.web.RequestHandler):
    """Answers everything with ``ok``."""

    def get(self) -> None:
        """The poll."""
        self.finish(b"ok")

    def post(self) -> None:
        """The message."""
        self.finish(b"ok")


#: The options of python-engineio's server.
_ECHOES: dict[str, dict[str, Any]] = {
    "engineio": {"transports": ["polling"], "async_handlers": False},
    "engineio-default": {"transports": ["polling"]},
    "engineio-websocket": {"transports": ["websocket"], "async_handlers": False},
}


def _echo(options: dict[str, Any]) -> Any:
    server = engineio.AsyncServer(async_mode="tornado", **options)

    async def message(sid: str, data: Any) -> None:
        await server.send(sid, data)

    server.on("message", message)
    return engineio.get_tornado_handler(server)


def _application(kind: str) -> tornado.web.Application:
    if kind == "bare":
        return tornado.web.Application([("/engine.io/", Ok)], log_function=_silent)
    return tornado.web.Application([("/engine.io/", _echo(_ECHOES[kind]))], log_function=_silent)


def _silent(handler: tornado.web.RequestHandler) -> None:
    """No access log: every measured server runs without one."""


async def _serve(kind: str, port: int) -> None:
    _application(kind).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["bare", *_ECHOES])
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    asyncio.run(_serve(chosen.kind, chosen.port))
