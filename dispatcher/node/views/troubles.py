"""What somebody must look at: found in what is kept for it, so that it costs the same however much stands still."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from dispatcher.core.fleet.worker import Standing, Worker
from dispatcher.core.jobs.acts.kept import EVERY_TYPE, Hold
from dispatcher.core.jobs.matching import lane_parts
from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.endings import steps_of, summary_of
from dispatcher.core.jobs.views.troubles import (
    FailingType,
    OftenFailing,
    PausedType,
    ShutType,
    StuckType,
    Troubles,
    UnloadedType,
    UntakenLane,
)
from dispatcher.core.workers.machine import Machine
from dispatcher.node.turns.failing import LATELY_S, OFTEN, Failing, Run
from dispatcher.node.views import catalogue
from dispatcher.node.views.waiting import why_untaken
from dispatcher.store.port import Store

__all__ = ["LANES_OF_TYPE", "OFTEN_SHARE", "STALLED_S", "found", "oldest"]

#: A job that a worker could take is offered within a second (promise S20): what stands longer is told.
STALLED_S = 1.0
#: Workers are told by name where so few of them keep a type.
FEW_WORKERS = 3
#: A task that is told to stop may take a moment: jobs that wait for longer are told.
STUCK_S = 10.0
#: Of a type that many lanes have, so many are asked since when their first job waits.
LANES_OF_TYPE = 20
#: Many failed jobs are a trouble if they are such a share of those that were tried.
OFTEN_SHARE = 0.05


async def found(most: int, machine: Machine, store: Store, failing: Failing, *, now: float, now_at: float) -> Troubles:
    """The troubles of now; at most ``most`` of each kind. ``now`` is monotonic, ``now_at`` UTC."""
    unserved, shut, worst = machine.unserved(most), machine.shut(most), failing.worst(most, now_at)
    held, stuck = machine.held_types(most), machine.stuck(FEW_WORKERS)
    stalled = [(name, seconds) for name, seconds in machine.stalled(most, now) if seconds > STALLED_S]
    known = {view.type: view for view in await store.named_types(list({*unserved, *shut, *worst, *held, *stuck}))}
    since = await oldest(store, machine, {*unserved, *shut, *held, *stuck})
    return Troubles(
        unserved=[catalogue.view(known[name], machine) for name in unserved if _count(known, name, "queued")],
        shut=[
            _shut(name, _count(known, name, "queued"), why, machine.offerers(name, FEW_WORKERS))
            for name, why in shut.items()
        ],
        untaken=await _untaken(most, machine, store),
        paused=await _paused(held, known, store),
        stuck=[
            StuckType(name, queued, tuple((one.id, one.name) for one in workers), others)
            for name, (workers, others) in list(stuck.items())[:most]
            if (queued := _count(known, name, "queued")) and now_at - since.get(name, now_at) > STUCK_S
        ],
        unloaded=_unloaded(most, machine, now, now_at),
        failing=[
            _failing(name, run, failed, _count(known, name, "succeeded"))
            for name, run in sorted(worst.items())
            if (failed := _count(known, name, "failed"))
        ],
        often=await _often(store, failing.often(most, now_at), now_at),
        stalled=stalled,
        since=since,
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


def _shut(name: str, queued: int, why: Collection[Standing], workers: Sequence[Worker]) -> ShutType:
    held = [worker.held.at for worker in workers if worker.held is not None]
    since = max(held) if held and len(held) == len(workers) else None
    ids = tuple(worker.id for worker in workers)
    return ShutType(name, queued, Standing.PAUSED in why, Standing.ASIDE in why, ids, since)


def _failing(name: str, run: Run, failed: int, succeeded: int) -> FailingType:
    """Jobs that are tried again have not failed."""
    return FailingType(name, min(run.jobs, failed), not succeeded and run.jobs >= failed, run.since, run.at)


def _unloaded(most: int, machine: Machine, now: float, now_at: float) -> list[UnloadedType]:
    return [
        UnloadedType(name, now_at - (now - since), by)
        for name, since in machine.unloaded_first(most).items()
        if (by := machine.unloaded(name)) is not None
    ]


async def _untaken(most: int, machine: Machine, store: Store) -> list[UntakenLane]:
    lanes = [*machine.unmatched(most), *machine.untaken(most)][:most]
    untaken = {lane: (jobs, why) for lane, jobs in lanes if (why := why_untaken(lane, machine))}
    since = await store.first_in_line(list(untaken)) if untaken else {}
    return [
        UntakenLane(*lane_parts(lane), jobs, why.waiting.code, why.words, since.get(lane))
        for lane, (jobs, why) in untaken.items()
    ]


async def _often(store: Store, names: Sequence[str], now_at: float) -> list[OftenFailing]:
    """Those of which a share has failed: the store knows how many have not. Its minutes may begin a little earlier."""
    told, steps = [], steps_of(int(LATELY_S), now_at)
    found = await store.endings.windows(names, steps) if names else {}
    for name in names:
        total = summary_of(name, steps, found[name]).total
        one = OftenFailing(name, total.failed, total.tried)
        if one.failed >= max(OFTEN, OFTEN_SHARE * one.tried):
            told.append(one)
    return sorted(told, key=lambda one: one.type)


async def oldest(store: Store, machine: Machine, types: Iterable[str], lanes: Iterable[str] = ()) -> dict[str, float]:
    """By type: since when the job that is next in line has been ready, in these lanes and in some of each type."""
    asked = dict.fromkeys([*lanes, *(lane for name in types for lane in machine.waiting_of(name, LANES_OF_TYPE))])
    since: dict[str, float] = {}
    for lane, at in (await store.first_in_line(list(asked)) if asked else {}).items():
        name = lane_parts(lane)[0]
        since[name] = min(at, since.get(name, at))
    return since
