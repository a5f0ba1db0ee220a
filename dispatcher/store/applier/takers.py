"""Gives ready jobs to a demand: by rank, each to the first entry that matches the job's lane and has room."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from heapq import merge
from math import inf
from typing import Any, NamedTuple

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.rows import JobRow, lane_of_row
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Claim, Demand, Turn
from dispatcher.store.applier.hand import Hand, Ids
from dispatcher.store.attempts import attempt_id
from dispatcher.store.requests import LaneGroup, Ready, ReadyJob, ReadyRows, SetRequest

__all__ = ["Takers", "Wanted", "claims_of", "wanted_of"]


class _Line:
    """Entries of a demand that match the same lanes, in order; the first ones may have run out of room."""

    __slots__ = ("entries", "place")

    def __init__(self) -> None:
        self.entries: list[int] = []
        self.place = 0


class Takers:
    """The entries of a demand with the room that they have left.

    Entries with the same lanes stand in one line, so that a job looks at a few lines and not at all entries.
    """

    def __init__(self, demand: Sequence[Demand]) -> None:
        self._pools = [entry.pool for entry in demand]
        self._rooms = [entry.room for entry in demand]
        #: How many jobs they could take in all.
        self.room = sum(self._rooms)
        lines: dict[tuple[str, ...], _Line] = {}
        for place, entry in enumerate(demand):
            lines.setdefault(entry.lanes, _Line()).entries.append(place)
        self._of_lane: dict[str, list[_Line]] = {}
        for lanes, line in lines.items():
            for name in lanes:
                self._of_lane.setdefault(name, []).append(line)

    def groups(self, most: int) -> list[LaneGroup]:
        """Lanes that the same entries match, and how many jobs of them could be taken: at most ``most``."""
        found: dict[tuple[int, ...], list[str]] = {}
        lines: dict[tuple[int, ...], list[_Line]] = {}
        for lane, matching in self._of_lane.items():
            key = tuple(map(id, matching))
            found.setdefault(key, []).append(lane)
            lines[key] = matching
        rooms = {key: sum(self._rooms[place] for line in lines[key] for place in line.entries) for key in found}
        return [LaneGroup(tuple(lanes), min(most, rooms[key])) for key, lanes in found.items() if rooms[key]]

    def take(self, lane: str) -> int | None:
        """Gives a job of this lane to the first entry that has room. Returns its pool; None: none has room."""
        place = self._first(lane)
        if place is None:
            return None
        self._rooms[place] -= 1
        return self._pools[place]

    def _first(self, lane: str) -> int | None:
        found: int | None = None
        for line in self._of_lane.get(lane, ()):
            while line.place < len(line.entries) and not self._rooms[line.entries[line.place]]:
                line.place += 1
            if line.place < len(line.entries) and (found is None or line.entries[line.place] < found):
                found = line.entries[line.place]
        return found


class Wanted(NamedTuple):
    """The demand of a turn: who takes jobs, how many in all, and from where."""

    takers: Takers
    most: int
    groups: list[LaneGroup]


def wanted_of(turn: Turn) -> Wanted:
    """It hangs on nothing that the turn does."""
    takers = Takers(turn.demand)
    most = min(turn.most_claims, takers.room)
    return Wanted(takers, most, takers.groups(most) if most else [])


def claims_of(demand: Wanted, hand: Hand, ids: Ids) -> Generator[SetRequest, Any, tuple[list[Claim], dict[str, float]]]:
    """Hands ready jobs to the demand, by rank.

    Returns the claims, and a rank for each lane that was looked into: no ready job of the lane is left before it.
    """
    takers, most, groups = demand
    if not groups:
        return [], {}
    own = [_own_of(group, hand) for group in groups]
    without_data = [job.seq for jobs in own for job in jobs if job.seq not in hand.writes.data]
    wanted = [LaneGroup(group.lanes, group.most + hand.unqueued) for group in groups]
    found: ReadyRows = yield Ready(wanted, without_data, hand.writes)
    candidates = [
        _in_order(hand, jobs, rows, len(rows) < group.most, found.data)
        for group, jobs, rows in zip(wanted, own, found.groups, strict=True)
    ]
    claims: list[Claim] = []
    for ready in candidates[0] if len(candidates) == 1 else merge(*candidates, key=_place):
        if len(claims) == most:
            break
        _claim(ready, takers, hand, found, ids, claims)
    return claims, _heads(wanted, candidates, found)


def _own_of(group: LaneGroup, hand: Hand) -> list[JobRow]:
    """The first of the group's jobs that this very turn has made ready: the database does not know of them."""
    own = [job for lane in group.lanes for job in hand.queued.get(lane, {}).values()]
    return sorted(own, key=_rank)[: group.most]


def _in_order(
    hand: Hand, own: list[JobRow], rows: list[ReadyJob], whole: bool, data: Mapping[int, str]
) -> list[ReadyJob]:
    """A group's candidates by rank. If a job's row is in hand, that row counts, not the database's.

    ``whole``: the database has no more. Else no job of ``own`` may follow the last row: others may come between.
    """
    if not whole and rows:
        last = _place(rows[-1])
        own = [job for job in own if _rank(job) < last]
    found = []
    for ready in rows:
        held = hand.jobs.get(ready.job.seq)
        if held is None:
            hand.jobs[ready.job.seq] = ready.job
        elif held.state is not JobState.QUEUED or held.seq in hand.queued.get(lane_of_row(held), {}):
            continue
        else:
            ready.job = held
        found.append(ready)
    if not own:
        return found
    texts = hand.writes.data
    return list(merge(found, (ReadyJob(job, texts.get(job.seq) or data[job.seq]) for job in own), key=_place))


def _claim(ready: ReadyJob, takers: Takers, hand: Hand, found: ReadyRows, ids: Ids, claims: list[Claim]) -> None:
    job = ready.job
    if job.expires_at is not None and job.expires_at <= hand.now_at:
        # More had expired than one sweep moves: it ends here, for it must not be offered.
        ledger.expire(job, hand.now_at, hand.writes)
        hand.moved(job, JobState.QUEUED)
        return
    pool = takers.take(lane_of_row(job))
    if pool is None:
        return
    ledger.claim(job, attempt_id(job.seq, job.claims, ids.attempt()), hand.now_at, hand.writes)
    claims.append(_claim_of(pool, job, ready.data, found.had.get(job.seq, ())))
    hand.moved(job, JobState.QUEUED)


def _heads(groups: list[LaneGroup], candidates: list[list[ReadyJob]], found: ReadyRows) -> dict[str, float]:
    """For each lane a rank before which none of its jobs is left: that of its first job, or of the last one seen.

    The rank of a lane that was seen to be empty is infinite.
    """
    heads: dict[str, float] = {}
    for group, ready, rows in zip(groups, candidates, found.groups, strict=True):
        whole = len(rows) < group.most
        rest = inf if whole or not rows else _rank(rows[-1].job)[0]
        heads |= dict.fromkeys(group.lanes, rest)
        left = (one.job for one in reversed(ready) if one.job.state is JobState.QUEUED)
        heads |= {lane_of_row(job): _rank(job)[0] for job in left}
    return heads


def _rank(job: JobRow) -> tuple[float, int]:
    return (job.rank or 0.0, job.seq)


def _place(ready: ReadyJob) -> tuple[float, int]:
    return _rank(ready.job)


def _claim_of(pool: int, job: JobRow, data: str, had: tuple[str, ...]) -> Claim:
    assert job.attempt is not None, "it has just been claimed"
    return Claim(
        pool=pool,
        attempt=job.attempt,
        job=job.id,
        type=job.type,
        data=data,
        number=job.number + 1,
        terms=job.terms,
        errors=job.errors,
        crashes=job.crashes,
        about=job.about,
        had=had,
    )
