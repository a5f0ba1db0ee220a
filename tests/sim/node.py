"""One process of the server: the real dispatcher, pages and sessions, on virtual time.

It has a front of its own, ``request`` and ``closed``, under the policy of all fronts (``transport/fronts/policy.py``
and ``transport/fronts/front_exchange.py``).
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dispatcher.core.jobs.turn import Cause, Ended
from dispatcher.core.workers.standstill import CATCH_UP_S
from dispatcher.errors import PagehandError, StorageTrouble
from dispatcher.node.service import Dispatcher
from dispatcher.store.port import Limits
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.fronts.policy import Policy
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.sim.events import VirtualLoop

if TYPE_CHECKING:
    from tests.sim.network import Wire
    from tests.sim.people import Operator
    from tests.sim.world import World

__all__ = ["Exchange", "Node"]

#: Packets that may wait for a page where some read slowly: so few that some pages lose their sessions.
_SMALL_OUTBOX = 12


class Exchange(FrontExchange):
    """One request on a wire."""

    def __init__(self, node: Node, wire: Wire, method: str, query: str, length: int) -> None:
        super().__init__(node.policy, method, query, {"Content-Length": str(length)}, wire.name, length)
        self.wire = wire
        self.since = node.world.now
        self._node = node

    @property
    def user_agent(self) -> str:
        return "simulated"

    @property
    def is_decided(self) -> bool:
        """Its head alone says what the answer is."""
        return self._decided is not None

    def _carrier(self) -> Connection:
        return self.wire.carrier

    def _is_closed(self) -> bool:
        return not self.wire.there

    _has_left = _is_closed

    def _send(self, reply: Reply) -> None:
        self._node.exchanges.pop(self, None)
        self.wire.pending = None
        self.wire.answer(reply.status, reply.body)


class NodeClock:
    """Monotonic time is the world's; the wall clock is what the operator sets it to, perhaps ahead of that."""

    def __init__(self, world: World, ahead_s: float) -> None:
        self._world, self._ahead_s = world, ahead_s

    def monotonic(self) -> float:
        return self._world.now

    def utc(self) -> float:
        return self._world.wall() + self._ahead_s

    def ahead_s(self, at: float) -> float:
        return 0.0


class Node:
    """A process, from its start to its death."""

    def __init__(self, world: World, operator: Operator) -> None:
        self.world, self.operator, self.name = world, operator, operator.name
        self.alive = True
        self.listening = False
        self.drained_at: float | None = None
        self.started_at = self.resumed_at = world.now
        #: Since when a worker has had room, by its face; the checks keep it.
        self.idle_since: dict[tuple[object, ...], float] = {}
        self.stalled = False
        #: It goes on after a standstill, and has not read yet what has arrived.
        self._deaf = False
        #: The longest standstill so far, and the moment that what fell into it gets.
        self.stood_s = 0.0
        self._backlog: dict[str, list[Callable[[], None]]] = {"soon": [], "io": [], "timer": []}
        self.exchanges: dict[Exchange, None] = {}
        self.wires: dict[Wire, None] = {}
        #: Attempt -> how long nothing had been heard of it when the core gave it up as lost.
        self.silence_s: dict[str, float] = {}
        self.loop = VirtualLoop(world.events, self.run)  # type: ignore[abstract]  # what nobody calls is left out
        settings = world.knobs.settings
        self.clock = NodeClock(world, operator.ahead_s)
        self.limits = Limits(queue_depth=settings.queue_depth, retention_s=settings.retention_s)
        self.store = world.disk.opened_by(self)
        self.run("soon", self._boot)

    def _boot(self) -> None:
        world = self.world
        self.dispatcher = Dispatcher(
            store=self.store,
            settings=world.knobs.settings,
            clock=self.clock,
            rng=random.Random(world.rng.getrandbits(64)),
            new_worker_id=lambda: world.new_id("w"),
            failed=self._failed,
        )
        pages = self.dispatcher.pages
        # An error after which the real dispatcher would log and go on is a violation here.
        self.dispatcher._guarded = lambda step, now: (step(now), True)[1]  # type: ignore[method-assign, func-returns-value]
        self.machine, self.turns = self.dispatcher.machine, self.dispatcher._turns
        limits = SessionLimits.of(world.knobs.settings, sessions=100)
        if world.knobs.slow_reader:
            limits = replace(limits, outbox_packets=_SMALL_OUTBOX)
        self.sessions = Sessions(limits, pages, new_sid=lambda: world.new_id("s"))
        self.policy = Policy(self.sessions, clock=lambda: world.now, on_change=self.dispatcher.changed)
        self.dispatcher.attach(self.sessions)
        self._listen_in()
        world.checks.order.listen_in(self)
        self.loop.create_task(self._start())

    async def _start(self) -> None:
        await self.dispatcher.start()
        self.listening = True
        if self.store.beat_s is not None:
            self.dispatcher.let_in()
        self.world.trace(f"{self.name} is up")

    def _failed(self, error: StorageTrouble) -> None:
        if not self.store.may_fail(error):
            self.world.broken(f"a turn failed: {error.detail}")
        self.world.events.later(1.0, lambda: self.operator.kill("after store trouble", self))

    def _listen_in(self) -> None:
        """A page that ended its session, by word or by breaking the rules, has given evidence of leaving."""
        pages, ended, message = self.dispatcher.pages, self.dispatcher.pages.ended, self.dispatcher.pages.message
        quiet = pages.quiet

        def read(sid: str, text: str, now: float) -> None:
            self.world.checks.beats.message(self, sid, text)
            message(sid, text, now)

        def hear(sid: str, now: float) -> None:
            worker = self.machine.worker_of(sid)
            if worker is not None:
                self.world.history.evidence[worker.boot] = now
            ended(sid, now)

        def lose(sid: str, now: float) -> None:
            self.world.stalls.quiet(sid)
            quiet(sid, now)

        pages.ended, pages.message, pages.quiet = hear, read, lose  # type: ignore[method-assign]

    # -- the process

    def run(self, kind: str, call: Callable[[], object]) -> None:
        """Lets the process do something now; not if it is dead, later if it stands still."""
        if not self.alive:
            return
        if self.stalled or (self._deaf and kind == "io"):
            self._backlog[kind].append(lambda: self.run(kind, call))
            return
        asyncio._set_running_loop(self.loop)
        try:
            call()
        finally:
            asyncio._set_running_loop(None)
        if kind != "soon" or not self.world.quick:
            self._note_losses()
            self.world.checks.server_step(self)

    def _note_losses(self) -> None:
        for report in self.turns._reports:
            if isinstance(report, Ended) and report.cause is Cause.LOST:
                self.silence_s.setdefault(report.attempt, self.world.checks.beats.silence_s(report.attempt))
            if isinstance(report, Ended) and self._deaf:
                self.world.stalls.unread(report)

    def stall(self, seconds: float) -> None:
        """The process stands still: suspended, or its loop is blocked."""
        self.stalled, self.stood_s = True, max(self.stood_s, seconds + CATCH_UP_S)
        self.world.stand(seconds)
        self._stalled_at, self._resumes_at = self.world.now, self.world.now + seconds
        self.world.events.later(seconds, self.resume)

    def resume(self) -> None:
        """It goes on, if it still stands."""
        if not self.alive or not self.stalled:
            return
        self.stalled = False
        self.world.checks.resumed(self)
        self.world.stalls.over(self, self._stalled_at)
        late_s = self.world.stalls.reads_late_s()
        self._deaf = late_s > 0
        # As a real loop: what was ready, then what has arrived, then what is due. Or that has to be read in pieces.
        self._go_on(*(("soon", "timer") if self._deaf else ("soon", "io", "timer")))
        if self._deaf:
            self.world.events.later(late_s, self._read)

    def _read(self) -> None:
        """Reads what has arrived during the standstill."""
        if not self.stalled:
            self._deaf = False
            self._go_on("io")

    def _go_on(self, *kinds: str) -> None:
        waiting = [self._backlog[kind] for kind in kinds]
        self._backlog.update((kind, []) for kind in kinds)
        for call in itertools.chain(*waiting):
            call()

    def die(self) -> None:
        if self.stalled:
            self.world.stand(self.world.now - self._resumes_at)
        self.alive = self.listening = False
        self.store.process_died()
        for wire in self.wires:
            wire.server_died()
        self.loop.abandon()

    # -- the front

    def request(self, wire: Wire, method: str, query: str, body: bytes, body_delay_s: float) -> None:
        if method == "GET":
            self.world.history.parted.pop(query.partition("&sid=")[2], None)
        exchange = Exchange(self, wire, method, query, len(body))
        exchange.begin("HTTP/1.1")
        wire.pending = exchange
        self.exchanges[exchange] = None
        if body_delay_s and not exchange.is_decided:
            self.world.events.later(body_delay_s, lambda: self.run("io", lambda: self._finish(exchange, body)))
        else:
            self._finish(exchange, body)

    def _finish(self, exchange: Exchange, body: bytes) -> None:
        if exchange.wire.pending is not exchange:
            return  # its connection closed before its body was here
        exchange.since = self.world.now
        exchange.data_received(body)
        exchange.finish()

    def closed(self, wire: Wire) -> None:
        """The page's side has closed the connection, and the process hears of it."""
        exchange = wire.pending
        if exchange is not None:
            wire.pending = None
            self.exchanges.pop(exchange, None)
            exchange.on_connection_close()
        self.policy.left(wire.carrier, was_idle=False)

    def parted(self, carrier: Connection) -> None:
        """A proxy has closed its connection to the process, behind an answer."""
        self.world.history.parted.update(dict.fromkeys(carrier.sids, self.world.now))
        self.policy.left(carrier, was_idle=False)

    # -- the API

    def call(self, make: Callable[[Dispatcher], Coroutine[Any, Any, Any]], reply: Callable[[Any], None]) -> None:
        """An API request: its coroutine runs to its end, then ``reply`` gets the value or the error."""

        async def serve() -> None:
            try:
                value = await make(self.dispatcher)
            except PagehandError as error:
                value = error
            reply(value)

        self.loop.create_task(serve())

    async def stop(self) -> None:
        """SIGTERM, as ``server.py`` obeys it."""
        world = self.world
        self.drained_at = world.now
        self.dispatcher.begin_drain()
        deadline = world.now + world.knobs.settings.drain_s
        while self.dispatcher.busy() and world.now < deadline:
            await asyncio.sleep(0.1)
        self.listening = False
        await self.dispatcher.close()
        self.operator.stopped(self)
