"""A machine with pages at hand, for tests that tell one story each."""

from __future__ import annotations

import random
from typing import Any, TypeVar

from dispatcher.core.jobs.turn import Claim, Ended, LaneReady, LiveAttempt, Settled, Verdict
from dispatcher.core.workers.effects import Effect, Offer, Record
from dispatcher.core.workers.machine import Machine
from dispatcher.core.workers.registration import Registration
from dispatcher.core.workers.retry import RetryPolicy
from dispatcher.core.workers.timings import Timings
from tests.support.jobs import apart

E = TypeVar("E")


def claim(attempt: str, *, pool: int = 0, type: str = "a", **fields) -> Claim:
    """A claim with defaults filled in."""
    known: dict[str, Any] = {
        "job": f"job of {attempt}", "data": "1", "number": 1, "errors": 0, "crashes": 0,
    }  # fmt: skip
    terms, others = apart(fields)
    return Claim(pool=pool, attempt=attempt, type=type, terms=terms, **(known | others))


def left(attempt: str, *, worker="w1", boot="b1", started_at: float | None = 1.0, **fields):
    """An attempt that an earlier run left open."""
    terms, others = apart({"timeout_s": 100.0} | fields)
    return LiveAttempt(
        attempt=attempt, job=f"job of {attempt}", type="a", number=1, started_at=started_at, terms=terms,
        errors=0, crashes=0, worker=worker, boot=boot, **others,
    )  # fmt: skip


def all_of(effects: list[Effect], kind: type[E]) -> list[E]:
    """The effects of one kind."""
    return [effect for effect in effects if isinstance(effect, kind)]


def only(effects: list[Effect], kind: type[E]) -> E:
    """The only effect of this kind; others may stand beside it."""
    [effect] = all_of(effects, kind)
    return effect


def ends(effects: list[Effect]) -> dict[str, str]:
    """Attempt -> cause, for the attempts that these effects end."""
    reports = [effect.report for effect in all_of(effects, Record)]
    return {report.attempt: str(report.cause) for report in reports if isinstance(report, Ended)}


def end(effects: list[Effect]) -> Ended:
    """The one end of an attempt among these effects."""
    [report] = [e.report for e in all_of(effects, Record) if isinstance(e.report, Ended)]
    return report


class Steady(random.Random):
    """No jitter, so that every delay is exact."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Node:
    """A machine and a clock that is turned by hand."""

    def __init__(self, *, shared: bool = False, **timings) -> None:
        self.machine = Machine(timings=Timings(**timings), retry=RetryPolicy(), rng=random.Random(1), shared=shared)
        self.now = 1_000.0
        # More jobs wait than all workers here could take.
        self.machine.ready([LaneReady(lane, 1_000) for lane in "abc"], claimed=True)

    def __getattr__(self, name):
        """Any call of the machine, at this instant."""
        call = getattr(self.machine, name)
        return lambda *args, **kwargs: call(*args, **kwargs, now=self.now)

    def join(self, session="s1", worker="w1", boot="", types=("a",), slots=1, spare="w9", **fields):
        boot = boot or ("b1" if worker == "w1" else f"boot of {worker}")
        known = {"name": f"page {worker}", **fields}
        for name in {"holding", "finished"} & known.keys():
            known[name] = tuple(known[name])
        said = Registration(worker=worker, spare=spare, boot=boot, types=types, slots=slots, **known)
        return self.register(session, said)

    def pass_s(self, seconds):
        """Lets time pass, and does what is due."""
        self.now += seconds
        return self.tick()

    def until_due_s(self):
        """Seconds until the machine wants to be called."""
        at = self.machine.next_deadline()
        return None if at is None else at - self.now

    def offer(self, attempt="a1", *, worker="w1", written=True, **fields):
        """The worker's pool gets a claim; a poll's answer carries the offer away."""
        pool = self.machine.workers[worker].pool
        effects = self.claimed([claim(attempt, pool=pool, **fields)])
        assert only(effects, Offer).claim.attempt == attempt
        if written:
            self.written([attempt])
        return effects

    def run(self, attempt="a1", *, worker="w1", **fields):
        """The worker has an attempt and has accepted it."""
        self.offer(attempt, worker=worker, **fields)
        return self.accept(self.machine.workers[worker].session, attempt)

    def room(self):
        return sum(demand.room for demand in self.machine.demand(1_000))

    def judged(self, effects, verdict=Verdict.RECORDED):
        """The store has judged the reports among these effects."""
        reports = [effect.report for effect in all_of(effects, Record)]
        return self.settled(reports, [Settled(report.attempt, verdict) for report in reports])


__all__ = ["Node", "Steady", "all_of", "claim", "end", "ends", "left", "only"]
