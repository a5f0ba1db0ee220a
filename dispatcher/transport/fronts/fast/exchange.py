"""One request for Engine.IO on a fast connection: how it is written, and whether its client is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.fast.heads import RequestHead
from dispatcher.transport.fronts.fast.wire import FastWire
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.fronts.http_exchange import peer_has_closed

if TYPE_CHECKING:
    from dispatcher.transport.fronts.fast.protocol import FastConnection

__all__ = ["FastExchange"]


class FastExchange(FrontExchange):
    """Reads one request and writes one answer."""

    def __init__(self, conn: FastConnection, head: RequestHead, query: str) -> None:
        remote_ip, upgrades = conn.context.remote_ip, head.lines.upgrades
        super().__init__(conn.front, head.method, query, head, remote_ip, head.length, upgrades)
        self._conn = conn
        self._head = head

    def _carrier(self) -> Connection:
        return self._conn.carries()

    def _send(self, reply: Reply) -> None:
        self._conn.write(self._whole_answer(reply))
        self._conn.answered(keep=self._kept_alive and self._complete)

    def _leave(self) -> FastWire:
        return self._conn.leave()

    def _keeps_alive(self, version: str) -> bool:
        return self._head.keeps_alive()

    def _is_closed(self) -> bool:
        return self._conn.is_closed

    def _has_left(self) -> bool:
        return self._conn.is_closed or peer_has_closed(self._conn.sock)
