"""A window of a browser: the simulated page's own logic, on simulated connections.

Events do here what ``sdk/simulator/driver.py`` does with coroutines and sockets: they poll on one connection, POST on
another, and give sessions up and make new ones. Others do what a person or the machine does to a window.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from dispatcher.sdk.simulator.faults import Ending, Faults
from dispatcher.sdk.simulator.hands import HeldAttempt
from dispatcher.sdk.simulator.journal import Journal
from dispatcher.sdk.simulator.page import Identity, PacketGroup, Profile, Report
from dispatcher.sdk.simulator.session import PageSession, SessionOver
from tests.sim.holds import HeldPage
from tests.sim.lies import LIES
from tests.sim.links import Link, frames_of
from tests.sim.network import OnAnswer, Wire
from tests.sim.notes import hears, says
from tests.sim.sockets import SocketWire
from tests.sim.targets import Face

if TYPE_CHECKING:
    from tests.sim.events import Event
    from tests.sim.world import World

__all__ = ["Window"]

_TIMEOUT_S = 15.0


class SimPage(HeldPage):
    """Tells the history what it starts."""

    def _register(self, now: float) -> None:
        forgotten = self.window.mine - set(self.hands._held) - set(self.stash.attempts()) - self.world.history.lied
        if forgotten:
            self.world.broken(f"{self.window.name} forgot {sorted(forgotten)}: no verdict came, and it says nothing")
        super()._register(now)

    def started(self, held: HeldAttempt) -> None:
        self.world.history.executed(self.boot, held.attempt, held.job)
        self.world.count("tasks that hang") if held.plan.ending is Ending.NEVER else None
        self.window.mine.add(held.attempt)
        super().started(held)


class Window:
    """One window; ``load`` makes its page anew."""

    def __init__(
        self, world: World, name: str, types: tuple[str, ...], *, face: Face | None = None,
        identity: Identity | None = None, stash: Iterable[Report] = (),
    ) -> None:  # fmt: skip
        self.world, self.name, self.types = world, name, types
        self.rng = random.Random(world.rng.getrandbits(64))
        #: Draws how its sessions are carried.
        self.ways = random.Random(f"ways of {name} in {world.seed}")
        self.face = face or world.targets.face(name)
        #: The faces that it has shown in this session.
        self.faces: list[Face] = []
        #: Who runs the server to which its session goes.
        self._operator = world.operator
        self.gone = self.frozen = self.paused = False
        self._told_pause = self._said_pause = False
        self._backlog: list[Callable[[], None]] = []
        #: Ids of attempts that this boot has started and has not been told are over.
        self.mine: set[str] = set()
        self._life = 0
        self._failures = 0
        self._wires: list[Wire] = []
        self.is_posting = self.is_polling = self._moves = False
        self._link: Link | None = None
        self._timer: Event | None = None
        self.session: PageSession | None = None
        self.page: SimPage
        self.load(identity, stash)

    # -- the page

    def profile(self) -> Profile:
        knobs = self.world.knobs
        faults = Faults(
            slow_s=(0.0, 2 * knobs.run_s), never_answer=knobs.never_answer, fail=knobs.fail,
            ignore_cancels=knobs.ignore_cancels, reload=knobs.reload_task, stash=1 - knobs.lose_stash,
        )  # fmt: skip
        return Profile(
            types=self.types, name=self.face.name, labels=self.face.labels, slots=knobs.slots, quick=knobs.quick,
            progress_s=knobs.progress_s, faults=faults, task=self.world.history.answer,
        )  # fmt: skip

    def load(self, identity: Identity | None, stash: Iterable[Report]) -> None:
        """The page is loaded: a new boot."""
        boot = self.world.new_id("b")
        page = SimPage(self.profile(), boot=boot, rng=self.rng, journal=Journal(keep=1), identity=identity, stash=stash)
        page.world, page.window = self.world, self
        self.page = page
        self.mine = set()
        self._said_pause = False
        self.world.trace(f"{self.name} is loaded as {boot}")
        self._open()

    def reload(self, *, keep_stash: bool) -> None:
        if self.gone:
            return
        self.world.count("reloads")
        identity, stash = self.page.identity, self.page.stash.kept() if keep_stash else []
        self._leave_page()
        life = self._life
        self.world.events.later(self.rng.uniform(0.05, 3.0), lambda: self._load_if(life, identity, stash))

    def _load_if(self, life: int, identity: Identity | None, stash: Iterable[Report]) -> None:
        if life == self._life and not self.gone:
            self.face = self.world.targets.again(self)
            self.load(identity, stash)

    def _leave_page(self) -> None:
        self.world.history.evidence[self.page.boot] = self.world.now
        self.world.history.dead_boots.add(self.page.boot)
        self._hang_up()
        self._backlog.clear()
        self.frozen = False

    def calm(self) -> None:
        """Ends all faults of this window."""
        self.thaw()
        self.page.profile = self.page.hands._profile = self.profile()
        if not self.gone:
            self.pause(False)

    # -- what happens to it

    def crash(self) -> None:
        """The browser is killed."""
        if not self.gone:
            self._leave_page()
            self.gone = True
            self.world.trace(f"{self.name} has crashed")

    def leave(self) -> None:
        """It says bye; a moment later it is closed."""
        if not self.gone:
            self.page.say("bye")
            self.world.history.evidence[self.page.boot] = self.world.now
            self.mine.clear()
            self._do(self._pump)
            self.world.events.later(2.0, self.crash)

    def freeze(self, seconds: float) -> None:
        """Its scripts stand still; connections stay open."""
        if not self.gone and not self.frozen:
            self.world.count("freezes")
            self.frozen = True
            self.world.trace(f"{self.name} freezes for {seconds:.1f} s")
            self.world.events.later(seconds, self.thaw)

    def thaw(self) -> None:
        if not self.frozen:
            return
        self.frozen = False
        self.world.stalls.harm(self.name, self.world.now)
        backlog, self._backlog = self._backlog, []
        for call in backlog:
            self._do(call)

    def pause(self, paused: bool) -> None:
        if self.gone or paused == self.paused:
            return
        self.paused = paused
        self.world.count("pauses") if paused else None
        self._said_pause = False
        self._do(self._pump)

    def _do(self, call: Callable[[], None]) -> None:
        if self.gone:
            return
        if self.frozen:
            self._backlog.append(call)
        else:
            call()

    def _in_life(self, call: Callable[[], None]) -> Callable[[], None]:
        """What belongs to this session: done unless it has ended meanwhile."""
        life = self._life
        return lambda: self._do(lambda: call() if life == self._life else None)

    def _after(self, delay_s: float, call: Callable[[], None]) -> Event:
        return self.world.events.later(delay_s, self._in_life(call))

    # -- sessions

    def _wire(self) -> Wire:
        wire = Wire(self.world, self.name, self.page.boot, self._operator)
        self._wires.append(wire)
        return wire

    def socket_wire(self) -> SocketWire:
        wire = SocketWire(self.world, self.name, self.page.boot, self._operator, self.ways)
        self._wires.append(wire)
        return wire

    def _request(self, wire: Wire, method: str, body: bytes, timeout_s: float, done: OnAnswer) -> None:
        sid = f"&sid={self.session.sid}" if self.session else ""
        lost = self._in_life(lambda: self._lost(at_once=False))
        timer = self._after(timeout_s, lambda: self._lost(at_once=False))
        life = self._life

        def answered(status: int, answer: bytes) -> None:
            def take() -> None:
                timer.cancel()
                if life == self._life:
                    done(status, answer)

            self._do(take)

        wire.request(method, f"EIO=4&transport=polling{sid}", body, answered, lost)

    def _open(self) -> None:
        self._hang_up()
        self._operator = self.world.some_operator()
        knobs = self.world.knobs
        by_socket, self._moves = self.ways.random() < knobs.by_socket, self.ways.random() < knobs.moves
        if by_socket and not self._moves:
            self.world.count("sessions by socket from the start")
            self._link = Link(self, moves=False)
            return
        self._moves = by_socket
        self._polls, self._posts = self._wire(), self._wire()
        self._request(self._polls, "GET", b"", _TIMEOUT_S, self._opened)

    def _move(self) -> None:
        """Its session, which polls, is to move to a socket."""
        self._link = Link(self, moves=True)

    def forget_polls(self, *, moved: bool = False) -> None:
        """It has moved: whatever becomes of the connections of its polls. ``moved``: the server knows it, too."""
        for wire in (self._polls, self._posts):
            wire.forget(tells=not moved)

    def stay(self) -> None:
        """The session does not move now, perhaps later."""
        self._link = None
        self._after(self.ways.uniform(0.1, 20.0), self._move)
        self._poll_on()
        self._pump()

    def _opened(self, status: int, body: bytes) -> None:
        now = self.world.now
        try:
            self.session = PageSession.open(status, body, now)
        except SessionOver as over:
            self._lost(at_once=over.at_once)
            return
        self._said_pause = False
        self.page.connected(now, max_payload=self.session.max_payload)
        if self._link is not None:
            self._link.listen()
        elif self._moves:
            self._after(self.ways.choice((0.0, self.ways.uniform(0.0, 5.0))), self._move)
        self._poll_on()
        self._pump()

    def _poll_on(self) -> None:
        if self._link is not None and not self._link.lets_poll:
            self._link.go_on()
        elif not self.is_polling:
            self._poll()

    def _poll(self) -> None:
        assert self.session is not None
        self.is_polling = True
        silence_s = max(0.001, self.session.deadline - self.world.now)
        self._request(self._polls, "GET", b"", silence_s, self._polled)

    def _polled(self, status: int, body: bytes) -> None:
        """The answer to a poll, or a frame of the socket that carries the session."""
        assert self.session is not None
        self.is_polling = False
        now = self.world.now
        try:
            messages = self.session.receive(status, body, now)
        except SessionOver as over:
            self._lost(at_once=over.at_once)
            return
        for text in messages:
            hears(self, text)
            self.page.received(text, now)
        life = self._life
        self._pump()
        if life == self._life:
            self._poll_on()

    def _lost(self, *, at_once: bool) -> None:
        """The session is over."""
        known = self.page.registered
        self._hang_up()
        self._failures = 0 if known else self._failures + 1
        delay_s = 0.0 if at_once and known else self.rng.uniform(0, min(30.0, 2.0**self._failures))
        self._after(delay_s, self._open)

    def _hang_up(self) -> None:
        self._life += 1
        self.session, self._link = None, None
        self.is_posting = self.is_polling = False
        self.faces = []
        for wire in self._wires:
            wire.close()
        self._wires.clear()
        if self._timer is not None:
            self._timer.cancel()
        if hasattr(self, "page"):
            self.page.disconnected()

    # -- what it says

    def _pump(self) -> None:
        """Does what is due, and sends what waits."""
        now, page = self.world.now, self.page
        page.tick(now)
        if page.wants_reload is not None:
            keep = page.wants_reload and self.rng.random() >= self.world.knobs.lose_stash
            self.reload(keep_stash=keep)
            return
        if self.session is None:
            return
        self._say_pause()
        if not self.is_posting and (self._link is None or self._link.lets_poll or self.by_socket):
            batch = page.take(now)
            if batch.outs or self.session.owes_pong:
                self._post(batch)
        self._arm()

    @property
    def by_socket(self) -> bool:
        """Whether a socket carries its session."""
        return self._link is not None and self._link.carries

    def _post(self, batch: PacketGroup) -> None:
        session = self.session
        assert session is not None
        messages = batch.messages
        for text in messages:
            says(self, text)
        if self.by_socket:
            assert self._link is not None
            self._link.say(frames_of(session.body(messages)))
            self._link.go_on()  # no frame is answered: ``go`` says that an accept has arrived
            self._pump()
            return
        self.is_posting = True
        self._request(
            self._posts, "POST", session.body(messages), _TIMEOUT_S, lambda status, _: self._posted(batch, status)
        )

    def _posted(self, batch: PacketGroup, status: int) -> None:
        self.is_posting = False
        if status != 200:
            self._lost(at_once=status == 400)
            return
        self.page.posted(batch, self.world.now)
        if self._link is not None:
            self._link.go_on()
        self._pump()

    def _say_pause(self) -> None:
        """As worker.js does: the server remembers a pause longer than a session, so each session says it again."""
        if self.page.registered and not self._said_pause and (self.paused or self._told_pause):
            self._said_pause = True
            self._told_pause = self.paused
            self.page.say("pause" if self.paused else "resume")

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self.page.next_deadline()
        if due is not None:
            self._timer = self.world.events.at(due, self._in_life(self._pump))

    # -- lies

    def lie(self) -> None:
        """Something that no honest page says."""
        history = self.world.history
        if self.gone or self.frozen or self.session is None or not history.offered:
            return
        self.world.count("lies")
        target = self.rng.choice(history.offered[-30:])
        history.lied.add(target)
        history.lied.update(self.mine)
        self.rng.choice(LIES)(self, target)
        if self._link is not None:
            self._link.babble()
        self._pump()
