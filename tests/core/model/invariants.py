"""The invariants after every step: the rows are sound, and the machine does what it must.

About rows it checks only what a world knows besides them: an attempt's round, and what each page was told.
"""

from __future__ import annotations

import re
from collections import Counter

from dispatcher.core.fleet.roster import shown_state
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.turn import Ended
from dispatcher.core.jobs.validate import Snapshot, attempts_of, count_faults, history_faults, snapshot_faults
from tests.core.model.world import WALL, World
from tests.support.rows import in_memory


def check(world: World) -> None:
    """Checks all of them."""
    rows = in_memory(world.rows)
    check_rows(world, rows)
    for row in world.rows.by_seq.values():
        check_attempts(world, rows, row)
        check_not_stranded(world, row)
        check_backoff(rows, row)
    check_workers(world)
    check_roster(world)
    check_outboxes(world)
    due = {key: at for key, (at, _) in world.ref.timers.items()}
    assert dict(world.machine._deadlines.items()) == due, "something would happen at another instant than it must"
    assert world.machine.next_deadline() == world.ref.next(), "it would be called at another instant than it must"


def check_outboxes(world: World) -> None:
    """S6, S7: only valid offers wait for a poll, each once and in one outbox."""
    waits = Counter((sid, name) for sid, session in world.sessions.items() for name in session.offers())
    stand = Counter((a.waits_in, a.id) for a in world.machine.attempts.values() if a.waits_in in world.sessions)
    assert waits == stand, f"in outboxes: {waits}; not sent yet: {stand}"
    assert all(a.state == "offered" and not a.written for a in world.machine.attempts.values() if a.waits_in)


def check_rows(world: World, rows: Snapshot) -> None:
    """The rows are sound and have changed soundly; every accepted job is there (I2)."""
    faults = snapshot_faults(rows) + count_faults(rows.jobs.values(), world.rows.counters.by_state())
    if world.seen is not None:
        faults += history_faults(world.seen, rows, by_hand=world.by_hand, removed=world.removed)
    assert not faults, faults
    assert {row.id for row in rows.jobs.values()} == world.accepted
    world.seen = rows
    world.by_hand.clear()


def check_backoff(rows: Snapshot, row: JobRow) -> None:
    """S13: 2 s after the first error or timeout, then twice as long each time."""
    if row.state is JobState.SCHEDULED and row.backoff_until is not None:
        ended_at = max(a.ended_at or 0.0 for a in rows.attempts[row.seq])
        assert row.run_at == ended_at + 2.0**row.errors


def check_attempts(world: World, rows: Snapshot, row: JobRow) -> None:
    """Counts are of this round; the result is from the right attempt or a person; S15b: none runs again."""
    attempts = attempts_of(row, rows.attempts.get(row.seq, ()))
    assert row.attempt not in world.revoked, "a cancelled job's attempt could still end it"
    this_round = [a for a in attempts if a.id not in world.rounds.get(row.seq, set())]
    causes = Counter("uncounted" if a.id in world.uncounted else str(a.cause) for a in this_round)
    assert row.errors == causes["error"] + causes["timed_out"]
    assert row.crashes == causes["lost"]
    if row.state is JobState.SUCCEEDED:
        value = world.decided[row.seq] if row.seq in world.decided else world.values.get(row.attempt or "")
        assert rows.results[row.seq] == value, "not what a person decided, or the result of another attempt"
    if row.state in (JobState.QUEUED, JobState.SCHEDULED):
        went = world.told_to_go.intersection(a.id for a in this_round)
        assert not went, f"{row.id} would run again, and its effect may have happened"


def check_not_stranded(world: World, row: JobRow) -> None:
    """I2, I8, I10, I20: every open job will go on by itself."""
    if row.state is JobState.SCHEDULED:
        assert row.run_at is not None
        known, due = world.flight[1].next_due_at if world.flight else world.next_due_at, row.run_at
        if row.backoff_until is not None:
            said = world.flight[1].next_backoff_s if world.flight else world.next_backoff_s
            known, due = said, row.backoff_until - world.clock_base + 1e-6
        assert world.more or (known is not None and known <= due), f"nobody would wake {row.id}"
    if row.state is not JobState.RUNNING:
        return
    attempt = row.attempt or ""
    on_its_way = [report for report in world.reports if isinstance(report, Ended) and report.attempt == attempt]
    in_flight = world.flight is not None and any(claim.attempt == attempt for claim in world.flight[1].claims)
    if on_its_way or in_flight:
        return
    lease = world.ref.leases.get(attempt)
    assert lease is not None, f"{row.id} is running, and nobody has it"
    if ("lease", attempt) in world.ref.timers:
        return
    if lease.phase == "offered" and not lease.written:
        assert world.ref.peers[lease.worker].session in world.sessions, "offered to nobody"
        return
    peer = world.ref.peers[lease.worker]
    assert ("grace", peer.id) in world.ref.timers, f"{row.id} would run for ever"


def check_workers(world: World) -> None:
    """I7: the machine's picture of workers is the reference's."""
    machine, ref = world.machine, world.ref
    assert set(machine.workers) == set(ref.peers)
    assert set(machine.attempts) == set(ref.leases)
    for peer in ref.peers.values():
        worker = machine.workers[peer.id]
        assert set(worker.attempts) == {lease.id for lease in ref.of(peer.id)}
        assert all(a.fetched == ref.leases[a.id].fetched for a in worker.attempts.values())
        assert worker.room() == ref.room(peer)
        assert (worker.aside, worker.lapses, worker.paused) == (peer.aside, peer.lapses, peer.paused)
        assert (worker.held is not None) == (peer.id in ref.held)
        assert (str(worker.state), worker.boot, worker.session) == (peer.state, peer.boot, peer.session)


def as_counted(name: str) -> list[tuple[int, str]]:
    """A name that sorts as people count."""
    return [(len(part) if part.isdigit() else 0, part) for part in re.split("([0-9]+)", name)]


def check_roster(world: World) -> None:
    """The lists and counts of workers for people are what counting and sorting all workers gives."""
    roster, workers = world.machine.roster, world.machine.workers.values()
    by_name = [worker.id for worker in sorted(workers, key=lambda worker: (as_counted(worker.name), worker.id))]
    assert roster.page(WorkerFilter(limit=1_000), None) == (by_name, None)
    assert roster.states() == dict(Counter(shown_state(worker) for worker in workers))
    offered = Counter(lane for worker in workers for lane in worker.types)
    assert {lane: roster.offering(lane) for lane in [*offered, "nobody's"]} == {**offered, "nobody's": 0}
    for worker in workers:
        asked = WorkerFilter(type=worker.types[0], state=shown_state(worker), name=worker.name, limit=1_000)
        assert worker.id in roster.page(asked, None)[0]


def check_ended(world: World) -> None:
    """After the drain: every job has ended, and nothing is left of it in memory."""
    open_jobs = [(row.id, str(row.state)) for row in world.rows.by_seq.values() if row.state not in FINAL]
    assert not open_jobs, f"never ended: {open_jobs}"
    assert not world.machine.attempts
    assert not world.machine.workers
    assert world.machine.next_deadline() is None
    assert not world.wanted()
    for row in world.rows.by_seq.values():
        assert row.expires_at is None or row.state != "expired" or row.expires_at <= WALL + world.now
