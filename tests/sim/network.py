"""The network between pages and the server: connections that delay, lose, repeat and break.

Within one connection the order is kept; across connections it is not. A partition holds everything back until it
heals, as TCP does. A broken connection is seen by both sides, by one, or by none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatcher.transport.exchange import Connection

if TYPE_CHECKING:
    from tests.sim.node import Exchange, Node
    from tests.sim.people import Operator
    from tests.sim.world import World

__all__ = ["OnAnswer", "Wire"]

OnAnswer = Callable[[int, bytes], None]
#: A message that takes longer on its way is late.
_PROMPT_S = 0.05
#: When the process hears that a proxy has closed its connection.
_PARTS_S = 0.001


class Wire:
    """A connection of one page to one process, which that operator runs now; one request at a time."""

    def __init__(self, world: World, name: str, boot: str, operator: Operator) -> None:
        self.world = world
        self.name = name
        self.boot = boot
        self.operator = operator
        self.node: Node | None = operator.node if operator.node is not None and operator.node.listening else None
        self.here = True
        self.there = self.node is not None
        #: Cut: nothing travels on it any more, even if no side knows.
        self.dead = False
        #: Its end is a sign that the page may be gone.
        self.tells = True
        if self.node is not None:
            self.node.wires[self] = None
        self.carrier = Connection()
        self.pending: Exchange | None = None
        self._on_answer: OnAnswer | None = None
        self._on_broken: Callable[[], None] = lambda: None
        self._arrives_there = self._arrives_here = 0.0

    # -- time on the way

    def _delay_s(self) -> float:
        world, rng = self.world, self.world.rng
        slow = rng.random() < world.knobs.slow_line
        world.count("slow deliveries") if slow else None
        delay_s = rng.uniform(0.3, 4.0) if slow else rng.uniform(0.001, 0.05)
        delay_s += max(0.0, world.partitions.get(self.name, 0.0) - world.now)
        if delay_s > _PROMPT_S:
            world.stalls.harm(self.name, world.now + delay_s)
        return delay_s

    def _to_server(self, call: Callable[[], None]) -> None:
        self._arrives_there = max(self._arrives_there, self.world.now + self._delay_s())
        self.world.events.at(self._arrives_there, call)

    def _to_page(self, call: Callable[[], None]) -> None:
        self._arrives_here = max(self._arrives_here, self.world.now + self._delay_s())
        self.world.events.at(self._arrives_here, call)

    # -- the page's side

    def request(self, method: str, query: str, body: bytes, on_answer: OnAnswer, on_broken: Callable[[], None]) -> None:
        """Sends a request; exactly one of the callbacks is called, or none if nobody hears of a break."""
        self._on_answer, self._on_broken = on_answer, on_broken
        world, rng, knobs = self.world, self.world.rng, self.world.knobs
        if self.node is None or not self.there:
            self._to_page(self._broken_here)
            return
        if self.dead:
            self.cut()
            return
        if rng.random() < knobs.lose_request:
            world.count("lost requests")
            self.cut()
            return
        body_delay_s = rng.uniform(0.1, 5.0) if method == "POST" and rng.random() < knobs.slow_body else 0.0
        if body_delay_s:
            world.count("slow bodies")
            world.stalls.harm(self.name, world.now + body_delay_s)
        if method == "POST" and rng.random() < knobs.replay_post:
            # As WinInet does: the first answer is lost with its connection, the browser sends the POST again by
            # itself, and the page sees one request.
            world.count("replayed posts")
            first = Wire(world, self.name, self.boot, self.operator)
            first._to_server(lambda: first._deliver(method, query, body, 0.0))
            self._arrives_there = max(self._arrives_there, first._arrives_there + rng.uniform(0.0, 5.0))
            world.stalls.harm(self.name, self._arrives_there)
        if method == "POST" and knobs.late_post and rng.random() < knobs.late_post:
            world.events.later(rng.uniform(0.1, 40.0), lambda: self._once_more(query, body))
        self._to_server(lambda: self._deliver(method, query, body, body_delay_s))

    def _once_more(self, query: str, body: bytes) -> None:
        """Something between page and server brings the POST again, long after."""
        self.world.count("posts that came once more, late")
        wire = Wire(self.world, self.name, self.boot, self.operator)
        wire._to_server(lambda: wire._deliver("POST", query, body, 0.0))

    def _deliver(self, method: str, query: str, body: bytes, body_delay_s: float) -> None:
        node = self.node
        if node is None or not self.there or self.dead:
            return
        node.run("io", lambda: node.request(self, method, query, body, body_delay_s) if self.there else None)

    def forget(self, *, tells: bool) -> None:
        """The page wants nothing of it any more; ``tells``: its end is still a sign to the server."""
        self._on_answer, self._on_broken, self.tells = None, lambda: None, tells

    def close(self) -> None:
        """The page closes it; the server hears of that, unless the network swallows it."""
        if not self.here:
            return
        self.here = False
        self._on_answer = None
        if self.world.rng.random() >= self.world.knobs.unseen_by_server:
            self._to_server(self._broken_there)

    # -- the server's side

    def answer(self, status: int, body: bytes) -> None:
        if self.dead:
            return
        if self.world.rng.random() < self.world.knobs.lose_answer:
            self.world.count("lost answers")
            self.cut()
            return
        self._to_page(lambda: self._answered(status, body))
        if self.world.knobs.parting:
            self._part()

    def _answered(self, status: int, body: bytes) -> None:
        on_answer, self._on_answer = self._on_answer, None
        if self.here and on_answer is not None:
            on_answer(status, body)

    def _part(self) -> None:
        """The proxy closes its connection behind the answer. The next request comes on another one."""
        node, carrier = self.node, self.carrier
        self.carrier = Connection()
        if node is not None:
            self.world.count("connections closed behind their answers")
            self.world.events.later(_PARTS_S, lambda: node.run("io", lambda: node.parted(carrier)))

    # -- breaks

    def cut(self) -> None:
        """Breaks it in the middle; each side may or may not hear of it."""
        rng, knobs = self.world.rng, self.world.knobs
        self.world.stalls.harm(self.name, self.world.now)
        self.dead = True
        if rng.random() >= knobs.unseen_by_page:
            self._to_page(self._broken_here)
        if rng.random() >= knobs.unseen_by_server:
            self._to_server(self._broken_there)

    def server_died(self) -> None:
        self.there = False
        self._to_page(self._broken_here)

    def _broken_here(self) -> None:
        if self.here:
            self.here = False
            self._on_answer = None
            self._on_broken()

    def _broken_there(self) -> None:
        node = self.node
        if node is None or not self.there:
            return
        self.there = False
        node.wires.pop(self, None)
        if self.tells:
            self.world.history.evidence[self.boot] = self.world.now
        node.run("io", lambda: node.closed(self))
