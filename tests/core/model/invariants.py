"""What must hold after every step, whatever has happened: the numbered invariants, asked of rows and machine."""

from __future__ import annotations

from collections import Counter

from dispatcher.core.jobs.ledger import JobRow
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.turn import Ended
from dispatcher.core.workers.roster import shown_state
from tests.core.model.world import WALL, World

COUNTS_ERROR = {"error", "timed_out"}


def check(world: World) -> None:
    """All of them."""
    for row in world.rows.by_seq.values():
        check_row(world, row)
        check_attempts(world, row)
        check_not_stranded(world, row)
        check_backoff(world, row)
        check_doubt(world, row)
    check_counts(world)
    check_workers(world)
    check_roster(world)
    check_outboxes(world)
    due = {key: at for key, (at, _) in world.ref.timers.items()}
    assert dict(world.machine._deadlines.items()) == due, "something would happen at another instant than it must"
    assert world.machine.next_deadline() == world.ref.next(), "it would be called at another instant than it must"


def check_outboxes(world: World) -> None:
    """S6, S7: what waits for a poll are offers that stand, each once and in one outbox."""
    waits = Counter((sid, name) for sid, session in world.sessions.items() for name in session.offers())
    stand = Counter((a.waits_in, a.id) for a in world.machine.attempts.values() if a.waits_in in world.sessions)
    assert waits == stand, f"in outboxes: {waits}; not sent yet: {stand}"
    assert all(a.state == "offered" and not a.written for a in world.machine.attempts.values() if a.waits_in)


def check_row(world: World, row: JobRow) -> None:
    """I4, I11 to I13: state, result and limits agree."""
    assert (row.state is JobState.SUCCEEDED) == (row.seq in world.rows.results), f"{row.id} has lost or gained a result"
    assert (row.rank is not None) == (row.state in (JobState.QUEUED, JobState.RUNNING))
    assert (row.run_at is not None) == (row.state is JobState.SCHEDULED)
    assert (row.ended_at is not None) == (row.state in FINAL)
    assert row.errors <= row.terms.max_attempts, "more errors than attempts are allowed"
    assert row.crashes <= row.terms.max_crashes + 1, "more crashes than are allowed"
    if row.state not in FINAL:
        assert row.errors < row.terms.max_attempts, "out of attempts, and open"
        assert row.crashes <= row.terms.max_crashes, "poisoned, and open"


def check_backoff(world: World, row: JobRow) -> None:
    """S13: 2 s after the first error or timeout, then twice as long each time."""
    if row.state is JobState.SCHEDULED and row.errors:
        ended_at = max(a.ended_at or 0.0 for a in world.attempts_of(row.seq))
        assert row.run_at == ended_at + 2.0**row.errors


def check_attempts(world: World, row: JobRow) -> None:
    """I5, I7, I11, I17: one live attempt at most; numbers without gaps; counts that agree with the attempts."""
    attempts = world.attempts_of(row.seq)
    live = [a for a in attempts if a.cause is None]
    assert len(live) == (row.state is JobState.RUNNING), f"{row.id} is {row.state} with {len(live)} live attempts"
    assert all(a.id == row.attempt for a in live), "a live attempt that is not the job's newest"
    assert row.attempt not in world.revoked, "a cancelled job's attempt could still end it"
    numbers = sorted(a.number for a in attempts if a.started_at is not None and a.number is not None)
    assert numbers == list(range(1, row.number + 1)), f"the numbers of {row.id} are {numbers}, its own {row.number}"
    this_round = [a for a in attempts if a.id not in world.rounds.get(row.seq, set())]
    causes = Counter("uncounted" if a.id in world.uncounted else str(a.cause) for a in this_round)
    assert row.errors == causes["error"] + causes["timed_out"]
    assert row.crashes == causes["lost"]
    won = [a for a in attempts if a.cause == "succeeded" or a.late_at is not None]
    decided = world.decided.get(row.seq)
    assert len(won) == (row.state is JobState.SUCCEEDED and decided is None)
    if decided is not None:
        assert world.rows.results[row.seq] == decided, "not what a person decided"
    elif won:
        assert world.rows.results[row.seq] == world.values[won[0].id], "the result of another attempt"
    for a in attempts:
        assert a.started_at is not None or a.cause not in ("succeeded", "error"), "answered, and never begun"
        instants = [t for t in (a.offered_at, a.started_at, a.ended_at, a.late_at) if t is not None]
        assert instants == sorted(instants), "a timeline out of order"


def check_not_stranded(world: World, row: JobRow) -> None:
    """I2, I8, I10, I20: whatever is open will go on by itself."""
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


def check_counts(world: World) -> None:
    """I2, I18: every accepted job is there, and the counters are the rows'."""
    assert {row.id for row in world.rows.by_seq.values()} == world.accepted
    states = Counter(str(row.state) for row in world.rows.by_seq.values())
    assert {state: n for state, n in world.applier.counts().items() if n} == dict(states)


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
        assert (str(worker.state), worker.boot, worker.session) == (peer.state, peer.boot, peer.session)


def check_roster(world: World) -> None:
    """What is kept of the workers for people is what counting and sorting all of them gives."""
    roster, workers = world.machine.roster, world.machine.workers.values()
    by_name = [worker.id for worker in sorted(workers, key=lambda worker: (worker.name, worker.id))]
    assert roster.page(WorkerFilter(limit=1_000), None) == (by_name, None)
    assert roster.states() == dict(Counter(shown_state(worker) for worker in workers))
    offered = Counter(lane for worker in workers for lane in worker.lanes)
    assert {lane: roster.offering(lane) for lane in [*offered, "nobody's"]} == {**offered, "nobody's": 0}
    for worker in workers:
        asked = WorkerFilter(type=worker.lanes[0], state=shown_state(worker), name=worker.name, limit=1_000)
        assert worker.id in roster.page(asked, None)[0]


def check_doubt(world: World, row: JobRow) -> None:
    """S15b: what may have happened is not tried again, and uses up nothing."""
    if row.state is JobState.IN_DOUBT:
        assert row.terms.effects == "once"
        assert row.reason in ("lost", "timed_out", "released")
        [newest] = [a for a in world.attempts_of(row.seq) if a.id == row.attempt]
        assert str(newest.cause) == row.reason
    if row.state in (JobState.QUEUED, JobState.SCHEDULED):
        this_round = {a.id for a in world.attempts_of(row.seq)} - world.rounds.get(row.seq, set())
        assert not this_round & world.told_to_go, f"{row.id} would run again, and its effect may have happened"


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
