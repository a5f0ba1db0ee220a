"""Seed after seed, and what they were together."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.sim.knobs import Knobs, of_one
from tests.sim.world import Outcome, run

__all__ = ["Total", "run_until", "say"]


@dataclass
class Total:
    """The sum of many runs."""

    seeds: int = 0
    steps: int = 0
    virtual_s: float = 0.0
    executions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    #: In how many seeds each fault was on.
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    #: Violations that a person was told of.
    said: int = 0

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.steps += outcome.steps
        self.virtual_s += outcome.virtual_s
        self.executions += outcome.executions
        self.counts += outcome.counts
        self.states += outcome.states
        self.repeated += outcome.repeated
        self.faults.update(outcome.faults.keys())
        if outcome.violation is not None:
            self.violations.append(outcome.violation)


def run_until(
    first: int,
    steps: int,
    after_each: Callable[[Total], None] = lambda total: None,
    *,
    draw: Callable[[int], Knobs] = of_one,
) -> Total:
    """Runs seeds from ``first`` on until so many steps are done; ``draw`` gives the knobs of each."""
    total = Total()
    while total.steps < steps:
        seed = first + total.seeds
        total.add(run(seed, knobs=draw(seed)))
        after_each(total)
    return total


def say(total: Total) -> None:
    """To standard error: a long run shows that it goes on, and what it finds at once."""
    for violation in total.violations[total.said :]:
        print(violation, file=sys.stderr, flush=True)
    total.said = len(total.violations)
    if total.seeds % 50 == 0:
        print(f"{total.steps:,} steps, {total.seeds} seeds, {total.said} violations", file=sys.stderr, flush=True)
