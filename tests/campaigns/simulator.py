"""The real dispatcher among simulated pages, networks, disks and people, on virtual time: ``tests/sim``.

Each seed draws which faults are on, and how strongly; after every step the promises are checked; in the end all is
healed, and every job must end. A seed repeats its run exactly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from dispatcher.core.jobs.states import FINAL
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.sim.controls import CONTROLS, hunted
from tests.sim.knobs import Knobs, of_one
from tests.sim.links import Step
from tests.sim.seasons import over_years
from tests.sim.stalls import LENGTHS, MOMENTS
from tests.sim.targets import KINDS
from tests.sim.totals import Total, run_until, say

FORMS = {
    "short": "20,000 steps and three controls",
    "default": "300,000 steps, 60,000 over years, and all controls",
    "long": "3,000,000 steps, 600,000 over years, and all controls",
}
STEPS = {"short": 20_000, "default": 300_000, "long": 3_000_000}
#: Of farms that are switched off for hours to months, now and then.
STEPS_OVER_YEARS = {"short": 20_000, "default": 60_000, "long": 600_000}
#: Of the many controls, those of the short form; an ordinary test run has all of them in tests/sim.
FEW = ("no fence", "what was lost after go runs again", "the end of a socket is not told")

_YEAR_S = 365.25 * 86_400

#: What is counted and is a fault, in the order of who suffers it; the rest is what follows.
FAULTS = (
    "lost requests", "lost answers", "cut connections", "partitions", "slow deliveries", "slow bodies",
    "replayed posts", "posts that came once more, late", "freezes", "pauses", "reloads", "crashed pages",
    "leaving pages", "second windows", "tasks that hang", "lies", "API requests lost", "API answers lost",
    "kills at any time", "kills before a commit", "kills after a commit", "kills by a second signal", "stops",
    "stalls", *LENGTHS, *MOMENTS, "store troubles", "slow turns", "times the disk was low", "times the disk was full",
    "wall clock steps",
    "pages switched off for a while", "pages loaded with other labels", *(f"jobs for {kind}" for kind in KINDS),
    "jobs for a page that was not there", "lost handshakes of sockets", "frames to the server that broke a socket",
    "frames to the page that broke a socket", "frames that were read slowly",
    *(f"moves that broke while {step.value}" for step in Step if step is not Step.OVER),
)  # fmt: skip
OFFERS = "offers of jobs that require labels"
#: What else is counted, and is worth knowing: how far the faults reached.
REACHED = (
    "attempts succeeded", "attempts error", "attempts timed_out", "attempts lost", "attempts lapsed",
    "attempts released", "silent tasks given up", "late results recorded", "late answers adopted", "jobs in doubt",
    "decided by a person", "cancelled", "retried", "quiet pages", OFFERS, "sessions by socket from the start",
    "moves to a socket", "sockets that broke", "offers proved by a pong",
    "pages brought in the end, for jobs that waited for their labels", "jobs for nobody, cancelled in the end",
)  # fmt: skip


def _figures(total: Total, of: str = "") -> list[Figure]:
    doubles = sum("S15b" in violation for violation in total.violations)
    unended = sum(number for state, number in total.states.items() if state not in FINAL)
    return [
        Figure(f"steps after which a promise was broken{of}", len(total.violations), total.steps, "steps", "I1 to I33"),
        Figure(f"jobs that never ended, though all was healed{of}", unended, total.counts["jobs"], "jobs", "I2, I20"),
        Figure(
            f"jobs with effects once started again, or without go{of}", doubles,
            total.counts["starts of jobs with effects once"], "starts of such jobs", "S15b",
        ),
    ]  # fmt: skip


def _of_some_farms(*totals: Total) -> list[Figure]:
    """Events that not every farm meets; in a short run perhaps none does."""
    found = [violation for total in totals for violation in total.violations]
    offers, stalls = (sum(total.counts[name] for total in totals) for name in (OFFERS, "stalls"))
    strangers, counted = (sum(f"{name}:" in violation for violation in found) for name in ("I21", "S19"))
    what = "jobs offered to a page that lacks a label that they require"
    figures = [
        Figure(what, strangers, offers, "offers of such jobs", "S29, I21"),
        Figure("standstills of the server that counted against a page", counted, stalls, "standstills", "S19"),
    ]
    return [figure for figure in figures if figure.of or sum(total.steps for total in totals) > 100_000]


def _measures(total: Total, real_s: float, years: Total, years_real_s: float) -> list[Measure]:
    hours, over_years = total.virtual_s / 3_600, years.virtual_s / _YEAR_S
    again = sum(total.repeated.values())
    return [
        Measure("virtual time", round(hours, 1), "hours"),
        Measure("virtual time in a minute of real time", round(hours * 60 / real_s, 1), "hours"),
        Measure("steps per second", round(total.steps / real_s), "1/s"),
        Measure("virtual time of the farms over years", round(over_years, 1), "years"),
        Measure("of them in a minute of real time", round(over_years * 60 / years_real_s, 1), "years"),
        Measure("batches in them", years.counts["batches"], "of two to five jobs"),
        Measure("times all was switched off", years.counts["times all was switched off"], "times, 4 hours to 6 months"),
        Measure("farms, each with faults of its own", total.seeds, "seeds"),
        Measure("executions", total.executions, f"executions, {again:,} beyond a job's first (allowed: at least once)"),
        *(Measure(f"fault: {name}", total.counts[name], "times") for name in FAULTS),
        *(Measure(f"what followed: {name}", total.counts[name], "times") for name in REACHED),
    ]


def _control(name: str) -> Control:
    seeds, violation = hunted(name)
    return Control(f"planted: {name}", int(violation is not None), seeds, "seeds")


def _timed(seed: int, steps: int, draw: Callable[[int], Knobs]) -> tuple[Total, float]:
    began = time.monotonic()
    return run_until(seed, steps, say, draw=draw), time.monotonic() - began


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    total, real_s = _timed(seed, STEPS[form], of_one)
    years, years_real_s = _timed(seed, STEPS_OVER_YEARS[form], over_years)
    return Record(
        campaign="simulator",
        figures=[*_figures(total), *_figures(years, " (over years)"), *_of_some_farms(total, years)],
        measures=_measures(total, real_s, years, years_real_s),
        controls=[_control(name) for name in (FEW if form == "short" else CONTROLS)],
        violations=[*total.violations, *(f"--years: {violation}" for violation in years.violations)],
        notes=[
            "A step is an event on virtual time: a request or an answer that arrives, a timer, a commit, a fault, "
            "something that a person does. What a coroutine goes on with belongs to the step that let it."
        ],
    )


if __name__ == "__main__":
    sys.exit(run("simulator", FORMS, play, None))
