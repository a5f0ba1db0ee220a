"""Submitters, and the operator of the server."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.states import FINAL
from dispatcher.core.jobs.turn import Accepted
from dispatcher.errors import (
    Draining,
    JobNotFound,
    KeyConflict,
    PagehandError,
    StorageAway,
    StorageTrouble,
    WrongState,
)
from dispatcher.node.service import Dispatcher
from tests.sim.batches import NOT_TAKEN, Batches
from tests.sim.node import Node
from tests.support.jobs import spec as new_spec

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["Operator", "Submitter"]

#: Submissions that are on their way at once.
MOST_OPEN = 40
#: A longer queue only makes a run slow.
MOST_QUEUED = 60

HOUR_S, YEARS_S = 3_600.0, 10 * 365.25 * 86_400.0


#: Errors with which a command may be answered.
_EXPECTED = (JobNotFound, WrongState, StorageTrouble, StorageAway, Draining)


class Unknown(Exception):
    """The network or the server ate the answer: nobody knows what became of the request."""


@dataclass(eq=False)
class Call:
    """An API request on its way."""

    node: Node
    arrived_at: float
    bound_s: float
    answer: Callable[[Any], None]


class Submitter:
    """Submits jobs, and looks after them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(world.rng.getrandbits(64))
        #: Draws for newer features, so that older seeds stay as they were.
        self._more = random.Random(f"more of {world.seed}")
        self._regrets = random.Random(f"regrets of {world.seed}")
        self._count = 0
        #: Submissions whose outcome is not known yet.
        self.open = 0
        self.batches = Batches(self)

    # -- requests

    def call(
        self,
        make: Callable[[Dispatcher], Coroutine[Any, Any, Any]],
        done: Callable[[Any], None],
        *,
        wait_s: float = 0.0,
    ) -> None:
        """A request over a network that may lose it or its answer; ``done`` gets the value, the error or Unknown."""
        world, rng, knobs = self.world, self.rng, self.world.knobs
        way_s, back_s = rng.uniform(0.001, 0.5), rng.uniform(0.001, 0.5)
        lost, unheard = rng.random() < knobs.lose_call, rng.random() < knobs.lose_reply
        world.count("API requests lost") if lost else None
        world.count("API answers lost") if unheard else None
        answered: list[object] = []

        def answer(value: Any) -> None:
            if call is not None:
                world.calls.pop(call, None)
            if not answered:
                answered.append(value)
                world.events.later(back_s, lambda: done(Unknown() if unheard else value))

        call: Call | None = None

        def arrive() -> None:
            nonlocal call
            node = world.some_operator().node
            if lost or node is None or not node.listening:
                answer(Unknown())
                return
            call = Call(node, world.now, wait_s, answer)
            world.calls[call] = None
            node.run("io", lambda: node.call(make, answer))

        world.events.later(way_s, arrive)

    @staticmethod
    def unknown(outcome: object) -> bool:
        """Whether nobody knows what became of a request."""
        return isinstance(outcome, Unknown)

    # -- giving jobs

    def give(self) -> None:
        """A new job, asked for until its outcome is known."""
        if self.open >= MOST_OPEN or len(self.world.disk.rows.waiting) >= MOST_QUEUED:
            return
        self._count += 1
        self.open += 1
        rng, knobs = self.rng, self.world.knobs
        token = f"t{self._count}"
        pad = "x" * rng.choice((0, 0, 100, 1_100 if rng.random() < knobs.big else 10))
        key = f"k{token}" if rng.random() < 0.8 else None
        more = self._more
        spec = new_spec(
            effects="once" if more.random() < knobs.once else "repeat",
            heartbeat_s=more.choice((1.5, 5.0)) if more.random() < knobs.heartbeat else None,
            type=rng.choice(self.world.types), data=json.dumps({"token": token, "pad": pad}),
            priority=rng.choice((0, 0, 0, 1, -1, 5)),
            delay_s=rng.uniform(0.1, 30) if rng.random() < knobs.delayed else 0.0,
            expires_s=rng.uniform(1, 60) if rng.random() < knobs.expires else None,
            timeout_s=rng.choice((2.0, 10.0, 30.0)), max_attempts=rng.randint(1, 4), max_crashes=rng.randint(0, 5),
            key=key, fingerprint=f"f{token}", requires=self.world.targets.requirement(),
        )  # fmt: skip
        if knobs.off_every_s:
            delay_s, expires_s = self.world.seasons.delays()
            spec = replace(spec, delay_s=delay_s, expires_s=expires_s)
        if not self.batches.take(token, spec):
            self.world.history.submitted[token] = spec
            self._submit(token, spec)

    def _submit(self, token: str, spec: JobSpec) -> None:
        self.call(lambda dispatcher: dispatcher.submit(spec), lambda outcome: self._heard(token, spec, outcome))

    def _heard(self, token: str, spec: JobSpec, outcome: Any) -> None:
        again = isinstance(outcome, NOT_TAKEN)
        again = again or (isinstance(outcome, (Unknown, StorageTrouble)) and spec.key is not None)
        if again:
            self.world.events.later(self.rng.uniform(0.5, 10.0), lambda: self._submit(token, spec))
            return
        self.open -= 1
        if isinstance(outcome, Accepted):
            assert outcome.job is not None
            self.world.trace(f"{token} is accepted as {outcome.job.id}, replayed {outcome.replayed}")
            self.world.history.acknowledged(token, outcome.job.id)
            self._care(token, spec, outcome.job.id)
        elif isinstance(outcome, KeyConflict):
            self.world.broken(f"{token}: its key is said to be used for another body")
        elif isinstance(outcome, (Unknown, StorageTrouble)):
            self.world.count("submissions given up, outcome unknown")
        else:
            self.world.broken(f"{token}: {outcome!r}")

    def _care(self, token: str, spec: JobSpec, job: str) -> None:
        rng, knobs, later = self.rng, self.world.knobs, self.world.events.later
        if rng.random() < 0.3:
            later(rng.uniform(0, 5), lambda: self._look(job))
        if rng.random() < knobs.cancel:
            later(rng.uniform(0, 20), lambda: self.cancel(job))
        if spec.key is not None and rng.random() < knobs.other_body:
            other = new_spec(type=spec.type, data='"other"', key=spec.key, fingerprint="other")
            self.call(lambda d: d.submit(other), lambda outcome: self._other_body(job, outcome))

    def _other_body(self, job: str, outcome: Any) -> None:
        if isinstance(outcome, Accepted) and job not in self.world.history.purged:
            self.world.broken(f"the key of {job} was taken with another body")

    # -- looking after them

    def _look(self, job: str) -> None:
        self.call(lambda d: d.wait(job, 20.0), lambda outcome: self._saw(job, outcome), wait_s=20.0)

    def _saw(self, job: str, outcome: Any) -> None:
        if isinstance(outcome, JobView):
            self.world.history.saw(outcome)
            if outcome.state in FINAL:
                return
        elif isinstance(outcome, JobNotFound):
            if job not in self.world.history.purged:
                self.world.broken(f"{job} was acknowledged, and is said not to exist")
            return
        if not self.world.over:
            self.world.events.later(self.rng.uniform(1, 5), lambda: self._look(job))

    def cancel(self, job: str) -> None:
        """Somebody does not want it any more."""
        self.call(lambda d: d.cancel(job, "not wanted"), lambda outcome: self._commanded(job, outcome))

    def retry(self) -> None:
        """Somebody wants a job that has ended run again."""
        rows = self.world.disk.rows
        ended = [row.id for row in rows.by_seq.values() if row.state in ("failed", "cancelled", "expired")]
        if ended and self.rng.random() < self.world.knobs.retry:
            job = self.rng.choice(ended)
            self.call(lambda d: d.retry(job), lambda outcome: self._commanded(job, outcome))

    def decide(self) -> None:
        """Somebody settles a job in doubt; in the end, all of them."""
        doubtful = [row.id for row in self.world.disk.rows.by_seq.values() if row.state == "in_doubt"]
        some = doubtful if self.world.over else self._more.sample(doubtful, min(2, len(doubtful)))
        for job in some:
            what = ("done", "failed") if self.world.over else ("done", "failed", "again", "again")
            self._decide(job, self._more.choice(what))
            if self._more.random() < 0.5:  # somebody else looks at it, too
                self._decide(job, self._more.choice(("done", "failed")))

    def _decide(self, job: str, what: str) -> None:
        if what == "again":
            self.call(lambda d: d.retry(job), lambda outcome: self._commanded(job, outcome))
            return
        self._count += 1
        value = f'{{"decision":{self._count}}}' if what == "done" else None
        if value is not None:
            self.world.history.decided.setdefault(job, set()).add(value)
        self.call(lambda d: d.decide(job, value, "I looked"), lambda outcome: self._commanded(job, outcome))

    def reopen(self) -> None:
        """Somebody takes back what was decided; sometimes too late, or where nobody has decided."""
        rows = [row for row in self.world.disk.rows.by_seq.values() if row.terms.effects == "once"]
        decided = [row.id for row in rows if row.reason == "decided"]
        others = [row.id for row in rows if row.state == "failed"]
        some = others if self._regrets.random() < 0.2 else decided
        if some and not self.world.over:
            job = self._regrets.choice(some)
            self.call(lambda d: d.reopen(job, "I erred"), lambda outcome: self._commanded(job, outcome))

    def adopt(self) -> None:
        """Somebody takes a late answer for the result of a job that has failed."""
        rows = self.world.disk.rows
        failed = [row for row in rows.by_seq.values() if row.state == "failed"]
        late = [row.id for row in failed if any(a.evidence for a in rows.of_job.get(row.seq, {}).values())]
        if late and self._more.random() < self.world.knobs.adopt:
            job = self._more.choice(late)
            self.call(lambda d: d.adopt(job), lambda outcome: self._commanded(job, outcome))

    def _commanded(self, job: str, outcome: Any) -> None:
        if isinstance(outcome, JobNotFound) and job not in self.world.history.purged:
            self.world.broken(f"{job} is said not to exist")
        if isinstance(outcome, PagehandError) and not isinstance(outcome, _EXPECTED):
            self.world.broken(f"{job}: {outcome!r}")


class Operator:
    """Kills, stops and starts a server, and sets its wall clock, which may be ahead of the others'."""

    def __init__(self, world: World, name: str = "the server", ahead_s: float = 0.0) -> None:
        self.world, self.name, self.ahead_s = world, name, ahead_s
        #: Its process, or its last one.
        self.node: Node | None = None

    def start(self) -> None:
        world = self.world
        if self.node is not None and self.node.alive:
            return
        if world.disk.is_away:
            world.events.later(1.0, self.start)
            return
        world.count("starts")
        self.node = Node(world, self)

    def kill(self, why: str, node: Node | None = None) -> None:
        """kill -9; it is started again after a while."""
        world = self.world
        if self.node is None or not self.node.alive or (node is not None and node is not self.node):
            return
        world.count(f"kills {why}")
        world.trace(f"{self.name} is killed, {why}")
        self._end(self.node)
        world.events.later(world.rng.choice((0.1, 2.0, 20.0)), self.start)

    def stop(self) -> None:
        """SIGTERM."""
        node = self.node
        if node is not None and node.listening and node.drained_at is None:
            self.world.count("stops")
            self.world.trace(f"{self.name} is told to stop")
            node.run("io", lambda: node.loop.create_task(node.stop()))
            if self.world.rng.random() < 0.2:
                self.world.events.later(self.world.rng.uniform(0, 5), lambda: self.kill("by a second signal", node))

    def stopped(self, node: Node) -> None:
        """It has ended in good order."""
        self.world.checks.stopped(node)
        self.world.trace(f"{self.name} has stopped")
        self._end(node)
        self.world.events.later(self.world.rng.choice((0.5, 5.0)), self.start)

    def _end(self, node: Node) -> None:
        node.die()
        for call in [call for call in self.world.calls if call.node is node]:
            call.answer(Unknown())

    def stall(self, seconds: float | None = None) -> bool:
        """The server stands still; None: for a short or a long time. False: it does so already, or is dead."""
        node = self.node
        if node is None or not node.alive or node.stalled:
            return False
        self.world.count("stalls")
        seconds = self.world.stalls.any_length_s() if seconds is None else seconds
        self.world.trace(f"{self.name} stands still for {seconds:.1f} s")
        node.stall(seconds)
        return True

    def fill_disk(self) -> None:
        """The disk is full, or nearly, for a while."""
        world = self.world
        if world.disk.rows.room != "plenty":
            return
        world.disk.rows.room = world.rng.choice(("low", "full"))
        world.count(f"times the disk was {world.disk.rows.room}")
        world.trace(f"the disk is {world.disk.rows.room}")
        world.events.later(world.rng.choice((1.0, 10.0, 60.0)), world.room_again)

    def step_wall(self) -> None:
        """Somebody sets the clock, and perhaps sets it right again."""
        self.world.count("wall clock steps")
        step_s = self.world.rng.choice((HOUR_S, -HOUR_S, YEARS_S, -YEARS_S, 0.0))
        self.world.wall_step_s = step_s
        self.world.furthest_s = max(self.world.furthest_s, step_s)
        self.world.trace(f"the wall clock is {step_s:+.0f} s off")
