"""What befalls several nodes: their database, their standstills, pages that move from one to another."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.sim.people import Operator
from tests.sim.several.knobs import SeveralKnobs

if TYPE_CHECKING:
    from tests.sim.browser import Window
    from tests.sim.world import World

__all__ = ["NAMES", "Troubles", "operators_of"]

#: Each is one node.
NAMES = ("north", "east", "south", "west", "centre")
#: For how long a node stands still: it is gone after 10 s, and its turn is cut off after 20 s.
_PAUSES_S = (1.0, 6.0, 12.0, 25.0, 60.0)
_APART_S = (-3_600.0, -1_800.0, 1_800.0, 3_600.0)
#: Of the sessions and requests: those that go to a server that does not listen, because the proxy does not know yet.
_ASTRAY = 0.1


def operators_of(world: World) -> list[Operator]:
    """Who runs the servers; the first one's clock is right."""
    knobs = world.knobs
    if not isinstance(knobs, SeveralKnobs):
        return [Operator(world)]
    rng = random.Random(f"clocks of {world.seed}")
    ahead_s = [rng.choice(_APART_S) if knobs.clocks_apart and number else 0.0 for number in range(knobs.nodes)]
    return [Operator(world, name, ahead) for name, ahead in zip(NAMES, ahead_s, strict=False)]


class Troubles:
    """Of a single node it has none."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rng = random.Random(f"troubles of {world.seed}")

    def somebody(self) -> Operator:
        """Where the proxy leads the next session or request: to one that listens, as a rule."""
        listening = [one for one in self.world.operators if one.node is not None and one.node.listening]
        astray = not listening or self._rng.random() < _ASTRAY
        return self._rng.choice(self.world.operators if astray else listening)

    def begin(self) -> None:
        """Lets them come."""
        world, knobs = self.world, self.world.knobs
        if not isinstance(knobs, SeveralKnobs):
            return
        world.often(knobs.away_every_s, world.disk.go_away)
        world.often(knobs.fail_over_every_s, world.disk.fail_over)
        world.often(knobs.pause_node_every_s, self._pause)
        world.often(knobs.move_every_s, self._move)

    def _pause(self) -> None:
        operator = self._rng.choice(self.world.operators)
        operator.stall(self._rng.choice(_PAUSES_S))

    def _move(self) -> None:
        there = [window for window in self.world.windows if not window.gone and window.session is not None]
        if there:
            self.world.count("pages that moved")
            _leave_session(self._rng.choice(there))

    def heal(self) -> None:
        """No more of them."""
        self.world.disk.heal()


def _leave_session(window: Window) -> None:
    """It begins another one, perhaps at another node."""
    window._after(0.0, lambda: window._lost(at_once=True))
