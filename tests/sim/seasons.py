"""Years: now and then the server's machine and all the pages' are switched off, for hours, weeks or months.

Nothing happens meanwhile, so it costs nothing: time jumps, and with it all that was to happen. What has to hold over
such times (delays and expiries, retention, keys, the queue clock, leases over a restart) is checked as ever.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.sim.browser import Window
from tests.sim.knobs import Knobs

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["DAY_S", "Seasons", "over_years"]

DAY_S = 86_400.0
#: For how long everything is off: a night, a week, a month, a season.
_OFF_S = (8 * 3_600.0, 7 * DAY_S, 30 * DAY_S, 120 * DAY_S)


def over_years(seed: int) -> Knobs:
    """The faults of this seed, on a farm that is switched off now and then, and to which jobs come in batches, too."""
    knobs = Knobs.draw(random.Random(f"knobs of {seed}"))
    knobs.off_every_s, knobs.batched = 20.0, 0.2
    return knobs


class Seasons:
    """Switches everything off, and on again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rng = random.Random(f"seasons of {world.seed}")

    def delays(self) -> tuple[float, float | None]:
        """Of a new job: ``delay_s`` and ``expires_s``. Some are for a time far ahead."""
        rng = self._rng
        delay_s = rng.choice((0.0, 0.0, rng.uniform(1, 60), rng.uniform(0, 2 * DAY_S), rng.uniform(0, 365 * DAY_S)))
        return delay_s, rng.choice((None, delay_s + rng.uniform(1, 60), delay_s + rng.uniform(0, 60 * DAY_S)))

    def switch_off(self) -> None:
        world, rng = self.world, self._rng
        world.count("times all was switched off")
        world.operator.kill("with its machine")
        there = [window for window in world.windows if not window.gone]
        for window in there:
            window.crash()
        seconds = rng.choice(_OFF_S) * rng.uniform(0.5, 1.5)
        world.trace(f"all is switched off for {seconds / DAY_S:.1f} days")
        world.events.skip(seconds)
        for window in there:
            world.events.later(rng.uniform(1, 30), lambda window=window: self._switch_on(window))  # type: ignore[misc]

    def _switch_on(self, before: Window) -> None:
        """The same window again; what it had in memory is gone."""
        world = self.world
        if not world.over:
            world.open_window(before.types, face=world.targets.again(before), identity=before.page.identity)
