"""A run: server, pages, network and people on virtual time and one seed."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.sdk.simulator.page import Identity
from tests.sim.browser import Window
from tests.sim.checks import Checks
from tests.sim.disk import Disk
from tests.sim.events import Events
from tests.sim.history import History
from tests.sim.holds import Holds
from tests.sim.knobs import Knobs, of_one
from tests.sim.node import Node
from tests.sim.people import Call, Operator, Submitter
from tests.sim.seasons import Seasons
from tests.sim.several.database import Database
from tests.sim.several.troubles import Troubles, operators_of
from tests.sim.stalls import Stalls
from tests.sim.targets import Face, Targets

__all__ = ["Outcome", "Violation", "World", "run"]

#: UTC seconds when the world begins.
WALL = 1_700_000_000.0
#: After everything is healed, every open job must have ended within this many (virtual) seconds.
LIVENESS_S = 1_800.0
TYPES = ("echo", "sum", "crawl")


class Violation(AssertionError):
    """Something that must not be. The message begins with the seed."""


@dataclass
class Outcome:
    """What a run was."""

    seed: int
    steps: int = 0
    virtual_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    executions: int = 0
    repeated: Counter[str] = field(default_factory=Counter)
    faults: dict[str, float] = field(default_factory=dict)
    violation: str | None = None


class World:
    """Everything there is."""

    #: Coroutines' continuations are not checked one by one, only the steps that let them.
    quick = True

    def __init__(self, seed: int, *, knobs: Knobs | None = None, trace: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.knobs = knobs or of_one(seed)
        self._trace = trace
        self.events = Events()
        self.outcome = Outcome(seed, faults=self.knobs.on())
        self.types = TYPES
        self._ids = 0
        self.operators = operators_of(self)
        self.alone = len(self.operators) == 1
        self.disk = Disk() if self.alone else Database(self)
        self.history = History(self)
        self.stalls = Stalls(self)
        self.targets = Targets(self)
        self.checks = Checks(self)
        self.partitions: dict[str, float] = {}
        self.calls: dict[Call, None] = {}
        self.wall_step_s = self.furthest_s = 0.0
        #: How long the server has stood still, or will have: the run is so much longer.
        self.stood_s = 0.0
        #: Instants prove no order: clocks are set, or nodes date their turns.
        self.wall_was_stepped = self.knobs.wall_step_every_s > 0 or not self.alone
        self.over = False
        self._second = False
        self.wrong: list[str] = []
        self.submitter = Submitter(self)
        self.seasons, self.holds = Seasons(self), Holds(self)
        self.troubles = Troubles(self)
        self.windows: list[Window] = []

    # -- what everybody uses

    @property
    def now(self) -> float:
        return self.events.now

    def true_time(self) -> float:
        """UTC seconds, whatever clocks show."""
        return WALL + self.now

    def wall(self) -> float:
        return self.true_time() + self.wall_step_s

    @property
    def operator(self) -> Operator:
        """Who runs the server, or the first of several."""
        return self.operators[0]

    @property
    def node(self) -> Node | None:
        """The process of that one, be it dead."""
        return self.operator.node

    def nodes(self) -> list[Node]:
        """The processes that live."""
        return [operator.node for operator in self.operators if operator.node is not None and operator.node.alive]

    def some_operator(self) -> Operator:
        """Whose server gets the next session, request or blow."""
        return self.operator if self.alone else self.troubles.somebody()

    def stand(self, seconds: float) -> None:
        """A process stands still: if it is the only one, nothing else happens."""
        self.stood_s += seconds if self.alone else 0.0

    def new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}{self._ids:05d}"

    def count(self, what: str) -> None:
        self.outcome.counts[what] += 1

    def trace(self, text: str) -> None:
        if self._trace is not None:
            self._trace(f"{self.now:10.3f}  {text}")

    def broken(self, what: str) -> None:
        """Something that must not be; the run ends after this step."""
        self.wrong.append(what)
        self.trace(f"VIOLATION: {what}")

    # -- the run

    def begin(self) -> None:
        knobs = self.knobs
        for operator in self.operators:
            operator.start()
        for _ in range(knobs.pages):
            self.open_window()
        self.often(knobs.jobs_every_s, self.submitter.give)
        self.often(1.0, self._each_second, exactly=True)
        self.often(10.0, lambda: self.checks.everything(self.node), exactly=True)
        self.often(10.0, self.submitter.batches.check, exactly=True)
        self.often(5.0, self.submitter.retry)
        self.often(2.0, self.submitter.decide, exactly=True)
        self.often(3.0, self.submitter.reopen, exactly=True)
        self.often(7.0, self.submitter.adopt, exactly=True)
        self.often(5.0 if knobs.labelled else 0.0, self.targets.watch, exactly=True)
        for every_s, what in (
            (knobs.cut_poll_every_s, self._cut),
            (knobs.partition_every_s, self._partition),
            (knobs.freeze_every_s, lambda w: w.freeze(self.rng.choice((1.0, 10.0, 60.0, 150.0)))),
            (knobs.reload_every_s, lambda w: w.reload(keep_stash=self.rng.random() >= knobs.lose_stash)),
            (knobs.second_window_every_s, self._second_window),
            (knobs.crash_every_s, self._crash),
            (knobs.leave_every_s, self._leave),
            (knobs.pause_every_s, lambda w: w.pause(not w.paused)),
            (knobs.lie_every_s, Window.lie),
            (knobs.switch_off_every_s, self.targets.switch_off),
        ):
            self.often(every_s, lambda what=what: self._to_some_window(what))  # type: ignore[misc]
        self.often(knobs.kill_every_s, lambda: self.some_operator().kill("at any time"))
        self.often(knobs.stop_every_s, lambda: self.some_operator().stop())
        self.often(knobs.stall_every_s, self.operator.stall)
        self.often(knobs.stall_at_ping_every_s, self.stalls.at_a_ping)
        self.often(knobs.wall_step_every_s, self.operator.step_wall)
        self.often(knobs.full_disk_every_s, self.operator.fill_disk)
        self.often(knobs.off_every_s, self.seasons.switch_off)
        self.often(knobs.hold_every_s, self.holds.pause)
        self.often(10.0 if knobs.hold_every_s else 0.0, self.holds.check, exactly=True)
        self.troubles.begin()

    def often(self, every_s: float, call: Callable[[], object], *, exactly: bool = False) -> None:
        """Repeats a call until the run is healed; the checks go on until it ends."""
        if not every_s:
            return

        def happen() -> None:
            if exactly or not self.over:
                call()
                self.events.later(every_s if exactly else self.rng.expovariate(1 / every_s), happen)

        self.events.later(every_s if exactly else self.rng.expovariate(1 / every_s), happen)

    def open_window(
        self, types: tuple[str, ...] | None = None, *, face: Face | None = None, identity: Identity | None = None
    ) -> Window:
        some = types or tuple(sorted(self.rng.sample(TYPES, self.rng.randint(1, len(TYPES)))))
        window = Window(self, f"page{len(self.windows)}", some, face=face, identity=identity)
        self.windows.append(window)
        return window

    def _to_some_window(self, what: Callable[[Window], object]) -> None:
        there = [window for window in self.windows if not window.gone]
        if there:
            what(self.rng.choice(there))

    def _cut(self, window: Window) -> None:
        self.count("cut connections")
        self.rng.choice(window._wires).cut() if window._wires else None

    def _partition(self, window: Window) -> None:
        self.count("partitions")
        self.partitions[window.name] = self.now + self.rng.choice((2.0, 20.0, 120.0))

    def _second_window(self, window: Window) -> None:
        if len(self.windows) < 20:
            self.count("second windows")
            stash = window.page.stash.kept()
            name, identity = f"page{len(self.windows)}", window.page.identity
            second = Window(self, name, window.types, face=window.face, identity=identity, stash=stash)
            self.windows.append(second)

    def _crash(self, window: Window) -> None:
        self.count("crashed pages")
        window.crash()
        self.events.later(self.rng.uniform(1, 30), lambda: None if self.over else self.open_window())

    def _leave(self, window: Window) -> None:
        self.count("leaving pages")
        window.leave()
        self.events.later(self.rng.uniform(1, 30), lambda: None if self.over else self.open_window())

    def room_again(self) -> None:
        if self.disk.rows.room != "plenty":
            self.disk.rows.room = "plenty"
            self.checks.room_again()
            self.trace("the disk has room again")

    def heal(self) -> None:
        """All faults end; nobody gives new jobs."""
        self.trace("everything is healed")
        self.over = True
        self.knobs.calm()
        self.partitions.clear()
        self.room_again()
        self.troubles.heal()
        for node in self.nodes():
            node.resume()
        self.wall_step_s = max(0.0, self.furthest_s)
        for window in self.windows:
            window.calm()
        for _ in range(2):
            self.open_window(TYPES)
        for operator in self.operators:
            self.events.later(30.0, operator.start)

    def all_ended(self) -> bool:
        """A job whose time lies months ahead, or beyond a step of the wall clock, rightly waits: move there."""
        states = {row.state for row in self.disk.rows.by_seq.values()} - FINAL
        years = bool(self.knobs.off_every_s)
        if self.alone and (years or self.now % 60 < 1) and JobState.SCHEDULED in states:
            ahead_s = (self.disk.rows.agenda.next_due_at or 0.0) - self.wall()
            self.wall_step_s += ahead_s if ahead_s > (2 if years else 300) else 0.0
        asked = bool(self.calls or self.submitter.open)
        return not states and not asked and len(self.nodes()) == len(self.operators)

    # -- steps

    def steps(self, until: Callable[[], bool]) -> bool:
        """Runs until the condition holds; False: the budget of steps is used up."""
        while not until():
            event = self.events.pop()
            if event is None or event.call is None:
                return True
            self.outcome.steps += event.is_step
            event.call()
            if self.wrong:
                raise Violation(f"seed {self.seed}, step {self.outcome.steps}, {self.now:.3f} s: {self.wrong[0]}")
        return True

    def live(self) -> None:
        """The whole run."""
        self.begin()
        self.steps(lambda: self.now - self.events.skipped_s - self.stood_s >= self.knobs.horizon_s)
        self.heal()
        deadline = self.now + LIVENESS_S
        self.steps(lambda: self.now >= deadline or (self._second_is_new() and self.all_ended()))
        assert self.node is not None
        self.checks.ended(self.node)
        self._check()
        for window in self.windows:
            window.leave()
        settings = self.knobs.settings
        last = self.now + settings.ping_interval_s + settings.ping_timeout_s + settings.reconnect_grace_s
        last += 300.0 if self.alone else 150.0  # what was long on its way arrives
        self.steps(lambda: self.now >= last + settings.restart_grace_s)
        for node in self.nodes():
            self.checks.left(node)
        self._check()

    def _each_second(self) -> None:
        self._second = True
        self.checks.watch()

    def _second_is_new(self) -> bool:
        """Whether another second has passed. An instant's fraction would not tell: on a quiet farm nothing may happen
        near a full second for minutes."""
        new, self._second = self._second, False
        return new

    def _check(self) -> None:
        if self.wrong:
            raise Violation(f"seed {self.seed}, step {self.outcome.steps}, {self.now:.3f} s: {self.wrong[0]}")


def run(seed: int, *, knobs: Knobs | None = None, trace: Callable[[str], None] | None = None) -> Outcome:
    """One run; ``Outcome.violation`` says what was found."""
    logging.disable(logging.CRITICAL if trace is None else logging.NOTSET)
    world = World(seed, knobs=knobs, trace=trace)
    outcome = world.outcome
    try:
        world.live()
    except Violation as violation:
        outcome.violation = str(violation)
    finally:
        logging.disable(logging.NOTSET)
        for operator in world.operators:
            operator.node.loop.abandon() if operator.node is not None else None
    outcome.virtual_s = world.now
    outcome.states.update(str(row.state) for row in world.disk.rows.by_seq.values())
    outcome.executions = sum(map(len, world.history.executions.values()))
    outcome.repeated = world.history.repeated_executions()
    return outcome
