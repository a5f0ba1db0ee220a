"""What pages hear: in the order in which it was sent, whole, and nothing is taken for heard that was not."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dispatcher.core.fleet.worker import WorkerState
from dispatcher.transport.leaving import MOMENT_S
from tests.sim.sockets import SimSocket

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

__all__ = ["Order"]


class Order:
    """The messages of each session, on their way from the server to the page."""

    def __init__(self, world: World) -> None:
        self.world = world
        #: Session -> (text, attempt of an offer) that its page has not heard yet.
        self._sent: dict[str, deque[tuple[str, str | None]]] = {}
        #: (session, attempt) of offers that were taken back, and of those that have arrived.
        self._withdrawn: set[tuple[str, str]] = set()
        self._offered: set[tuple[str, str]] = set()

    def listen_in(self, node: Node) -> None:
        sessions, pages = node.sessions, node.dispatcher.pages
        send, withdraw, received, away = sessions.send, sessions.withdraw, pages.received, pages.away

        def note(sid: str, data: str | bytes, attempt: str | None = None) -> bool:
            taken = send(sid, data, attempt)
            if taken:
                self._sent.setdefault(sid, deque()).append((str(data), attempt))
            return taken

        def take_back(sid: str, attempt: str) -> bool:
            taken = withdraw(sid, attempt)
            if taken:
                self._withdrawn.add((sid, attempt))
            return taken

        def prove(sid: str, attempts: list[str], now: float) -> None:
            for attempt in attempts:
                self.world.count("offers proved by a pong")
                if (sid, attempt) not in self._offered:
                    self.world.broken(f"transport: a pong proves {attempt}, and its page has not heard of it")
            received(sid, attempts, now)

        def leave(sid: str, now: float, ago_s: float = 0.0) -> None:
            self._went_away(node, sid)
            away(sid, now, ago_s)

        sessions.send, sessions.withdraw = note, take_back  # type: ignore[method-assign]
        pages.received, pages.away = prove, leave  # type: ignore[method-assign]

    def _went_away(self, node: Node, sid: str) -> None:
        """S11: only a connection that carries the session, and is closed, makes its worker go away."""
        worker, info = node.machine.worker_of(sid), node.dispatcher.pages.sessions.get(sid)
        if worker is None or info is None:
            return
        history = self.world.history
        parted_at = history.parted.get(sid, self.world.now)
        if parted_at <= self.world.now - MOMENT_S + 1e-6:
            history.evidence[worker.boot] = max(parted_at, history.evidence.get(worker.boot, -1.0))
        sign_at = history.evidence.get(worker.boot, -1.0)
        if sign_at < info.opened - node.stood_s - 1.0:
            self.world.broken(f"S11: {worker.id} is away, and nothing that carries {sid} is closed")

    def heard(self, sid: str, text: str) -> None:
        """The page reads a message of this session."""
        waiting = self._sent.get(sid, deque())
        while waiting:
            sent, attempt = waiting.popleft()
            if sent == text:
                self._offered.update([(sid, attempt)] if attempt is not None else [])
                return
            if attempt is None or (sid, attempt) not in self._withdrawn:
                self.world.broken(f"transport: a page hears {text[:60]} before {sent[:60]}")
                return
        self.world.broken(f"transport: a page hears {text[:60]}, which was not sent, or twice")

    def broke(self, node: Node, sid: str) -> None:
        """S11: the process has heard that a socket is closed that carried a session."""
        worker = node.machine.worker_of(sid)
        if worker is not None and worker.session == sid and worker.state is not WorkerState.AWAY:
            self.world.broken(f"S11: the socket of {worker.id} is closed, and it is {worker.state}")

    def watch(self, node: Node) -> None:
        """No socket waits for ever to take over its session, and nothing for a page that has read everything."""
        due = node.sessions._sockets.next_deadline()
        if due is not None and due < self.world.now - 1.0 - node.stood_s:
            self.world.broken(f"I27: a socket should have moved, or been given up, at {due:.1f}")
        for session in node.sessions.book.sessions.values():
            if session.outbox and isinstance(session.socket, SimSocket) and session.socket.has_read_all():
                self.world.broken(f"transport: something waits for a page that reads, in {session.sid}")
