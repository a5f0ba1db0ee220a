"""Standstills of the server, of every length and at bad moments, and what must not come of them (S19)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from dispatcher.core.jobs.turn import Cause, Ended

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

__all__ = ["LENGTHS", "MOMENTS", "Stalls"]

SHORTEST_S, LONGEST_S = 0.1, 3_600.0
#: By how they are counted: from which length on, and up to which.
LENGTHS = {
    "standstills of 0.1 to 1 s": (SHORTEST_S, 1.0),
    "standstills of 1 to 10 s": (1.0, 10.0),
    "standstills of 10 to 100 s": (10.0, 100.0),
    "standstills of 100 to 1,000 s": (100.0, 1_000.0),
    "standstills of 1,000 to 3,600 s": (1_000.0, LONGEST_S + 0.001),
}
#: How those are counted that come, and end, at bad moments.
AT_A_PING = "standstills with a ping, about as long as its timeout"
ANY_LENGTH = "standstills with a ping, of any length"
UNTIL_DUE = "standstills until something was about to be due"
TIMER_FIRST = "standstills after which the timer came first"
MOMENTS = (AT_A_PING, ANY_LENGTH, UNTIL_DUE, TIMER_FIRST)
#: What has arrived is read so long after the timer, at most.
_READ_S = 0.3
#: A standstill that is longer is known as one, whenever the timer was due in it.
_KNOWN_S = 2.5
#: What a page has for a ping and its pong, beside the interval and the timeout; and for each standstill among them.
_SLACK_S, _MOMENT_S = 5.0, 2.0


class Stalls:
    """Draws them, and knows to which pages nothing else has happened."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rng = random.Random(f"standstills of {world.seed}")
        #: Page -> until when network or machine were bad to it.
        self._harmed: dict[str, float] = {}
        #: When one that waits for a ping begins.
        self._next_at = -1.0
        #: Those that are over: (from, to).
        self._stood: list[tuple[float, float]] = []
        #: Attempts whose ends were known when the server went on.
        self._known: set[str] = set()

    # -- what is drawn

    def any_length_s(self, rng: random.Random | None = None) -> float:
        """As many between 0.1 and 1 s as between 100 and 1,000 s."""
        return SHORTEST_S * (LONGEST_S / SHORTEST_S) ** (rng or self.world.rng).random()

    def _timeout_s(self) -> float:
        """About as long as the server or a page waits for the other."""
        settings = self.world.knobs.settings
        interval_s, timeout_s = settings.ping_interval_s, settings.ping_timeout_s
        about_s = self._rng.choice((1.0, timeout_s, timeout_s, interval_s, interval_s + timeout_s))
        return about_s * self._rng.uniform(0.75, 1.25)

    def _until_due_s(self, node: Node) -> float | None:
        """About until something will be due; None: nothing will be."""
        left_s = [at - self.world.now for _, at in node.machine._deadlines.items() if at > self.world.now]
        if not left_s:
            return None
        return min(LONGEST_S, max(SHORTEST_S, self._rng.choice(left_s) + self._rng.uniform(-_READ_S, _READ_S)))

    def at_a_ping(self) -> None:
        """The server will stand still just when it has sent a ping, and the pong is on its way."""
        node = self.world.node
        if node is None or not node.alive or not hasattr(node, "sessions"):
            return
        due = next(iter(node.sessions.book.pings._to_send.values()), self.world.now)
        if due > self._next_at:
            self._next_at = due + self._rng.uniform(0.0, 0.06)
            self.world.events.at(self._next_at, self._at_a_ping)

    def _at_a_ping(self) -> None:
        node = self.world.node
        if node is None or self.world.over:
            return
        what = self._rng.choice((AT_A_PING, AT_A_PING, UNTIL_DUE, ANY_LENGTH))
        seconds = self.any_length_s(self._rng) if what == ANY_LENGTH else self._timeout_s()
        if what == UNTIL_DUE:
            seconds = self._until_due_s(node) or seconds
        if self.world.operator.stall(seconds):
            self.world.count(what)

    def reads_late_s(self) -> float:
        """After a standstill: so much later than the timer comes what has arrived; 0: before it."""
        knobs = self.world.knobs
        late = bool(knobs.timer_first) and self._rng.random() < knobs.timer_first
        self.world.count(TIMER_FIRST) if late else None
        return self._rng.uniform(0.001, _READ_S) if late else 0.0

    # -- what is noted

    def harm(self, page: str, until: float) -> None:
        """Something else than a standstill keeps this page from answering, until then."""
        self._harmed[page] = max(until, self._harmed.get(page, 0.0))

    def over(self, node: Node, began: float) -> None:
        """The process goes on."""
        self._stood.append((began, self.world.now))
        stood_s = self.world.now - began
        for name, (least_s, most_s) in LENGTHS.items():
            self.world.count(name) if least_s <= stood_s < most_s else None
        reports = node.turns._reports if hasattr(node, "turns") else ()
        self._known = {said.attempt for said in reports}

    # -- what must not be

    def unread(self, said: Ended) -> None:
        """The server ends an attempt while what has arrived during the standstill is not read yet."""
        began, ended = self._stood[-1]
        if said.attempt in self._known or ended - began < _KNOWN_S:
            return
        if said.cause in (Cause.LAPSED, Cause.LOST, Cause.TIMED_OUT):
            self.world.broken(f"S19: {said.attempt} is {said.cause} before what had arrived was read")

    def quiet(self, sid: str) -> None:
        """The server says that a page has not answered: one to which something has happened."""
        self.world.count("quiet pages")
        settings = self.world.knobs.settings
        since = self.world.now - settings.ping_interval_s - settings.ping_timeout_s - _SLACK_S
        for began, ended in reversed(self._stood):
            if ended > since:
                since -= ended - began + _MOMENT_S
        for window in self.world.windows:
            its_own = window.session is not None and window.session.sid == sid and not window.gone
            if its_own and not window.frozen and self._harmed.get(window.name, -1.0) < since:
                self.world.broken(f"S19: {window.name} is taken for quiet, and has answered everything")
