"""Bugs planted on purpose are found: otherwise it would mean nothing that none is found elsewhere."""

from __future__ import annotations

import random

import pytest

from tests.sim.controls import CONTROLS
from tests.sim.knobs import Knobs
from tests.sim.world import run

#: Each must be found within so many seeds.
SEEDS = 12


@pytest.mark.parametrize("name", CONTROLS)
def test_a_planted_bug_is_found(name: str) -> None:
    plant, provoke = CONTROLS[name]
    with plant():
        for seed in range(1, SEEDS + 1):
            knobs = Knobs.draw(random.Random(f"knobs of {seed}"))
            knobs.lie_every_s, knobs.horizon_s, knobs.jobs_every_s = 0.0, 60.0, 1.0
            provoke(knobs)
            if run(seed, knobs=knobs).violation is not None:
                return
    pytest.fail(f"{name}: not found in {SEEDS} seeds")
