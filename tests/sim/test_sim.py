"""Many farms on virtual time, each with its own faults; every seed that ever failed runs again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.sim.knobs import Knobs
from tests.sim.seasons import DAY_S, over_years
from tests.sim.socket_controls import slow_readers
from tests.sim.stalls import LENGTHS, MOMENTS
from tests.sim.world import Outcome, run

ROOT = Path(__file__).resolve().parent.parent.parent
#: Seeds of a usual test run, beside those that ever failed.
SEEDS = range(1_035, 1_035 + int(os.environ.get("SIM_SEEDS", "25")))

#: Of what is counted, what an ordinary test run must at least have met.
HAPPENS = (
    "kills at any time", "stops", "stalls", "partitions", "replayed posts", "lies", "reloads", "freezes",
    "second windows", "starts of jobs with effects once", "jobs in doubt", "decided by a person",
    "decisions taken back",
    "silent tasks given up", "late results recorded", "late answers adopted", "times the disk was full",
    "posts that came once more, late", "offers of jobs that require labels", "jobs for a page that was not there",
    "pages switched off for a while", "pages loaded with other labels", "jobs for nobody, cancelled in the end",
    "quiet pages", "sessions by socket from the start", "moves to a socket", "moves that broke while opening",
    "moves that broke while probing", "moves that broke while moving", "moves that broke while carries",
    "sockets that broke", "frames to the server that broke a socket", "frames to the page that broke a socket",
    "frames that were read slowly", "offers proved by a pong", "sockets closed with NOT_UPGRADED",
    "sockets closed with PROTOCOL_ERROR", "frames that no page sends",
    "pages that heard of a pause", "pauses of operators that people have ended",
    "connections closed behind their answers",
    *list(LENGTHS)[:4], *MOMENTS,
)  # fmt: skip


def once_failed() -> list[int]:
    lines = Path(__file__).with_name("seeds.txt").read_text(encoding="utf-8").splitlines()
    return [int(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("seed", once_failed())
def test_a_seed_that_once_failed_finds_nothing_any_more(seed: int) -> None:
    """Most of them failed when all pages polled."""
    knobs = Knobs.draw(random.Random(f"knobs of {seed}")).by_polling()
    assert run(seed, knobs=knobs).violation is None


def test_pages_that_read_too_slowly_lose_their_sessions_and_nothing_else() -> None:
    closed = 0
    for seed in (3, 7, 10, 11, 12):
        knobs = Knobs.draw(random.Random(f"knobs of {seed}"))
        slow_readers(knobs)
        outcome = run(seed, knobs=knobs)
        assert outcome.violation is None
        closed += outcome.counts["sockets closed with NOT_READ"]
    assert closed, "no session was lost: that tests nothing"


def test_nothing_is_found_whatever_faults_are_drawn() -> None:
    happened: Counter[str] = Counter()
    outcomes: list[Outcome] = []
    for seed in SEEDS:
        outcome = run(seed)
        assert outcome.violation is None, f"{outcome.violation}; replay: python -m tests.sim --seed {seed}"
        outcomes.append(outcome)
        happened.update(outcome.counts.keys())
    # A run in which nothing goes wrong would find nothing either.
    for what in HAPPENS:
        assert happened[what], f"in no seed there were {what}"
    assert sum(outcome.executions for outcome in outcomes) > 1_000


def test_nothing_is_found_on_farms_that_are_switched_off_for_months() -> None:
    outcomes = [run(seed, knobs=over_years(seed)) for seed in range(2_000, 2_008)]
    assert [outcome.violation for outcome in outcomes if outcome.violation] == [], "replay with --years"
    assert sum(outcome.virtual_s for outcome in outcomes) > 3 * 365 * DAY_S
    for what in ("times all was switched off", "attempts succeeded", "kills with its machine", "batches"):
        assert sum(outcome.counts[what] for outcome in outcomes), what
    assert sum(outcome.states["expired"] for outcome in outcomes)


@pytest.mark.parametrize("by_socket", [0.0, 1.0], ids=["by polling", "by socket"])
def test_in_a_calm_farm_every_job_succeeds_and_runs_once(by_socket: float) -> None:
    knobs = Knobs(pages=3, horizon_s=100.0, by_socket=by_socket, moves=0.5)
    outcome = run(1, knobs=knobs)
    assert outcome.violation is None
    assert set(outcome.states) <= {"succeeded", "failed"}
    assert not set(outcome.repeated) - {"timed_out"}, "repeated without a cause"


def test_a_seed_gives_the_same_run_whatever_the_hash_seed_is() -> None:
    runs = []
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-m", "tests.sim", "--seed", "7", "--quiet"]
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        runs.append(subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=True))
    assert runs[0].stdout == runs[1].stdout
