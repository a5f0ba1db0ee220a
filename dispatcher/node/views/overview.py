"""One look at the node, for people and programs: made of what is kept in order, and of bounded reads of the store.

It reads a few small things one after the other. Between two of them the loop serves others, so what it tells is
not of one instant.
"""

from __future__ import annotations

from collections import Counter

from dispatcher.clock import Clock
from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.core.jobs.model import JobFilter, TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import ALL_TYPES, HOUR_S, Summary, steps_of, summary_of
from dispatcher.core.jobs.views.overview import HookHealth, Overview, Present, TypeLine
from dispatcher.core.jobs.views.troubles import Troubles
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import PagehandError
from dispatcher.node.acts.backups import Backups
from dispatcher.node.rollcalls import RollCalls
from dispatcher.node.turns.busiest import Busiest
from dispatcher.node.turns.failing import Failing
from dispatcher.node.views import catalogue, troubles
from dispatcher.node.webhooks.hooks import SWITCHED_OFF, Webhooks
from dispatcher.store.port import Store
from dispatcher.webhooks.endpoints import CALLBACKS

__all__ = ["MOST_DOUBTFUL", "MOST_GONE", "MOST_LANES", "MOST_TROUBLES", "MOST_TYPES", "Looks"]

#: Of each kind so many troubles are told.
MOST_TROUBLES = 20
#: The types that have a line of their own.
MOST_TYPES = 20
#: The lanes that are asked since when their first job waits: those that have had ready jobs longest.
MOST_LANES = 100
#: Workers that are not here are looked through up to this number.
MOST_GONE = 1_000
#: Of more jobs in doubt nobody looks for the oldest one.
MOST_DOUBTFUL = 100


class Looks:
    """Makes them."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        machine: Machine,
        failing: Failing,
        busiest: Busiest,
        backups: Backups,
        webhooks: Webhooks,
        rolls: RollCalls,
    ) -> None:
        self._store, self._clock, self._machine = store, clock, machine
        self._failing, self._busiest, self._backups, self._webhooks = failing, busiest, backups, webhooks
        self._rolls = rolls

    async def troubles(self, most: int) -> Troubles:
        """What somebody must look at; at most ``most`` of each kind."""
        now, now_at = self._clock.monotonic(), self._clock.utc()
        return await troubles.found(most, self._machine, self._store, self._failing, now=now, now_at=now_at)

    async def overview(self, *, draining: bool, takes_jobs: bool, has_space: bool) -> Overview:
        """The node as it is now."""
        counts, told = await self._store.counts(), await self.troubles(MOST_TROUBLES + 1)
        known = await self._busy_types()
        lanes, waiting = self._machine.waiting(MOST_LANES)
        waits = await troubles.oldest(self._store, self._machine, [view.type for view in known[:MOST_TYPES]], lanes)
        shown = known[:MOST_TYPES]
        hours = await self._hours([ALL_TYPES, *(view.type for view in shown)])
        types = [self._line(view, hours[view.type], waits) for view in shown]
        missing = await self._store.names.missing("", None, MOST_GONE)
        return Overview(
            at=self._clock.utc(), counts=counts, present=_present(self._machine.standings()),
            hour=hours[ALL_TYPES], types=sorted(types, key=lambda line: line.known.type),
            more_types=len(known) > MOST_TYPES, troubles=told, waits=waits, all_waits=waiting <= MOST_LANES,
            gone=len(missing), most_gone=MOST_GONE, roll=self._rolls.latest,
            in_doubt_since=await self._in_doubt_since(counts.get(JobState.IN_DOUBT, 0)),
            hooks=await self._hooks(), backup=await self._backup(),
            draining=draining, takes_jobs=takes_jobs, has_space=has_space,
        )  # fmt: skip

    async def _busy_types(self) -> list[TypeView]:
        """Some of them may be forgotten: more are asked for than are shown."""
        views = await self._store.named_types(self._busiest.first(2 * MOST_TYPES))
        return [catalogue.view(view, self._machine) for view in views]

    async def _hours(self, names: list[str]) -> dict[str, Summary]:
        steps = steps_of(HOUR_S, self._clock.utc())
        found = await self._store.endings.windows(names, steps)
        return {name: summary_of(name, steps, found[name]) for name in names}

    def _line(self, view: TypeView, hour: Summary, waits: dict[str, float]) -> TypeLine:
        standing = self._machine.standing_of(view.type)
        return TypeLine(
            known=view,
            hour=hour,
            since=waits.get(view.type),
            present=None if standing is None else _present(standing),
        )

    async def _in_doubt_since(self, jobs: int) -> float | None:
        if not 0 < jobs <= MOST_DOUBTFUL:
            return None
        page = await self._store.jobs(JobFilter(states=(JobState.IN_DOUBT,), limit=MOST_DOUBTFUL))
        return min((job.stopped_at or job.created_at for job in page.items), default=None)

    async def _hooks(self) -> HookHealth:
        totals, all_of_them = await self._webhooks.totals(), self._webhooks.all()
        given_up = [
            (hook.name or hook.id, hook.reason)
            for hook in all_of_them
            if hook.id != CALLBACKS and not hook.enabled and hook.reason and hook.reason != SWITCHED_OFF
        ]
        return HookHealth(given_up=given_up, dead=totals["dead"], oldest_s=await self._webhooks.oldest_s())

    async def _backup(self) -> Backup | None:
        try:
            return next(iter(await self._backups.all()), None)
        except (OSError, PagehandError):  # whoever asks for the backups is told why
            return None


def _present(standing: Counter[Standing]) -> Present:
    return Present(
        ready=standing[Standing.IDLE],
        busy=standing[Standing.BUSY],
        paused=standing[Standing.PAUSED],
        aside=standing[Standing.ASIDE],
        away=standing[Standing.AWAY],
    )
