"""A page that declines what it is offered is not offered more at full speed (S7)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dispatcher.core.jobs.turn import Ended

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["Storms"]

#: A page of four slots that is set aside at the second offer that it declines, tried again, and started anew.
MOST_DECLINED, WITHIN_S = 16, 60.0


class Storms:
    """Counts the offers that each worker has declined lately."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._declined: dict[str, deque[float]] = {}

    def released(self, said: Ended) -> None:
        """An attempt was given back; declined, if its page never accepted it."""
        history = self.world.history
        if said.holder is None or said.attempt in history.accepted_at or said.attempt in history.lied:
            return
        self.world.count("offers declined")
        lately = self._declined.setdefault(said.holder.worker, deque(maxlen=MOST_DECLINED))
        lately.append(self.world.now)
        if len(lately) == MOST_DECLINED and lately[0] > self.world.now - WITHIN_S:
            self.world.broken(f"S7: {said.holder.worker} has declined {MOST_DECLINED} offers in a minute")
