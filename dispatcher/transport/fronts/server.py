"""The thin outer class: python-engineio's AsyncServer with its settings, its ids and its events, around our
sessions.

It does not use the stock handling of requests, queues and timers, which loses messages in normal use and
hangs (``tests/transport/test_stock_server.py`` shows it). It has no monitor task, no compression, no
cookie, and does not touch the levels or handlers of any logger.
"""

from __future__ import annotations

import logging
from typing import Any, NoReturn

from engineio import AsyncServer

from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.listener import Listener
from dispatcher.transport.sessions import Sessions, new_sid

__all__ = ["EngineServer"]

_log = logging.getLogger(__name__)


class EngineServer(AsyncServer):  # type: ignore[misc]  # python-engineio has no types
    """An Engine.IO server whose sessions are ``self.sessions``; requests come in through ``http.Front``.

    Without a ``listener`` the handlers registered with ``on`` are called, as plain functions:
    ``connect(sid, environ)``, ``message(sid, data)``, ``disconnect(sid, reason)``.
    """

    def __init__(self, limits: SessionLimits, listener: Listener | None = None, *, node: str = "") -> None:
        """``node``: what its session ids begin with."""
        super().__init__(
            async_mode="tornado",
            transports=["polling", "websocket"] if limits.websocket else ["polling"],
            allow_upgrades=limits.websocket,
            ping_interval=limits.ping_interval_s,
            ping_timeout=limits.ping_timeout_s,
            max_http_buffer_size=limits.post_limit,
            http_compression=False,
            cookie=None,
            async_handlers=False,
            monitor_clients=False,
            logger=_log,  # with a logger of its own it would add a handler and set a level
        )
        self._prefix = f"{node}." if node else ""
        self.sessions = Sessions(limits, listener or _Events(self), new_sid=self.generate_id)

    def generate_id(self) -> str:
        """A session id: 128 random bits, where stock has 96 and a counter.

        It begins with the node that has the session: a proxy before several nodes reads there where a request belongs.
        """
        return self._prefix + new_sid()

    def transport(self, sid: str) -> str:
        """``polling`` or ``websocket``. Raises KeyError: no such session."""
        return self.sessions.transport(sid)

    async def send(self, sid: str, data: str | bytes) -> None:
        """Queue a message. Raises KeyError for an unknown session, where stock only logs."""
        if not self.sessions.send(sid, data):
            raise KeyError(sid)

    async def disconnect(self, sid: str | None = None) -> None:
        """End one session, or all, without waiting for pages; the stock server can wait for ever."""
        for each in [sid] if sid is not None else list(self.sessions.ids()):
            self.sessions.end(each)

    def attach(self, app: Any, engineio_path: str = "engine.io") -> NoReturn:
        """Refused: there is no request handler to attach."""
        raise NotImplementedError("give Front(server.sessions, app) to an HTTPServer")

    async def handle_request(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refused: requests come in through Front."""
        raise NotImplementedError("give Front(server.sessions, app) to an HTTPServer")


class _Events:
    """A listener that calls what is registered with ``EngineServer.on``."""

    def __init__(self, server: EngineServer) -> None:
        self._server = server

    def _trigger(self, event: str, *arguments: object) -> None:
        handler = self._server.handlers.get(event)
        if handler is not None:
            handler(*arguments)

    def opened(self, sid: str, remote: str, user_agent: str, now: float) -> None:
        self._trigger("connect", sid, {"REMOTE_ADDR": remote, "HTTP_USER_AGENT": user_agent})

    def message(self, sid: str, text: str, now: float) -> None:
        self._trigger("message", sid, text)

    def binary(self, sid: str, data: bytes, now: float) -> None:
        self._trigger("message", sid, data)

    def quiet(self, sid: str, now: float) -> None:
        self._trigger("disconnect", sid, self._server.reason.PING_TIMEOUT)

    def dropped(self, sid: str, now: float) -> None:
        self._trigger("disconnect", sid, self._server.reason.PING_TIMEOUT)

    def ended(self, sid: str, now: float) -> None:
        self._trigger("disconnect", sid, self._server.reason.CLIENT_DISCONNECT)

    def written(self, sid: str, attempts: list[str], now: float) -> None:
        """No event of Engine.IO."""

    def away(self, sid: str, now: float, ago_s: float) -> None:
        """No event of Engine.IO."""

    def back(self, sid: str, now: float) -> None:
        """No event of Engine.IO."""

    def upgraded(self, sid: str, now: float) -> None:
        """No event of Engine.IO."""

    def received(self, sid: str, attempts: list[str], now: float) -> None:
        """No event of Engine.IO."""

    def polled(self, sid: str, now: float) -> None:
        """No event of Engine.IO."""

    def heard(self, sid: str, now: float) -> None:
        """No event of Engine.IO."""
