"""WebSockets on the simulated network: frames both ways, in order, on a connection that delays and breaks.

A lost frame breaks its socket: TCP loses none silently. What is written stays on its way until it has arrived, so a
page that reads slowly holds up what waits for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.fronts.policy import WRITE_TIMEOUT_S
from dispatcher.transport.fronts.websocket import CLOSE_TIMEOUT_S, ROOM_BYTES
from dispatcher.transport.session import Session
from tests.sim.network import Wire

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.people import Operator
    from tests.sim.world import World

__all__ = ["Knock", "SimSocket", "SocketWire"]

#: What a page that reads slowly lets lie: a message or two.
_LITTLE_ROOM = 300


class Knock(FrontExchange):
    """A request that asks for a WebSocket. Its handshake needs no bytes here."""

    def __init__(self, node: Node, wire: SocketWire, query: str) -> None:
        super().__init__(node.policy, "GET", query, {"Upgrade": "websocket"}, wire.name, 0)

    def refusal(self) -> Reply | None:
        """The answer that refuses it; None: it is let in."""
        return self._judge()

    def _carrier(self) -> Connection:
        raise NotImplementedError

    def _is_closed(self) -> bool:
        return False

    _has_left = _is_closed


class SimSocket:
    """A ``carrier.Socket`` on a simulated wire."""

    def __init__(self, node: Node, wire: SocketWire) -> None:
        self.session: Session | None = None
        self.remote, self.user_agent = wire.name, "simulated"
        self._node, self._wire = node, wire
        self._on_way = self._arrived = 0
        #: Closed, and the process knows it.
        self.over = False

    def send(self, packets: list[bytes]) -> bool:
        """Writes each as a frame."""
        if self.over:
            return False
        for packet in packets:
            self._on_way += len(packet)
            self._wire.tell(packet, self._has_arrived)
        if not self.has_room():
            arrived = self._arrived
            self._later(WRITE_TIMEOUT_S, lambda: self._wire.cut_there() if self._arrived == arrived else None)
        return True

    def has_room(self) -> bool:
        """Whether the page reads what is written."""
        return self._on_way < self._wire.room

    def has_read_all(self) -> bool:
        """Whether nothing is on its way."""
        return not self.over and not self._on_way

    def close(self, code: CloseCode) -> None:
        """Says why, and closes it."""
        if not self.over:
            self.over = True
            self._wire.say_why(code)
            self._later(CLOSE_TIMEOUT_S, self._wire.cut_there)

    def _later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._node.world.events.later(delay_s, lambda: self._node.run("timer", call))

    def _has_arrived(self, size: int) -> None:
        """The page has read it, and the process learns so."""
        self._on_way -= size
        self._arrived += 1
        if not self._on_way and not self.over:
            self._node.sessions.drained(self)
            self._node.policy.settle(self._node.world.now)


class SocketWire(Wire):
    """A connection that carries a WebSocket."""

    def __init__(self, world: World, name: str, boot: str, operator: Operator, rng: random.Random) -> None:
        super().__init__(world, name, boot, operator)
        #: The process's end of it; None: the handshake has not been answered.
        self.socket: SimSocket | None = None
        self._slow = rng.random() < world.knobs.slow_reader
        self.room = _LITTLE_ROOM if self._slow else ROOM_BYTES
        self._rng = rng

    # -- the page's side

    def open(
        self, query: str, on_open: Callable[[], None], on_frame: Callable[[str], None], on_broken: Callable[[], None]
    ) -> None:
        """Sends the handshake. ``on_broken`` is called if it is refused, too."""
        self._on_open, self._on_frame, self._on_broken = on_open, on_frame, on_broken
        if self.node is None or not self.there:
            self._to_page(self._broken_here)
        elif self._survives(self.world.knobs.lose_request, "lost handshakes of sockets"):
            self._bring(lambda node: self._knock(node, query))

    def say(self, frame: str) -> None:
        """The page sends a frame."""
        if self.dead:
            self.cut()
        elif self.there and self._survives(self.world.knobs.lose_request, "frames to the server that broke a socket"):
            self._bring(lambda node: self._heard(node, frame))

    def _survives(self, lost: float, what: str) -> bool:
        if self.world.rng.random() >= lost:
            return True
        self.world.count(what)
        self.cut()
        return False

    def _bring(self, do: Callable[[Node], None]) -> None:
        """Takes something to the process, which deals with it in the order of its coming."""
        node = self.node
        assert node is not None
        self._to_server(lambda: node.run("io", lambda: do(node)) if self.there and not self.dead else None)

    # -- the server's side

    def _knock(self, node: Node, query: str) -> None:
        if not self.there:
            return
        exchange = Knock(node, self, query)
        if exchange.refusal() is not None:
            self.world.count("sockets refused")
            self.cut_there()
            return
        self.socket = SimSocket(node, self)
        self._to_page(lambda: self._on_open() if self.here else None)
        node.sessions.join(self.socket, exchange.session, self.world.now)
        node.policy.settle(self.world.now)

    def _heard(self, node: Node, frame: str) -> None:
        if self.socket is not None and not self.socket.over:
            node.sessions.frame(self.socket, frame, self.world.now)
            node.policy.settle(self.world.now)

    def tell(self, packet: bytes, arrived: Callable[[int], None]) -> None:
        """The process sends a frame."""
        if self.dead or not self._survives(self.world.knobs.lose_answer, "frames to the page that broke a socket"):
            return
        if self._slow:
            self.world.count("frames that were read slowly")
            self._arrives_here = max(self._arrives_here, self.world.now) + self._rng.uniform(0.1, 3.0)
            self.world.stalls.harm(self.name, self._arrives_here)
        self._to_page(lambda: self._read(packet, arrived))

    def _read(self, packet: bytes, arrived: Callable[[int], None]) -> None:
        if not self.here or self.dead:
            return
        self._bring(lambda node: arrived(len(packet)))
        self._on_frame(packet.decode())

    def say_why(self, code: CloseCode) -> None:
        """The process closes the socket behind what it has written."""
        self.world.trace(f"a socket of {self.name} is closed with {code.name}")
        self.world.count(f"sockets closed with {code.name}")
        if not self.dead:
            self._to_page(self._broken_here)

    def cut_there(self) -> None:
        """The process closes the connection."""
        if self.there:
            self.there = False
            self._end_at_server()
            if not self.dead:
                self._to_page(self._broken_here)

    # -- its end

    def _broken_here(self) -> None:
        was_here = self.here
        super()._broken_here()
        if was_here and self.there and not self.dead:  # the browser closes its side, too
            self._to_server(self._broken_there)

    def _broken_there(self) -> None:
        node = self.node
        if node is not None and self.there:
            self.there = False
            node.run("io", self._end_at_server)

    def _end_at_server(self) -> None:
        """The process hears that it is closed: a sign that the page may be gone, if it carried a session."""
        node, socket = self.node, self.socket
        assert node is not None
        node.wires.pop(self, None)
        if socket is None:
            return
        carried = socket.session is not None and socket.session.socket is socket
        if carried:
            self.world.count("sockets that broke")
            self.world.history.evidence[self.boot] = self.world.now
        socket.over = True
        node.sessions.hung_up(socket, self.world.now)
        if carried and socket.session is not None:
            self.world.checks.order.broke(node, socket.session.sid)
        node.policy.settle(self.world.now)
