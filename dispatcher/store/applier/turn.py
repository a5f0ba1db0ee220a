"""Applies a turn: the rules, without a database.

Theory of operation. ``apply`` is a generator. It yields set requests (``requests.py``), is sent their answers, and
returns the turn's report. In the order of the contract it settles the reports, obeys the commands, takes the
submissions, moves jobs that have become due, and hands ready jobs to the demand. All of that changes rows *in hand*:
this turn has loaded or made them, and the last request writes them together. So a request answers with the state
before the turn; if a job's row is in hand, that row counts.

Nothing is remembered from one turn to the next: another node may have had a turn meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.keys import KEY_S
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import WAITING, Event, JobState
from dispatcher.core.jobs.turn import (
    Adopt,
    Claim,
    Command,
    CommandReport,
    ForgetTypes,
    HeardNews,
    JobCommand,
    LaneReady,
    MoveAttempts,
    OfferedTypes,
    Turn,
    TurnReport,
)
from dispatcher.core.jobs.views.endings import counted
from dispatcher.store.acts import MOST_ACTS_FORGOTTEN
from dispatcher.store.applier.acts import act_of
from dispatcher.store.applier.admission import Admission
from dispatcher.store.applier.commands import obey
from dispatcher.store.applier.hand import Hand, Ids, earlier
from dispatcher.store.applier.takers import Wanted, claims_of, wanted_of
from dispatcher.store.applier.telling import Teller, told_targets
from dispatcher.store.port import Limits
from dispatcher.store.requests import ActsPurge, Due, DueRows, Load, Loaded, Purge, Purged, Save, Saved, SetRequest

__all__ = ["PURGE", "SWEEP", "Applied", "apply", "types_kept"]

#: Most jobs whose retention has passed that one turn removes; the next turn goes on.
PURGE = 50
#: Most scheduled or expired jobs that one turn moves; the next turn goes on.
SWEEP = 1_000
#: An instant of the queue clock may lose this much on its way to the node's timer and back.
_ROUNDING_S = 1e-6

#: A turn on its way: yields requests, is sent their answers, returns the report.
Applied = Generator[SetRequest, Any, TurnReport]


def apply(
    turn: Turn,
    limits: Limits,
    ids: Ids,
    *,
    purge: bool = False,
    whole: bool = True,
    touched: Collection[str] = (),
) -> Applied:
    """Applies a turn, or a part of one.

    ``purge``: looks for jobs whose retention has passed. ``whole`` False: a later part of the same turn sees to what is
    due and to the demand. ``touched``: lanes that earlier parts have touched.
    """
    named = frozenset(report.attempt for report in turn.reports)
    demand = wanted_of(turn) if whole else None
    loaded: Loaded = yield _named(turn, named, demand)
    hand = Hand(turn.now_at, loaded, named, Teller(turn.endpoints, ids.message or ids.job))
    heard = _heads_heard(loaded.heard)
    verdicts = hand.settle(turn.reports, limits.late_accept)
    admission = Admission(hand, loaded, limits, ids)
    commands = [_obeyed(command, hand, loaded, admission) for command in turn.commands]
    accepted = admission.take(turn.submissions)
    rest = (yield from _rest(demand, hand, limits, ids, purge)) if demand is not None else _Rest()
    lanes = sorted({*hand.touched, *touched, *heard, *(name for entry in turn.demand for name in entry.lanes)})
    saved: Saved = yield _written(turn, hand, admission, lanes)
    next_backoff = earlier(rest.next_backoff, hand.next_backoff)
    return TurnReport(
        verdicts=verdicts,
        commands=commands,
        accepted=accepted,
        claims=list(rest.claims),
        changes=hand.changes,
        next_due_at=earlier(rest.next_due_at, hand.next_due_at),
        next_backoff_s=None if next_backoff is None else next_backoff - hand.clock + turn.elapsed_s,
        more=rest.more,
        ready=[_left(lane, saved.queued[lane], hand, rest.heads, heard) for lane in lanes],
        told=told_targets(hand.writes),
        heard=loaded.heard,
    )


def _obeyed(command: Command, hand: Hand, loaded: Loaded, admission: Admission) -> CommandReport:
    """Obeys the command, if it is allowed, and notes it either way."""
    report = obey(command, hand, loaded, admission)
    act = act_of(command, report, hand.now_at)
    if act is not None:
        hand.writes.acts.append(act)
    return report


class _Rest(NamedTuple):
    """The results of a turn beyond its items: from what is due, and from the demand."""

    more: bool = False
    next_due_at: float | None = None
    next_backoff: float | None = None
    claims: Sequence[Claim] = ()
    heads: Mapping[str, float] = {}


def _rest(demand: Wanted, hand: Hand, limits: Limits, ids: Ids, purge: bool) -> Generator[SetRequest, Any, _Rest]:
    """Moves what is due and hands out jobs. If ``purge``, removes jobs whose retention has passed."""
    more, next_due_at, next_backoff = yield from _sweep(hand)
    claims, heads = yield from claims_of(demand, hand, ids)
    if purge:
        more = (yield from _purge(hand, limits)) or more
    return _Rest(more, next_due_at, next_backoff, claims, heads)


def _named(turn: Turn, attempts: frozenset[str], demand: Wanted | None) -> Load:
    """Everything that the turn names."""
    types = {spec.type for spec in turn.submissions}
    jobs: set[str] = set()
    histories: set[str] = set()
    moves: list[MoveAttempts] = []
    for command in turn.commands:
        if isinstance(command, OfferedTypes):
            types.update(command.types)
        elif isinstance(command, ForgetTypes):
            types.update(command.offered)
        elif isinstance(command, MoveAttempts):
            moves.append(command)
        elif isinstance(command, JobCommand):
            jobs.add(command.job)
            if isinstance(command, Adopt):
                histories.add(command.job)
    return Load(
        elapsed_s=turn.elapsed_s,
        attempts=attempts,
        jobs=frozenset(jobs),
        histories=frozenset(histories),
        keys=frozenset(spec.key for spec in turn.submissions if spec.key is not None),
        types=frozenset(types),
        numbers=len(turn.submissions),
        moves=moves,
        groups=demand.groups if demand is not None else (),
    )


def _sweep(hand: Hand) -> Generator[SetRequest, Any, tuple[bool, float | None, float | None]]:
    """Moves jobs that have become due. Returns whether more are due than one turn moves, and when the next will be."""
    clock = hand.clock + _ROUNDING_S
    found: DueRows = yield Due(hand.now_at, clock, SWEEP)
    for job in [*(hand.jobs.setdefault(row.seq, row) for row in found.overdue), *hand.overdue]:
        if _is_overdue(job, hand.now_at):
            old = job.state
            ledger.expire(job, hand.now_at, hand.writes)
            hand.moved(job, old)
    for job in (hand.jobs.setdefault(row.seq, row) for row in found.due):
        if _is_due(job, hand.now_at, clock):
            ledger.enqueue(job, Event.DUE, hand.clock, hand.writes)
            hand.moved(job, JobState.SCHEDULED)
    more = len(found.due) >= SWEEP or len(found.overdue) >= SWEEP
    return more, found.next_due_at, found.next_backoff


def _is_overdue(job: JobRow, now_at: float) -> bool:
    """Whether the job waits and has expired; a row in hand may have ended meanwhile, or begun another round."""
    return job.state in WAITING and job.expires_at is not None and job.expires_at <= now_at


def _is_due(job: JobRow, now_at: float, queue_clock: float) -> bool:
    """Whether the job's time has come; a row in hand may have been scheduled anew meanwhile."""
    if job.state is not JobState.SCHEDULED:
        return False
    if job.backoff_until is not None:
        return job.backoff_until <= queue_clock
    return job.run_at is None or job.run_at <= now_at


def _purge(hand: Hand, limits: Limits) -> Generator[SetRequest, Any, bool]:
    """Removes jobs and acts whose retention has passed. Returns whether there may be more of them.

    They age by the queue clock: a wall clock that was wrong for a while removes nothing (promise S32).
    """
    kept_s = limits.retention_s
    found: Purged = yield Purge(
        hand.clock - kept_s,
        hand.clock - max(kept_s, KEY_S),
        PURGE,
        hand.ended,
        hand.clock - limits.worker_retention_s,
        _acts_purge(hand, limits),
        hand.now_at,
    )
    hand.removed(found.jobs)
    return len(found.jobs) == PURGE or found.more_acts


def _acts_purge(hand: Hand, limits: Limits) -> ActsPurge:
    """A turn forgets more acts than it writes: else who writes fast would be ahead for ever."""
    coming = len(hand.writes.acts)
    return ActsPurge(
        before=hand.clock - limits.audit_retention_s,
        kept=max(0, limits.audit_kept - coming),
        limit=MOST_ACTS_FORGOTTEN + coming,
    )


def _written(turn: Turn, hand: Hand, admission: Admission, lanes: list[str]) -> Save:
    """Everything that the turn has changed."""
    return Save(
        writes=hand.writes,
        deltas=hand.deltas(),
        queue_clock=hand.clock,
        next_due_at=hand.next_due_at,
        next_backoff=hand.next_backoff,
        offered=admission.offered,
        offered_at=turn.now_at,
        forget_but=types_kept(turn) if any(isinstance(command, ForgetTypes) for command in turn.commands) else None,
        lanes=lanes,
        ended=counted(hand.ends, hand.now_at),
        ends_lost_clock=hand.ends_lost_clock,
        ends_lost=hand.ends_lost,
        changes=hand.changes,
        left_ready=hand.queued,
    )


def types_kept(turn: Turn) -> frozenset[str]:
    """The types that workers offer, if the turn forgets others.

    Types that the turn itself offers are among them, whichever came first: their pages will not offer them again.
    """
    known = (command.offered for command in turn.commands if isinstance(command, ForgetTypes))
    new = (command.types for command in turn.commands if isinstance(command, OfferedTypes))
    return frozenset().union(*known, *new)


def _heads_heard(heard: HeardNews | None) -> dict[str, float]:
    """The lanes in which other nodes have left ready jobs, each with the rank of the first one that was told."""
    heads: dict[str, float] = {}
    for news in heard.news if heard is not None else ():
        for lane, rank in news.ready.items():
            heads[lane] = min(rank, heads.get(lane, inf))
    return heads


def _left(lane: str, jobs: int, hand: Hand, heads: Mapping[str, float], heard: Mapping[str, float]) -> LaneReady:
    """What is left in a lane. If the turn has not looked into it, it knows its own jobs, and those that were told.

    It has looked in vain if jobs are left where it has seen none: another node has those in hand.
    """
    head = heads.get(lane)
    if head is not None and not (jobs and head == inf):
        return LaneReady(lane, jobs, head)
    new = (job.rank for job in hand.queued.get(lane, {}).values() if job.rank is not None)
    return LaneReady(lane, jobs, min(heard.get(lane, inf), *new, inf), seen=False)
