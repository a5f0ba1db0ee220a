"""The server's half of the model's world: the machine and the rules of a turn over rows in memory, without threads.

Whatever the machine does is compared with ``reference`` at once: which attempts end and how, who gets a claim,
and when it wants to be called next.
"""

from __future__ import annotations

from collections import Counter

from dispatcher.core.jobs.acts.kept import KeepWorker
from dispatcher.core.jobs.ledger import silent_attempt
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import (
    Cancel,
    Claim,
    Command,
    Ended,
    LiveAttempt,
    Report,
    Started,
    Turn,
    TurnReport,
    Verdict,
)
from dispatcher.core.jobs.validate import Snapshot, turn_faults
from dispatcher.core.workers.effects import Answer, Drop, Effect, Go, Offer, Probe, Record, Request, Welcome, Withdraw
from dispatcher.core.workers.machine import Machine
from dispatcher.core.workers.retry import RetryPolicy
from dispatcher.core.workers.timings import Timings
from dispatcher.store.applier.hand import Ids
from dispatcher.store.applier.turn import apply
from dispatcher.store.attempts import job_of
from dispatcher.store.driving import Pace, run
from dispatcher.store.memory import MemoryRows
from dispatcher.store.port import Limits
from tests.core.model.claims import check_claims
from tests.core.model.notes import note
from tests.core.model.pages import Page, Session, withdraw
from tests.core.model.peers import GRACE_S, OFFER_TTL_S, RELOAD_S, RESTART_GRACE_S, STANDSTILL_S, Lease
from tests.core.model.reference import Ends, Reference
from tests.core.workers.support import Steady

#: UTC seconds when the world's monotonic clock is 0.
WALL = 1_700_000_000.0
SAID = {"succeeded", "error"}
#: Ends that leave a doubt if the page was told to go.
UNANSWERED = {"lost", "timed_out", "released"}


class ServerHalf:
    """Drives the machine and the store, and keeps what the checks need."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rows = MemoryRows()
        self.ids = 0
        self.pages: list[Page] = []
        self.accepted: set[str] = set()
        self.values: dict[str, str] = {}
        self.revoked: set[str] = set()
        #: When each job became ready, by the queue clock.
        self.ready_since: dict[int, float] = {}
        #: Attempts of accepted jobs in the round that a retry began.
        self.rounds: dict[int, set[str]] = {}
        self.uncounted: set[str] = set()
        #: Jobs of which a decision was taken back: they are in doubt until somebody decides, or a page answers.
        self.reopened: set[int] = set()
        #: Attempts whose pages were told to go: their effects may have happened.
        self.told_to_go: set[str] = set()
        #: Results that a person decided on.
        self.decided: dict[int, str] = {}
        #: The rows after the last step, and jobs that people have decided on since.
        self.seen: Snapshot | None = None
        self.by_hand: set[str] = set()
        #: Jobs that people have removed.
        self.removed: set[str] = set()
        self.boot_server()

    def new_id(self, prefix: str) -> str:
        self.ids += 1
        return f"{prefix}{self.ids:04d}"

    def boot_server(self) -> None:
        """Starts a node over the existing rows."""
        self.machine = Machine(
            timings=Timings(
                offer_ttl_s=OFFER_TTL_S,
                reconnect_grace_s=GRACE_S,
                restart_grace_s=RESTART_GRACE_S,
                reload_after_s=RELOAD_S,
            ),
            retry=RetryPolicy(),
            rng=Steady(),
        )
        kept = self.rows.kept._workers.behind("", 1_000)
        self.machine.operators.know(kept)
        held = {one.id: (one.paused.at, one.paused.leaves) for one in kept if one.paused is not None}
        self.ref = Reference(now=self.now, uncounted=self.uncounted, held=held)
        self.sessions: dict[str, Session] = {}
        self.session_count = 0
        self.reports: list[Report] = []
        self.commands: list[Command] = []
        self.submissions: list[JobSpec] = []
        self.flight: tuple[Turn, TurnReport] | None = None
        self.moved_in_flight = False
        self.more = True
        #: As the store said with the last turn.
        self.next_due_at: float | None = None
        self.next_backoff_s: float | None = None
        self.opened = self.now
        self.rows.begin()
        self.clock_base = self.rows.queue_clock
        self.pace = Pace()

    # -- effects

    def take(self, effects: list[Effect], expected: Ends | None = None) -> None:
        """Carries effects out, after comparing the ends among them with what must end."""
        found = [
            (e.report.attempt, str(e.report.cause))
            for e in effects
            if isinstance(e, Record) and isinstance(e.report, Ended)
        ]
        if expected is not None:
            assert sorted(found) == sorted(expected), f"ended: {found}; must end: {expected}"
        gos = [(e.session, e.attempt) for e in effects if isinstance(e, Go)]
        assert sorted(gos) == sorted(self.ref.gos), f"told to go: {gos}; must be told: {self.ref.gos}"
        self.ref.gos.clear()
        for effect in effects:
            self.check_effect(effect)
            self.carry_out(effect)

    def check_effect(self, effect: Effect) -> None:
        if isinstance(effect, Record) and isinstance(effect.report, Ended):
            self.check_doubt(effect.report)
        elif isinstance(effect, Answer):
            self.check_answer(effect)
        elif isinstance(effect, Go):
            self.check_go(effect)

    def carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Record):
            self.reports.append(effect.report)
        elif isinstance(effect, Request):
            self.commands.append(effect.command)
        elif isinstance(effect, Drop):
            dropped = self.sessions.pop(effect.session, None)
            if dropped is not None and dropped.page.session == effect.session:
                dropped.page.session = None
        elif isinstance(effect, Withdraw):
            withdraw(self.sessions.get(effect.session), effect.attempt)
        elif isinstance(effect, Probe):
            assert effect.session in self.sessions, "probed a session that is no more"
        else:
            session = self.sessions.get(effect.session)
            assert session is not None or not isinstance(effect, Offer), "offered to a session that is no more"
            if session is not None:
                session.outbox.append(effect)
                if isinstance(effect, Welcome):
                    session.page.worker = effect.worker

    def check_answer(self, answer: Answer) -> None:
        row = self.rows.all_attempts.get(answer.attempt)
        if answer.verdict is Verdict.STALE or self.is_removed(answer.attempt):
            return
        stored = row is not None and (row.cause in SAID or row.late_at is not None)
        assert stored, f"{answer} before it was stored"
        assert answer.attempt not in self.revoked, "the attempt of a cancelled job was recorded"

    def is_removed(self, attempt: str) -> bool:
        """Whether somebody has removed the job of this attempt; history_faults finds one that has vanished."""
        return job_of(attempt) not in self.rows.by_seq

    def check_doubt(self, ended: Ended) -> None:
        """S15b: in doubt if and only if the page was told to go, or may have been, and has not answered."""
        doubtful = str(ended.cause) in UNANSWERED and ended.attempt in self.ref.doubts
        assert (ended.event is Event.DOUBT) == doubtful, f"{ended.attempt}, {ended.cause}: {ended.event}"

    def check_go(self, go: Go) -> None:
        row = self.rows.all_attempts.get(go.attempt)
        if self.is_removed(go.attempt):
            return
        assert row is not None, "told to go before its accept was stored"
        assert row.started_at is not None, "told to go before its accept was stored"
        job = self.rows.by_seq[row.job]
        assert job.terms.effects == "once", "nobody asked for go"
        self.told_to_go.add(go.attempt)

    # -- turns

    def begin_turn(self) -> None:
        if self.flight is not None:
            return
        self.more = False
        turn = Turn(
            now_at=WALL + self.now,
            elapsed_s=self.now - self.opened,
            reports=self.reports,
            commands=self.commands,
            submissions=self.submissions,
            demand=self.machine.demand(1_000, Counter(spec.type for spec in self.submissions if spec.delay_s <= 0)),
        )
        rooms = sum(self.ref.room(peer) for peer in self.ref.peers.values()) if not self.ref.draining else 0
        assert sum(demand.room for demand in turn.demand) <= rooms, "the pools' room is not the workers'"
        self.reports, self.commands, self.submissions = [], [], []
        report = self.apply(turn)
        self.flight = (turn, report)
        self.moved_in_flight = False
        self.check_turn(turn, report)

    def apply(self, turn: Turn) -> TurnReport:
        """Applies the turn as one transaction."""
        ids = Ids(lambda: self.new_id("j"), lambda: self.new_id("a"))
        report = run(apply(turn, Limits(), ids, purge=self.pace.due(turn)), self.rows)
        self.pace.done(turn, report)
        return report

    def check_turn(self, turn: Turn, report: TurnReport) -> None:
        assert not turn_faults(turn, report, self.revoked)
        for accepted in report.accepted:
            assert accepted.job is not None
            self.accepted.add(accepted.job.id)
        for command, done in zip(turn.commands, report.commands, strict=True):
            if done.done:
                note(self, command, done, report)
        for change in report.changes:
            if JobState.SCHEDULED in (
                change.old,
                change.new,
            ):  # a person may put a job off and take it back in one turn
                self.ready_since.pop(self.rows.by_id.get(change.job, 0), None)
        for seq, row in self.rows.by_seq.items():
            if row.state in (JobState.QUEUED, JobState.RUNNING):
                since = self.ready_since.setdefault(seq, self.clock_base + turn.elapsed_s)
                assert row.rank is not None
                assert abs(row.rank + 60.0 * row.terms.priority - since) < 1e-6, "a job lost its place"
        check_claims(self, report.claims)

    def finish_turn(self) -> None:
        if self.flight is None:
            return
        (turn, done), self.flight = self.flight, None
        self.more = self.more or done.more
        self.next_due_at, self.next_backoff_s = done.next_due_at, done.next_backoff_s
        for said, settled in zip(turn.reports, done.verdicts, strict=True):
            if isinstance(said, Started) and settled.verdict is Verdict.RECORDED:
                self.ref.started(said.attempt)
        self.take(self.machine.settled(turn.reports, done.verdicts, self.now), [])
        for command, report in zip(turn.commands, done.commands, strict=True):
            if report.revoked is not None and isinstance(command, Cancel):
                self.ref.cancelled(report.revoked)
                self.take(self.machine.cancelled(report.revoked, command.reason, self.now), [])
            if isinstance(command, KeepWorker):
                hold = command.worker.paused
                ends = self.ref.keep(command.worker.id, None if hold is None else (hold.at, hold.leaves))
                self.take(self.machine.keep(command.worker, self.now), ends)
        for claim in done.claims:
            pool = self.machine._fleet.pools._pools.get(claim.pool)  # None: its last worker has left meanwhile
            self.give(claim, frozenset(pool.types if pool is not None else ()))
        self.machine.ready(done.ready, claimed=bool(done.claims))

    def give(self, claim: Claim, types: frozenset[str]) -> None:
        expected = [] if self.ref.draining else self.ref.next_of_pool(types, claim.had, claim.type)
        [effect] = self.machine.claimed([claim], self.now)
        if isinstance(effect, Offer):
            assert expected, "offered to a worker that has no room"
            peers = [peer for peer in expected if peer.session == effect.session]
            assert peers, "not the worker whose turn it is"
            assert claim.type in peers[0].types
            terms = claim.terms
            lease = Lease(claim.attempt, peers[0].id, terms.timeout_s, once=terms.once, heartbeat_s=terms.heartbeat_s)
            self.ref.offered(peers[0], lease)
        else:
            assert not expected or self.moved_in_flight, "a worker was free, and the claim was given back"
        self.take([effect])

    def wanted(self) -> bool:
        return bool(self.more or self.reports or self.commands or self.submissions or self.machine.hungry())

    def settle(self) -> None:
        """Runs turns until nothing is left to do."""
        self.finish_turn()
        for _ in range(50):
            if not self.wanted():
                break
            self.begin_turn()
            self.finish_turn()
        else:
            raise AssertionError("turns without end")
        self.check_conserving()

    def check_conserving(self) -> None:
        if self.ref.draining:
            return
        ready = {row.type for row in self.rows.by_seq.values() if row.state is JobState.QUEUED}
        for peer in self.ref.peers.values():
            assert not (self.ref.room(peer) and ready & peer.types), f"{peer.id} is idle and jobs wait"

    # -- time

    def advance(self, to: float) -> None:
        self.moved_in_flight = True
        self.now = max(self.now, to)
        self.take(self.machine.tick(self.now), self.ref.tick(self.now))
        if self.next_due_at is not None and self.next_due_at <= WALL + self.now:
            self.more = True
        if self.next_backoff_s is not None and self.opened + self.next_backoff_s <= self.now:
            self.more = True

    def sleep(self, seconds: float) -> None:
        """The machine is suspended: what was due meanwhile comes late, and no page may suffer for it (S19)."""
        planned, to = self.next_instant(), self.now + seconds
        late_s = 0.0 if planned is None else to - max(planned, self.now)
        if late_s <= STANDSTILL_S:
            self.advance(to)
            return
        self.now = to
        self.ref.forgive(late_s, to)
        self.call(self.machine.forgive(late_s, to), [])
        before = self.machine.next_deadline()
        assert before is None or before > to, "due before what has arrived could be processed"
        self.advance(to)

    def next_instant(self) -> float | None:
        due = self.next_due_at
        backoff = None if self.next_backoff_s is None else self.opened + self.next_backoff_s
        # Adding and taking away the wall clock's offset may round down.
        instants = [self.machine.next_deadline(), None if due is None else due - WALL + 1e-6, backoff]
        return min((at for at in instants if at is not None), default=None)

    # -- restarts

    def call(self, effects: list[Effect], ends: Ends) -> None:
        self.moved_in_flight = True
        self.take(effects, ends)

    def restart(self) -> None:
        """The server is killed and starts again: it forgets what was not in the store, but the pages live on."""
        for page in self.pages:
            page.session = None
        self.boot_server()
        live = self.live_attempts()
        # An end that was not in the store yet has not happened: the attempt may end otherwise now.
        self.uncounted.difference_update(left.attempt for left in live)
        ends: Ends = []
        for left in live:
            if left.started_at is None:
                ends.append((left.attempt, "lapsed"))
            else:
                once, beat_s = self.row(left.job).terms.effects == "once", left.terms.heartbeat_s
                lease = Lease(left.attempt, left.worker, left.terms.timeout_s, once=once, heartbeat_s=beat_s)
                self.ref.restore(lease)
        self.machine.ready(self.rows.all_ready(), claimed=False)
        self.call(self.machine.restore(live, self.now), ends)

    def live_attempts(self) -> list[LiveAttempt]:
        live = []
        for a in self.all_attempts().values():
            job = self.rows.by_seq[a.job]
            if a.cause is None and job.state is JobState.RUNNING:
                live.append(
                    LiveAttempt(
                        attempt=a.id, job=job.id, type=job.type, number=a.number or 0, started_at=a.started_at,
                        terms=job.terms, errors=job.errors, crashes=job.crashes,
                        worker=a.worker or "", boot=a.boot or "",
                    )
                )  # fmt: skip
        return live

    # -- looking

    def ready(self) -> bool:
        """Whether a job waits for nothing but a worker."""
        return any(row.state is JobState.QUEUED for row in self.rows.by_seq.values())

    def doubtful(self) -> list[JobRow]:
        """Jobs that wait for a person's decision."""
        return [row for row in self.rows.by_seq.values() if row.state is JobState.IN_DOUBT]

    def row(self, job_id: str) -> JobRow:
        return self.rows.by_seq[self.rows.by_id[job_id]]

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        return [a for a in self.all_attempts().values() if a.job == seq]

    def all_attempts(self) -> dict[str, AttemptRow]:
        """Attempts that have rows, and current ones without a row yet."""
        silent = {a.id: a for a in map(silent_attempt, self.rows.by_seq.values()) if a is not None}
        return silent | self.rows.all_attempts
