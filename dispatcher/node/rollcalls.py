"""Calls the roll at each full hour, and looks once a minute who is missed: who is usually here at this hour and is not.

The store counts; the loop walks over those alone that are missed. Of several nodes that share a store one calls the
roll for all, and tells receivers of webhooks. Each looks for itself, and tells those who follow its events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from dispatcher.clock import Clock
from dispatcher.core.jobs.habits import LATE_S, CallRoll, Roll, RollHour, Usual, hour_of, hours_around, until_roll_call
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.telling import RollEvent, roll_event
from dispatcher.core.workers.effects import Request
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import PagehandError
from dispatcher.node.turns.turns import Turns
from dispatcher.store.bodies import roll_body
from dispatcher.store.port import Store

__all__ = ["MOST_MISSED", "RollCalls"]

#: How often it looks who is missed, and how soon after a roll call.
LOOK_S, SOON_S = 60.0, 5.0
#: A worker that comes back before this was only loading anew.
RETURNS_S = 120.0
#: So many of those that are missed are looked through, and told.
MOST_MISSED = 1_000
_HOUR_S = 3_600.0


class RollCalls:
    """``tell`` sends an event and its body to the receivers of webhooks, ``show`` shows events to followers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        machine: Machine,
        turns: Turns,
        tell: Callable[[str, str], None],
        show: Callable[[Sequence[RollEvent]], None],
    ) -> None:
        self._store, self._clock, self._machine, self._turns = store, clock, machine, turns
        self._tell, self._show = tell, show
        #: The hour of the week at the last look; None: there was none.
        self._hour: int | None = None
        self._looking: asyncio.Task[None] | None = None
        #: Who was missed at the last look.
        self.latest = Roll()
        #: When it looks next, in monotonic seconds.
        self.next_at = clock.monotonic()

    def tick(self, now: float) -> None:
        """Calls the roll and looks, if it is time."""
        if now < self.next_at:
            return
        now_at = self._clock.utc()
        wall_s = now_at + self._clock.ahead_s(now_at)
        hour, before = hour_of(wall_s), self._hour
        self._hour = hour
        if before not in (None, hour) and wall_s % _HOUR_S < LATE_S and self._turns.outcomes.leads:
            self._turns.carry_out([Request(CallRoll(hour, now_at - RETURNS_S))])
            self.next_at = now + SOON_S  # when that is durable
            return
        self.next_at = now + min(LOOK_S, until_roll_call(wall_s))
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look(hours_around(wall_s)))

    async def _look(self, hours: list[RollHour]) -> None:
        try:
            found = await self._store.names.usual(hours, MOST_MISSED)
        except PagehandError:  # the store is away: it looks again in a minute
            return
        before, self.latest = self.latest, self._roll_of(found)
        event = roll_event(before, self.latest, self._clock.utc())
        if event is None:
            return
        self._show([event])
        if self._turns.outcomes.leads:
            self._tell(event.name, roll_body(event))

    def _roll_of(self, found: Usual) -> Roll:
        """Nobody misses whom an operator has paused or blocked; and who has just gone, or is back, is here."""
        some = [one for one in found.some if not self._machine.operators.holds(one.name)]
        held = len(found.some) - len(some)
        missed = [one for one in some if not self._is_back(one)]
        return Roll(found.workers - held, found.gone - len(found.some) + len(missed), missed)

    def _is_back(self, one: MissingWorker) -> bool:
        return self._clock.utc() - one.gone_at < RETURNS_S or self._machine.roster.is_here(one.name)

    def close(self) -> None:
        """It looks no more."""
        self.next_at = float("inf")
        if self._looking is not None:
            self._looking.cancel()
