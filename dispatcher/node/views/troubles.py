"""What somebody must look at: found in what is kept for it, so that it costs the same however much stands still."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.core.fleet.worker import Standing
from dispatcher.core.jobs.acts.kept import EVERY_TYPE, Hold
from dispatcher.core.jobs.model import FailingType, PausedType, ShutType, Troubles, TypeView
from dispatcher.core.workers.machine import Machine
from dispatcher.node.turns.failing import Failing
from dispatcher.store.port import Store

__all__ = ["STALLED_S", "found"]

#: A job that a worker could take is offered within a second (promise S20): what stands longer is told.
STALLED_S = 1.0


async def found(most: int, machine: Machine, store: Store, failing: Failing, *, now: float, now_at: float) -> Troubles:
    """The troubles of now; at most ``most`` of each kind. ``now`` is monotonic, ``now_at`` UTC."""
    unserved, shut, worst = machine.unserved(most), machine.shut(most), failing.worst(most, now_at)
    held = machine.held_types(most)
    known = {view.type: view for view in await store.named_types(list({*unserved, *shut, *worst, *held}))}
    return Troubles(
        unserved=[known[name] for name in unserved if _count(known, name, "queued")],
        shut=[
            ShutType(name, _count(known, name, "queued"), Standing.PAUSED in why, Standing.ASIDE in why)
            for name, why in shut.items()
        ],
        paused=await _paused(held, known, store),
        failing=[
            FailingType(name, min(jobs, _count(known, name, "failed")), not _count(known, name, "succeeded"))
            for name, jobs in sorted(worst.items())
            if _count(known, name, "failed")
        ],
        stalled=[(name, seconds) for name, seconds in machine.stalled(most, now) if seconds > STALLED_S],
    )


async def _paused(held: Mapping[str, Hold], known: Mapping[str, TypeView], store: Store) -> list[PausedType]:
    """Those that jobs wait for; all types together count even if none waits, for nothing runs any more."""
    everything = (
        [PausedType(EVERY_TYPE, (await store.counts())["queued"], held[EVERY_TYPE])] if EVERY_TYPE in held else []
    )
    return everything + [
        PausedType(name, queued, hold) for name, hold in held.items() if (queued := _count(known, name, "queued"))
    ]


def _count(known: Mapping[str, TypeView], name: str, state: str) -> int:
    view = known.get(name)
    return 0 if view is None else view.counts.get(state, 0)
