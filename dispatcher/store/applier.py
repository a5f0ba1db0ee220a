"""Applies a turn to the rows of a store, in the contract's order. Runs inside one open transaction.

Owns what a store must keep in memory between turns and can always read back: the counters, the queue clock, which
lanes may hold queued jobs and when something becomes due next. ``apply`` is followed by ``committed`` or by
``forget``, so that a transaction that is rolled back leaves no trace here either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.ledger import Changes, JobRow
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import FINAL, OPEN, WAITING, Event, JobState
from dispatcher.core.jobs.turn import (
    Accepted,
    Claim,
    Command,
    CommandReport,
    Demand,
    ForgetTypes,
    LaneReady,
    OfferedTypes,
    Settled,
    Turn,
    TurnReport,
)
from dispatcher.store.admission import batches, judge, size_of
from dispatcher.store.attempts import attempt_id, current_attempts, job_of
from dispatcher.store.commands import obey
from dispatcher.store.rows import Limits, Rows, Tally
from dispatcher.store.takers import BEGINNING, choose, claim_of
from dispatcher.store.views import view

__all__ = ["SWEEP", "TurnApplier"]

#: Most jobs whose retention has passed that one turn removes; the next turn goes on.
PURGE = 50
#: How often is looked for such jobs.
PURGE_EVERY_S = 60.0
#: An idempotency key lives at least this long (promise S2).
KEY_S = 86_400.0

#: Most scheduled or expired jobs that one turn moves; the next turn goes on.
SWEEP = 1_000


LaneState = tuple[int, JobState]
#: What an instant of the queue clock may lose on its way to the node's timer and back.
_ROUNDING_S = 1e-6


class TurnApplier:
    """Applies turns, one at a time."""

    def __init__(
        self,
        rows: Rows,
        *,
        limits: Limits,
        new_job_id: Callable[[], str],
        new_attempt_id: Callable[[], str],
        tallies: Mapping[LaneState, Tally],
        queue_clock: float,
        next_due_at: float | None,
        next_backoff: float | None = None,
    ) -> None:
        self._rows = rows
        self._limits = limits
        self._new_job_id = new_job_id
        self._new_attempt_id = new_attempt_id
        self._tallies = dict(tallies)
        self._clock_base = queue_clock
        self._clock = queue_clock
        self._next_due_at = next_due_at
        #: By the queue clock.
        self._next_backoff = next_backoff
        #: As of the last turn, for ``forget``.
        self._due_before = next_due_at, next_backoff
        self._next_purge_s = 0.0
        #: Of open jobs, as of the last turn.
        self._open = sum(tally.jobs for (_, state), tally in tallies.items() if state in OPEN)
        self._open_bytes = sum(tally.bytes for (_, state), tally in tallies.items() if state in OPEN)
        #: Types of the lanes that jobs entered or left in this turn.
        self._touched: set[str] = set()
        #: The same of the turn's earlier steps, where it is applied item by item.
        self._touched_before: set[str] = set()
        #: Changes of the counters in this turn.
        self._moves: dict[LaneState, Tally] = {}

    # -- between turns

    def tallies(self) -> Mapping[LaneState, Tally]:
        """Jobs by lane and state, as of the last turn."""
        return self._tallies

    def counts(self) -> dict[str, int]:
        """Jobs by state, for every state, as of the last turn."""
        counts = {str(state): 0 for state in JobState}
        for (_, state), tally in self._tallies.items():
            counts[str(state)] += tally.jobs
        return counts

    def ready(self, lanes: Iterable[str]) -> list[LaneReady]:
        """Those of these lanes that have ready jobs: asked for once, when a store is opened."""
        return [left for left in map(self._left, lanes) if left.jobs]

    def committed(self) -> None:
        """The transaction is durable: takes this turn's counts over."""
        self._touched_before |= self._touched
        self._touched = set()
        for key, move in self._moves.items():
            tally = self._tallies.setdefault(key, Tally())
            tally.jobs += move.jobs
            tally.bytes += move.bytes
            if key[1] in OPEN:
                self._open += move.jobs
                self._open_bytes += move.bytes
        self._moves.clear()
        self._due_before = self._next_due_at, self._next_backoff

    def forget(self) -> None:
        """The transaction was rolled back: nothing of this turn has happened, and what was due is still due."""
        self._moves.clear()
        self._touched = set()
        self._next_due_at, self._next_backoff = self._due_before

    # -- one turn

    def apply(self, turn: Turn, *, last: bool = True) -> TurnReport:
        """Applies all of it. Whatever it raises, the caller rolls back and calls ``forget``.

        ``last`` False: only a part of the turn's items; what is due, and the demand, come after all of them.
        """
        self._clock = self._clock_base + turn.elapsed_s
        finished: list[str] = []
        verdicts = self._settle(turn)
        commands = [self._command(command, turn.now_at, finished) for command in turn.commands]
        accepted = self._submit(turn.submissions, turn.now_at)
        swept = last and (self._sweep(turn.now_at, finished) | self._purge(turn.elapsed_s))
        claims = self._claim(turn, finished)
        self._write_counters(turn)
        backoff = self._next_backoff
        return TurnReport(
            verdicts=verdicts,
            commands=commands,
            accepted=accepted,
            claims=claims,
            finished=finished,
            next_due_at=self._next_due_at,
            next_backoff_s=None if backoff is None else backoff - self._clock_base,
            more=swept,
            ready=self._left_ready(turn.demand) if last else [],
        )

    def _left_ready(self, demand: list[Demand]) -> list[LaneReady]:
        """What is left in the lanes that this turn has touched, in all of its steps, or was asked for."""
        names = self._touched | self._touched_before | {name for entry in demand for name in entry.lanes}
        self._touched, self._touched_before = set(), set()
        return [self._left(name) for name in sorted(names)]

    def _left(self, name: str) -> LaneReady:
        lane = self._rows.lane(name)
        jobs = self._queued(lane)
        first = self._rows.ready(lane, 1, BEGINNING) if jobs else []
        return LaneReady(name, jobs, first[0][0]) if first else LaneReady(name, 0)

    def _write_counters(self, turn: Turn) -> None:
        if not self._moves:
            return
        changed = {}
        for key, move in self._moves.items():
            old = self._tallies.get(key, Tally())
            changed[(key[0], str(key[1]))] = Tally(old.jobs + move.jobs, old.bytes + move.bytes)
        self._rows.save_tallies(changed)
        self._rows.save_queue_clock(self._clock)

    def _move(self, job: JobRow, old: JobState | None, now_at: float) -> None:
        """To be called after every transition of a job, before it is saved: it is counted, and has its clocks."""
        if old is job.state:
            return
        if old is not None:  # a new job's delay is by the wall clock
            ledger.clocked(job, now_at, self._clock)
        if JobState.QUEUED in (old, job.state):
            self._touched.add(job.type)
        if old is not None:
            move = self._moves.setdefault((job.lane, old), Tally())
            move.jobs -= 1
            move.bytes -= job.size
        move = self._moves.setdefault((job.lane, job.state), Tally())
        move.jobs += 1
        move.bytes += job.size
        if job.state in WAITING:
            self._expect(job.expires_at)
            if job.backoff_until is None:
                self._expect(job.run_at)
            elif self._next_backoff is None or job.backoff_until < self._next_backoff:
                self._next_backoff = job.backoff_until

    def _expect(self, instant: float | None) -> None:
        if instant is not None and (self._next_due_at is None or instant < self._next_due_at):
            self._next_due_at = instant

    def _queued(self, lane: int) -> int:
        key = (lane, JobState.QUEUED)
        tally, move = self._tallies.get(key), self._moves.get(key)
        return (tally.jobs if tally else 0) + (move.jobs if move else 0)

    # -- reports

    def _settle(self, turn: Turn) -> list[Settled]:
        if not turn.reports:
            return []
        named = {report.attempt for report in turn.reports}
        jobs = self._rows.jobs({seq for name in named if (seq := job_of(name)) is not None})
        attempts = current_attempts(jobs.values(), named) | self._rows.attempts(named)
        changes = Changes()
        before = {seq: job.state for seq, job in jobs.items()}
        late = self._limits.late_accept
        verdicts = [ledger.settle(report, attempts, jobs, turn.now_at, changes, late) for report in turn.reports]
        for seq, job in changes.jobs.items():
            self._move(job, before[seq], turn.now_at)
        self._rows.save(changes)
        return verdicts

    # -- commands

    def _command(self, command: Command, now_at: float, finished: list[str]) -> CommandReport:
        if isinstance(command, OfferedTypes):
            return self._offered(command, now_at)
        if isinstance(command, ForgetTypes):
            return self._forgotten(command)
        job = self._rows.jobs_by_id([command.job]).get(command.job)
        if job is None:
            return CommandReport(False)
        changes, old = Changes(), job.state
        done, revoked = obey(command, job, self._rows, now_at=now_at, queue_clock=self._clock, changes=changes)
        if done:
            if job.state in FINAL:
                finished.append(job.id)
            self._move(job, old, now_at)
            self._rows.save(changes)
        return CommandReport(done, view(job), revoked)

    def _offered(self, command: OfferedTypes, now_at: float) -> CommandReport:
        """Remembers types that a worker offers, as far as there is room for them: of the others no job can come."""
        known = self._rows.lanes_known()
        new = [name for name in command.types if name not in known]
        over = set(new[max(0, self._limits.most_types - len(known)) :])
        self._rows.mark_offered([self._rows.lane(name) for name in command.types if name not in over], now_at)
        return CommandReport(not over)

    def _forgotten(self, command: ForgetTypes) -> CommandReport:
        """Types do not pile up: where a page or a submitter made names for one job each, they go with those jobs."""
        left = [name for name in self._rows.lanes_known() if name not in command.offered]
        empty = [name for name in left if not self._holds(self._rows.lane(name))]
        for name in empty:
            for state in JobState:  # they are all zero: nothing is lost with them, should the turn be rolled back
                self._tallies.pop((self._rows.lane(name), state), None)
        self._rows.forget_lanes(empty)
        return CommandReport(True)

    def _holds(self, lane: int) -> int:
        """Jobs of a lane in whatever state, those of this turn included."""
        keys = [(lane, state) for state in JobState]
        return sum(counts[key].jobs for counts in (self._tallies, self._moves) for key in keys if key in counts)

    # -- submissions

    def _submit(self, specs: list[JobSpec], now_at: float) -> list[Accepted]:
        if not specs:
            return []
        keyed = self._rows.jobs_by_key({spec.key for spec in specs if spec.key is not None})
        held = self._held()
        new: list[JobRow] = []
        data: list[str] = []
        accepted = []
        for batch in batches(specs):
            for spec, judged in zip(batch, self._judged(batch, keyed, held), strict=True):
                if judged is not None:
                    accepted.append(judged)
                    continue
                job = self._new_job(spec, now_at)
                new.append(job)
                data.append(spec.data)
                held.jobs, held.bytes = held.jobs + 1, held.bytes + job.size
                if spec.key is not None:
                    keyed[spec.key] = job
                accepted.append(Accepted(view(job, data=spec.data)))
        if new:
            self._rows.add_jobs(new, data)
        return accepted

    def _judged(self, batch: list[JobSpec], keyed: Mapping[str, JobRow], held: Tally) -> list[Accepted | None]:
        return judge(batch, keyed, held, self._limits, self._rows.lanes_known())

    def _held(self) -> Tally:
        """The open jobs, those of this turn included."""
        moves = [move for (_, state), move in self._moves.items() if state in OPEN]
        jobs = self._open + sum(move.jobs for move in moves)
        return Tally(jobs, self._open_bytes + sum(move.bytes for move in moves))

    def _new_job(self, spec: JobSpec, now_at: float) -> JobRow:
        delayed = spec.delay_s > 0
        expires_at = None if spec.expires_s is None else now_at + spec.expires_s
        job = JobRow(
            seq=self._rows.next_seq(),
            state=JobState.SCHEDULED if delayed else JobState.QUEUED,
            rank=None if delayed else self._clock - spec.terms.priority * ledger.RANK_STEP_S,
            run_at=now_at + spec.delay_s if delayed else None,
            attempt=None, claims=0, number=0, errors=0, crashes=0, reason=None, detail=None, error=None,
            percent=None, note=None, worker=None, worker_name=None,
            offered_at=None, started_at=None, ended_at=None, backoff_until=None, ended_clock=None,
            id=self._new_job_id(), lane=self._rows.lane(spec.type), type=spec.type, terms=spec.terms,
            size=size_of(spec.data), expires_at=expires_at, created_at=now_at,
            key=spec.key, fingerprint=spec.fingerprint,
        )  # fmt: skip
        self._move(job, None, now_at)
        return job

    # -- what has become due

    def _sweep(self, now_at: float, finished: list[str]) -> bool:
        """Moves what has become due. Returns whether more is due than one turn moves."""
        wall, backoff, clock = self._next_due_at, self._next_backoff, self._clock + _ROUNDING_S
        if (wall is None or wall > now_at) and (backoff is None or backoff > clock):
            return False
        changes = Changes()
        overdue = self._rows.overdue(now_at, SWEEP)
        for job in overdue:
            old = job.state
            ledger.expire(job, now_at, changes)
            self._move(job, old, now_at)
            finished.append(job.id)
        self._rows.save(changes)
        changes = Changes()
        due = self._rows.due(now_at, clock, SWEEP)
        for job in due:
            ledger.enqueue(job, Event.DUE, self._clock, changes)
            self._move(job, JobState.SCHEDULED, now_at)
        self._rows.save(changes)
        self._next_due_at, self._next_backoff = self._rows.next_due_at(), self._rows.next_backoff()
        return len(due) >= SWEEP or len(overdue) == SWEEP

    def _purge(self, elapsed_s: float) -> bool:
        """Removes jobs whose retention has passed. Returns whether there may be more of them.

        They age by the queue clock: a wall clock that was wrong for a while removes nothing (promise S32).
        """
        if elapsed_s < self._next_purge_s:
            return False
        kept_s = self._limits.retention_s
        rows = self._rows.outlived(self._clock - kept_s, self._clock - max(kept_s, KEY_S), PURGE)
        for job in rows:
            move = self._moves.setdefault((job.lane, job.state), Tally())
            move.jobs -= 1
            move.bytes -= job.size
        if rows:
            self._rows.purge([job.seq for job in rows])
        if len(rows) == PURGE:
            return True
        self._next_purge_s = elapsed_s + PURGE_EVERY_S
        return False

    # -- claims

    def _claim(self, turn: Turn, finished: list[str]) -> list[Claim]:
        """Hands ready jobs to the demand, by rank."""
        chosen = choose(self._rows, turn.demand, turn.most_claims, self._queued)
        if not chosen:
            return []
        seqs = [seq for _, seq in chosen]
        jobs, data = self._rows.claimable(seqs)
        changes = Changes()
        claims = []
        for pool, seq in chosen:
            job = jobs[seq]
            if job.expires_at is not None and job.expires_at <= turn.now_at:
                # More had expired than one sweep moves: it ends here, for it must not be offered.
                ledger.expire(job, turn.now_at, changes)
                finished.append(job.id)
            else:
                attempt = attempt_id(seq, job.claims, self._new_attempt_id())
                had = self._had(job)
                ledger.claim(job, attempt, turn.now_at, changes)
                claims.append(claim_of(pool, attempt, job, data[seq], had))
            self._move(job, JobState.QUEUED, turn.now_at)
        self._rows.save(changes)
        return claims

    def _had(self, job: JobRow) -> tuple[str, ...]:
        """Workers of its attempts, the last one first. A job that nobody has had yet is not looked up."""
        if job.worker is None:
            return ()
        workers = (attempt.worker for attempt in reversed(self._rows.attempts_of(job.seq)))
        return tuple(dict.fromkeys(worker for worker in workers if worker is not None))
