"""What a turn has changed, as the statements that write it, in their order. All of them go in one round trip.

Who adds something to a turn's writes adds a function here and its place in ``save_asks``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Set
from operator import attrgetter
from typing import Any

from msgspec import Struct, defstruct
from msgspec.structs import asdict

from dispatcher.core.jobs.habits import BLANK
from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet, lane_of_row
from dispatcher.core.jobs.views.naming import counted
from dispatcher.store.columns import ATTEMPT_COLUMNS, CHANGING, CLAIMED, DONE, about_text, terms_text
from dispatcher.store.kept_rows import diary_text
from dispatcher.store.postgres.acts import acts_asks
from dispatcher.store.postgres.hooks import hook_asks
from dispatcher.store.postgres.kept import kept_asks
from dispatcher.store.postgres.keys import ALL_LANES, lane_fields, lane_key
from dispatcher.store.postgres.link import Asked, array, rows_text
from dispatcher.store.postgres.seen import seen_asks
from dispatcher.store.postgres.tokens import token_asks
from dispatcher.store.requests import Save
from dispatcher.store.storable import check_storable
from dispatcher.store.views import MOST_LINES_KEPT, error_code

__all__ = ["ended_asks", "save_asks"]

_Fields = dict[str, Any]
_Rows = Iterable[_Fields | Struct]


def _written(kind: str, columns: Iterable[str]) -> Callable[[Any], Struct]:
    """Makes what is written of a row: these columns. NULL is left out, so that the database need not read it."""
    names = list(columns)
    made: Any = defstruct(kind, [(name, Any, None) for name in names], omit_defaults=True)
    values = attrgetter(*names)
    return lambda row: made(*values(row))


_claimed = _written("Claimed", ("seq", *CLAIMED))
_done = _written("Done", ("seq", *DONE))
_attempt = _written("Attempted", ATTEMPT_COLUMNS)
_REMOVE = ("remove_jobs", "remove_data", "remove_results", "remove_tags", "remove_logs", "remove_attempts")


def save_asks(
    request: Save, outlived: Collection[JobRow], node: str, most_waiting: int, rowless: Set[str]
) -> Iterator[Asked]:
    """All statements but ``ended_asks``. ``outlived``: jobs that go because their retention has passed; ``rowless``:
    attempts of this node that have no row. Raises UnicodeEncodeError.

    Each is made when the one before it has been sent, so that the database works meanwhile. The table of lanes is
    locked first: who waits for it has written nothing yet that others wait for.
    """
    writes, clock = request.writes, request.queue_clock
    yield from _lanes(request, node)
    yield from _removed([*outlived, *writes.removed.values()])
    yield from _attempts((one for one in writes.attempts.values() if one.job not in writes.done), node, rowless)
    yield from _jobs(writes, node)
    yield from _texts(writes)
    yield from _workers(request, node)
    yield from seen_asks(writes.for_nodes, node, request.offered_at)
    yield from token_asks(writes.tokens)
    yield from kept_asks(writes.kept)
    yield from acts_asks(writes.acts, clock)
    yield from hook_asks(writes.messages, writes.hooks, clock, most_waiting)
    yield from _tallies(request, node)
    yield from _forgotten(request)


def _set(name: str, rows: _Rows, **more: Any) -> Iterator[Asked]:
    """A statement for a set of rows; nothing if there are none."""
    rows = list(rows)
    if rows:
        yield name, {"rows": rows_text(rows)} | more


def _lanes(request: Save, node: str) -> Iterator[Asked]:
    if request.forget_but is not None:
        yield "lock_lanes", {}
    jobs = [*request.writes.new.values(), *request.writes.amended.values()]
    types = {lane_of_row(job): job.type for job in jobs}
    yield from _set("add_lanes", (lane_fields(name, types[name]) for name in types))
    offered = dict.fromkeys(request.offered)
    yield from _set("offer_types", (lane_fields(name, name, request.offered_at) for name in offered))
    if request.forget_but is not None:
        offered |= dict.fromkeys(sorted(request.forget_but))
        yield "note_not_offered", {"types": list(offered), "node": node}
    if offered:
        yield "note_offered", {"types": list(offered), "node": node}


def _forgotten(request: Save) -> Iterator[Asked]:
    if request.forget_but is not None:
        yield "forget_lanes", {}


def _removed(jobs: Collection[JobRow]) -> Iterator[Asked]:
    if jobs:
        seqs = array(sorted(job.seq for job in jobs))
        yield from ((name, {"seqs": seqs}) for name in _REMOVE)


def ended_asks(writes: WriteSet, node: str, rowless: Set[str]) -> Iterator[Asked]:
    """The jobs that are done, with their attempts; ``rowless`` as above."""
    if writes.done:
        yield from _attempts((one for one in writes.attempts.values() if one.job in writes.done), node, rowless)
        yield from _set("save_done", map(_done, writes.done.values()), node=node)


def _attempts(attempts: Iterable[AttemptRow], node: str, rowless: Set[str]) -> Iterator[Asked]:
    """Most are written once, when they end. To look for a row that there is not is a third of the work of making it."""
    attempts = list(attempts)
    yield from _set("add_attempts", (_attempt(one) for one in attempts if one.id in rowless), node=node)
    yield from _set("save_attempts", (_attempt(one) for one in attempts if one.id not in rowless))


def _jobs(writes: WriteSet, node: str) -> Iterator[Asked]:
    """What this node claims, ends or takes in is its own."""
    yield from _set("add_jobs", (_new(job) | {"node": node} for job in writes.new.values()))
    yield from _set("save_claims", map(_claimed, writes.only_claimed()), node=node)
    # PostgreSQL would take a whole number that no other store takes.
    check_storable([job.percent] for job in writes.changed())
    own = {seq for seq, job in writes.jobs.items() if seq in writes.claims or job.ended_clock is not None}
    changed = (
        _some(job, CHANGING) | {"error_code": error_code(job), "node": node if job.seq in own else None}
        for job in writes.changed()
    )
    yield from _set("save_jobs", changed)
    amended = writes.amended.values()
    yield from _set("save_terms", ({"seq": job.seq, **_lane_and_terms(job)} for job in amended))


def _texts(writes: WriteSet) -> Iterator[Asked]:
    if writes.data:
        ids = [writes.new[seq].id for seq in writes.data]
        yield "add_data", {"seqs": array(writes.data), "ids": ids, "texts": list(writes.data.values())}
    if writes.withdrawn:
        yield "remove_results", {"seqs": array(writes.withdrawn)}
    if results := dict(writes.results):
        yield "add_results", {"seqs": array(results), "texts": list(results.values())}
    yield from _tags(writes)
    lines = writes.logs
    fields = ({"job": job, "attempt": attempt, "at": at, "line": line} for job, attempt, at, line in lines)
    yield from _set("add_log", fields)
    if lines:
        yield "trim_log", {"jobs": array({line[0] for line in lines}), "kept": MOST_LINES_KEPT}


def _tags(writes: WriteSet) -> Iterator[Asked]:
    retagged = [writes.amended[seq] for seq in writes.retagged]
    if retagged:
        yield "remove_tags", {"seqs": array(sorted(writes.retagged))}
    carrying = writes.carrying()
    yield from _set("save_about", ({"seq": job.seq, "about": about_text(job.about)} for job in carrying))
    jobs = [*writes.new.values(), *retagged]
    yield from _set("add_tags", ({"tag": tag, "seq": job.seq} for job in jobs for tag in job.about.tags))


def _new(job: JobRow) -> _Fields:
    about = {"about": about_text(job.about), "owner": job.about.owner, "error_code": None}
    return asdict(job) | _lane_and_terms(job) | about


def _lane_and_terms(job: JobRow) -> _Fields:
    return {"lane": lane_key(lane_of_row(job)), "terms": terms_text(job.terms)}


def _some(job: JobRow, columns: Iterable[str]) -> _Fields:
    return {"seq": job.seq} | {name: getattr(job, name) for name in columns}


def _workers(request: Save, node: str) -> Iterator[Asked]:
    at, clock = request.offered_at, request.queue_clock
    if request.writes.nobody:
        yield "nobody_here", {"at": at, "clock": clock, "node": node}
    gone = {"gone_at": at, "gone_clock": clock}
    whose = request.writes.whose
    rows = (
        {"name": name, "place": counted(name), "node": node, "worker": whose.get(name)} | ({} if is_here else gone)
        for name, is_here in request.writes.here.items()
    )
    yield from _set("save_workers", rows)
    if whose:
        moved = {"names": list(whose), "workers": list(whose.values())}
        yield "go_over", moved
        yield "drop_former", moved
    if request.writes.forgotten:
        yield "drop_workers", {"names": sorted(request.writes.forgotten)}
    diaries = ({"name": name, "diary": diary_text(one)} for name, one in sorted(request.writes.diaries.items()))
    yield from _set("keep_diaries", diaries, node=node)
    if (roll := request.writes.roll) is not None:
        yield "call_roll", {"place": roll.hour + 1, "since_at": roll.since_at, "blank": BLANK}


def _tallies(request: Save, node: str) -> Iterator[Asked]:
    """What is added to this node's counts, for each lane and for all of them."""
    rows = []
    totals: dict[str, _Fields] = {}
    for (lane, state), move in request.deltas.items():
        if not (move.jobs or move.bytes):
            continue
        rows.append({"lane": lane_key(lane), "state": state, "node": node, "jobs": move.jobs, "bytes": move.bytes})
        total = totals.setdefault(state, {"lane": ALL_LANES, "state": state, "node": node, "jobs": 0, "bytes": 0})
        total["jobs"] += move.jobs
        total["bytes"] += move.bytes
    yield from _set("add_tallies", [*rows, *totals.values()])
