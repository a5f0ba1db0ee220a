"""Two to five nodes share a database that has faults of its own: what one server promises holds for all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.sim.several.controls import SEEDS, SEVERAL_CONTROLS, found_in
from tests.sim.several.knobs import SeveralKnobs, of_several
from tests.sim.world import Outcome, run
from tests.support.places import ROOT

#: Of the long form: SIM_SEEDS=1000, or ``make simulate-long ARGS=--nodes``.
MANY = range(1, 1 + int(os.environ.get("SIM_SEEDS", "24")))

#: Of what is counted, what an ordinary test run must at least have met.
HAPPENS = (
    "kills at any time", "stops", "stalls", "partitions", "lies", "reloads", "freezes", "second windows",
    "slow transactions", "connections cut before a COMMIT", "connections cut in a COMMIT",
    "commits that were read back", "times the database was away", "times the database failed over",
    "pages that moved", "attempts that moved", "registers that came late", "nodes that were buried",
    "attempts that were adopted", "turns that heard of others", "posts that came once more, late",
    "starts of jobs with effects once", "jobs in doubt", "late results recorded", "moves to a socket",
)  # fmt: skip


def test_nothing_is_found_whatever_befalls_nodes_and_database() -> None:
    happened: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    nodes: set[int] = set()
    for seed in MANY:
        knobs = of_several(seed)
        nodes.add(knobs.nodes)
        outcome = run(seed, knobs=knobs)
        assert outcome.violation is None, f"{outcome.violation}; replay: python -m tests.sim --nodes --seed {seed}"
        outcomes.append(outcome)
        happened.update(outcome.counts.keys())
    assert nodes == {2, 3, 4, 5}
    # A run in which nothing goes wrong would find nothing either.
    assert [what for what in HAPPENS if not happened[what]] == []
    assert sum(outcome.executions for outcome in outcomes) > 1_000


def test_nothing_is_found_when_the_clocks_of_the_nodes_are_an_hour_apart() -> None:
    states: Counter[str] = Counter()
    for seed in range(3_001, 3_005):
        knobs = of_several(seed)
        knobs.clocks_apart, knobs.delayed, knobs.expires = True, 0.4, 0.3
        outcome = run(seed, knobs=knobs)
        assert outcome.violation is None, outcome.violation
        states += outcome.states
    assert {"expired", "succeeded"} <= set(states)


def test_on_calm_nodes_every_job_succeeds_and_runs_once_wherever_its_page_is() -> None:
    knobs = SeveralKnobs(nodes=3, pages=6, horizon_s=60.0, move_every_s=1.0, run_s=4.0)
    outcome = run(1, knobs=knobs)
    assert outcome.violation is None
    assert outcome.counts["attempts that moved"]
    assert set(outcome.states) <= {"succeeded", "failed"}
    assert not set(outcome.repeated) - {"timed_out"}, "repeated without a cause"


@pytest.mark.parametrize("name", SEVERAL_CONTROLS)
def test_a_bug_that_is_planted_in_what_nodes_share_is_found(name: str) -> None:
    seeds, violation = found_in(name)
    assert violation is not None, f"{name}: not found in {seeds} seeds"
    assert seeds <= SEEDS


def test_a_seed_of_several_nodes_gives_the_same_run_whatever_the_hash_seed_is() -> None:
    told = []
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.sim", "--nodes", "--seed", "7", "--quiet"]
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=True)
        told.append(ended.stdout)
    assert told[0] == told[1]
