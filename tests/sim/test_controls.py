"""Bugs planted on purpose are found: otherwise it would mean nothing that none is found elsewhere."""

from __future__ import annotations

import pytest

from tests.sim.controls import CONTROLS, SEEDS, hunted


@pytest.mark.parametrize("name", CONTROLS)
def test_a_planted_bug_is_found(name: str) -> None:
    seeds, violation = hunted(name)
    assert violation is not None, f"{name}: not found in {seeds} seeds"
    assert seeds <= SEEDS
