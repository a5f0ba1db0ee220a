"""A PostgreSQL that several nodes share, as a model with faults of its own: it is away for a while, and it fails over
to a standby that has all acknowledged commits. (Each connection has faults, too: ``store.py``.)
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.sim.disk import Disk
from tests.sim.several.store import NodeStore
from tests.sim.several.tables import SharedRows

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

__all__ = ["Database"]

#: After a return every node has had a turn within this time.
_BACK_S = 8.0


class Database(Disk):
    """One committed state, and the stores of the nodes."""

    rows: SharedRows

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self._rng = random.Random(f"database of {world.seed}")
        self.rows = SharedRows(self.clock, self.next_life, self._cut_off)
        #: By the name of its node: the store of its last process.
        self.stores: dict[str, NodeStore] = {}
        self._away_until = 0.0
        #: How far its clock is ahead of the true time: a standby has one of its own.
        self._ahead_s = 0.0

    def clock(self) -> float:
        """UTC seconds, by the machine that is the primary now."""
        return self.world.true_time() + self._ahead_s

    def next_life(self) -> int:
        """The sequence ``lives``."""
        self.lives += 1
        return self.lives

    def opened_by(self, node: Node) -> NodeStore:
        """A process opens the store: a life of its node begins."""
        store = self.stores[node.name] = NodeStore(self, node)
        return store

    @property
    def is_away(self) -> bool:
        """No connection can be made."""
        return self.world.now < self._away_until

    # -- faults

    def go_away(self) -> None:
        """It is restarted, or cannot be reached."""
        self._leave("the database was away", self._rng.choice((0.5, 3.0, 12.0, 40.0)))

    def fail_over(self) -> None:
        """A synchronous standby becomes the primary."""
        self._leave("the database failed over", self._rng.uniform(1.0, 15.0))
        self._ahead_s = self._rng.uniform(-1.0, 1.0)

    def _leave(self, what: str, seconds: float) -> None:
        if self.is_away:
            return
        self.world.count(f"times {what}")
        self.world.trace(f"{what}: for {seconds:.1f} s")
        self._away_until = self.world.now + seconds
        self.world.checks.room_again(seconds + _BACK_S)
        for store in self.stores.values():
            store.lose_connection()

    def heal(self) -> None:
        """It is there from now on."""
        self._away_until = min(self._away_until, self.world.now)

    def _cut_off(self, gone: str) -> None:
        """The statement ``cut_off``: that turn is rolled back."""
        self.world.count("turns that were cut off")
        self.stores[gone].lose_connection(sent=False)
