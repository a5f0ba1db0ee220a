"""The knobs of a run of several nodes: those of any run, without the faults of a disk, and those of a database."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from tests.sim.knobs import Knobs, every, share

__all__ = ["SeveralKnobs", "of_several"]

#: Faults of a disk and of a machine that has the store for itself; standstills are drawn as pauses of one node.
_OF_ONE = (
    "trouble", "slow_disk", "full_disk_every_s", "stall_every_s", "stall_at_ping_every_s", "wall_step_every_s",
    "hold_every_s",
)  # fmt: skip


@dataclass(kw_only=True)
class SeveralKnobs(Knobs):
    """The faults of one run."""

    #: Of the transactions: those that take seconds, and those whose connection is cut (before, in or after the COMMIT).
    slow_transaction: float = share(0.3, later=None)
    cut_connection: float = share(0.05, later=None)
    away_every_s: float = every(30.0, 200.0, later=None)
    fail_over_every_s: float = every(30.0, 200.0, later=None)
    lose_hint: float = share(0.9, later=None)
    #: A node stands still, also for longer than it takes to count as gone.
    pause_node_every_s: float = every(15.0, 150.0, later=None)
    #: A page leaves its session for one at any node.
    move_every_s: float = every(3.0, 60.0, later=None)

    #: Not a fault: the nodes' clocks are up to an hour apart.
    clocks_apart: bool = False

    @classmethod
    def draw(cls, rng: random.Random) -> SeveralKnobs:
        """Those of a seed."""
        knobs = super().draw(rng)
        assert isinstance(knobs, SeveralKnobs)
        knobs._draw_faults(rng, later=None)
        for name in _OF_ONE:
            setattr(knobs, name, 0.0)
        knobs.nodes, knobs.pages = rng.randint(2, 5), rng.randint(2, 8)
        knobs.clocks_apart = rng.random() < 0.5
        knobs.horizon_s = rng.choice((60.0, 120.0))
        knobs.settings = replace(knobs.settings, store_check_s=5.0)
        return knobs


def of_several(seed: int) -> SeveralKnobs:
    """The knobs of this seed."""
    return SeveralKnobs.draw(random.Random(f"knobs of several nodes of {seed}"))
