"""Checks the invariants (docs/promises.md numbers them) after every step: on rows, server and histories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dispatcher.core.fleet.worker import Attempt, AttemptState, Worker, WorkerState
from dispatcher.core.jobs.matching import Requirement, matches
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import FINAL, OPEN, JobState
from dispatcher.core.jobs.turn import (
    Adopt,
    Cancel,
    Cause,
    Decide,
    Ended,
    JobCommand,
    Reopen,
    Report,
    Retry,
    Settled,
    Turn,
    TurnReport,
    Verdict,
)
from dispatcher.core.jobs.validate import (
    Snapshot,
    change_faults,
    count_faults,
    history_faults,
    job_faults,
    snapshot_faults,
    turn_faults,
)
from tests.sim.ages import Ages
from tests.sim.beats import Beats
from tests.sim.knobs import STORE_CHECK_S
from tests.sim.node import Node
from tests.sim.once import Once
from tests.sim.order import Order
from tests.sim.several.across import Across
from tests.sim.storms import Storms
from tests.support.rows import in_memory

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["Checks"]

SLACK_S = 1.0  # a timer may be this late under normal load (S20)
#: Two turns of a slow disk, and the time in which their effects travel.
SLOW_TURNS_S = 7.0
#: Command -> the name under which an obeyed one is counted.
_DONE = {
    Cancel: "cancelled", Retry: "retried", Decide: "decided by a person", Reopen: "decisions taken back",
    Adopt: "late answers adopted",
}  # fmt: skip


class Checks:
    """Checks all invariants, and tells the world which is broken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows = world.disk.rows
        #: Jobs that the rows ever held, by id: the token that they were submitted with.
        self.created: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.revoked: set[str] = set()
        self.retried: set[str] = set()
        #: All rows when they were last looked at, and jobs that people have decided on since.
        self._seen: Snapshot | None = None
        self._by_hand: set[str] = set()
        self.claimed_at: dict[str, float] = {}
        #: Since when a job is queued.
        self._queued_since: dict[int, float] = {}
        self._room_at = 0.0
        #: What two turns, and news between two nodes, may take.
        self._slow_turns_s = SLOW_TURNS_S * (1 if world.alone else 2)
        self.ages = Ages(world)
        self.once = Once(world)
        self.beats = Beats(world)
        self.storms = Storms(world)
        self.order = Order(world)
        self.across = Across(world)

    def fail(self, *faults: str) -> None:
        for what in faults:
            self.world.broken(what)

    # -- a turn

    def committed(self, node: Node, turn: Turn, report: TurnReport, begun: float) -> None:
        """A transaction is durable."""
        self.across.committed(node, turn, report)
        # Another node may have brought the queue clock up to now, also if it had lagged behind when the job ended.
        self._purged(begun if self.world.alone else self.world.now + self.across.lag_s)
        answered = zip(turn.commands, report.commands, strict=True)
        by_hand = {c.job for c, done in answered if done.done and isinstance(c, Retry | Adopt | Decide | Reopen)}
        self._by_hand |= by_hand
        for seq, before in self.rows.changed.items():
            job = self.rows.by_seq[seq]
            self._created(job, before)
            self._moved(job, before, by_hand=job.id in by_hand)
            self.ages.moved(job, before, begun)
            self._job(job)
        self.fail(*turn_faults(turn, report, self.revoked))
        self._reports(node, turn, report)
        for command, done in zip(turn.commands, report.commands, strict=True):
            if done.revoked is not None:
                self.revoked.add(done.revoked)
            if done.done and isinstance(command, JobCommand):
                self._commanded(command, turn)
        self._claims(node, report, begun)
        self.world.targets.claimed(turn, report)
        if self.rows.room != "plenty" and any(accepted.job is not None for accepted in report.accepted):
            self.fail("S23: a job was taken although the disk has no room")

    def _commanded(self, command: JobCommand, turn: Turn) -> None:
        """What a person or a program wanted, and what the rows allowed."""
        self.world.count(_DONE[type(command)])
        before = self.rows.changed.get(self.rows.by_id[command.job])
        if isinstance(command, Retry):
            self.once.wanted_again(command.job)
        if isinstance(command, Decide):
            self.once.decided(command.job, before, turn)
        if isinstance(command, Reopen):
            self.once.taken_back(command.job, before, turn)

    def _purged(self, begun: float) -> None:
        """I33: only final jobs, older than the rule, by no wall clock; keys live at least as long."""
        for job in self.rows.purged:
            self.ages.removed(job, begun)
            self.world.history.purged.add(job.id)
            self.tokens.pop(self.created[job.id], None)
            self._queued_since.pop(job.seq, None)

    def _created(self, job: JobRow, before: JobRow | None) -> None:
        """I2, I3: a job appears only because it was submitted, and once."""
        if before is not None:
            return
        data = self.rows.payloads[job.seq]
        token = str(json.loads(data)["token"]) if data != '"other"' else f"other of {job.key}"
        spec = self.world.history.submitted.get(token)
        same = spec is not None and (spec.data, spec.type, spec.key) == (data, job.type, job.key)
        if data != '"other"' and not (spec is not None and same and spec.terms.requires == job.terms.requires):
            self.fail(f"I1: {job.id} is not what was submitted")
        if token in self.tokens:
            self.fail(f"I3: {token} has become {self.tokens[token]} and {job.id}")
        self.created[job.id] = token
        self.tokens[token] = job.id
        self.world.count("jobs")

    def _moved(self, job: JobRow, before: JobRow | None, *, by_hand: bool) -> None:
        if before is not None:
            self.fail(*change_faults(before, job, by_hand=by_hand))
            if by_hand and before.state in FINAL and job.number == before.number:
                self.retried.add(job.id)
        if job.state is not JobState.QUEUED:
            self._queued_since.pop(job.seq, None)
        elif before is None or before.state is not JobState.QUEUED:
            self._queued_since[job.seq] = self.world.now

    def _reports(self, node: Node, turn: Turn, report: TurnReport) -> None:
        for said, settled in zip(turn.reports, report.verdicts, strict=True):
            if settled.verdict is not Verdict.RECORDED:
                self._unheeded(said, settled, turn)
                continue
            if isinstance(said, Ended):
                self._ended(node, said)

    def _unheeded(self, said: Report, settled: Settled, turn: Turn) -> None:
        """S9: a late result is taken while its attempt is the newest of a job that waits, and was before commands."""
        row = self.rows.all_attempts.get(said.attempt)
        job = self.rows.by_seq.get(row.job) if row is not None else None
        result = isinstance(said, Ended) and said.cause is Cause.SUCCEEDED and settled.verdict is Verdict.STALE
        wanted = any(isinstance(command, Retry | Reopen) and job and command.job == job.id for command in turn.commands)
        if result and job is not None and job.attempt == said.attempt and job.state in OPEN and not wanted:
            self.fail(f"S9: {job.id} is {job.state}, and the late result of {said.attempt} was not taken")

    def _ended(self, node: Node, said: Ended) -> None:
        history, attempt = self.world.history, said.attempt
        self.world.count(f"attempts {said.cause}")
        row = self.rows.all_attempts[attempt]
        job = self.rows.by_seq[row.job]
        before = self.rows.changed.get(job.seq)
        if before is None or before.attempt != attempt:
            self.fail(f"I5: {attempt} is not the newest of {job.id}, and {said.cause} was recorded")
        self.once.ended(said, job)
        if said.cause is Cause.RELEASED:
            self.storms.released(said)
        if said.cause is Cause.SUCCEEDED:
            self.world.count("late results recorded") if row.late_at is not None else None
            if self.rows.results.get(job.seq) != said.value:
                self.fail(f"I4: {job.id} does not hold the result that was recorded")
            if said.value not in history.sent.get(attempt, ()):
                self.fail(f"nobody sent {said.value} as the result of {attempt}")
        if attempt in history.lied:
            return
        if said.cause is Cause.TIMED_OUT:
            accepted_at = history.accepted_at.get(attempt)
            if accepted_at is None or self.world.now < accepted_at + job.terms.timeout_s:
                self.fail(f"I9: {attempt} timed out early")
        if said.cause is Cause.LOST and not self.beats.silent(node, said):
            self._lost(node, attempt, said.holder.boot if said.holder else "")

    def _lost(self, node: Node, attempt: str, boot: str) -> None:
        """I8: no page is given up without a sign that it may be gone."""
        offered_at = self.claimed_at.get(attempt, 0.0)
        went_at = self.across.went_at.get(attempt, -1.0)
        signs = [node.started_at, went_at, self.world.history.evidence.get(boot, -1.0)]
        if max(signs) < offered_at and not self.world.history.has_rivals(boot):
            self.fail(f"I8: {attempt} is lost, and nothing had happened to its page {boot}")

    def _claims(self, node: Node, report: TurnReport, begun: float) -> None:
        """I22, I32: which jobs may be offered, and in which order."""
        if node.drained_at is not None and begun > node.drained_at and report.claims:
            self.fail("I22: a draining server claims jobs")
        lanes: dict[tuple[str, Requirement], tuple[float, int]] = {}
        for claim in report.claims:
            self.claimed_at[claim.attempt] = self.world.now
            job = self.rows.by_seq[self.rows.by_id[claim.job]]
            self.once.claimed(job, claim.attempt)
            place, lane = (job.rank or 0.0, job.seq), (job.type, job.terms.requires)
            if place < lanes.get(lane, place):
                self.fail(f"I32: {job.id} is claimed out of order")
            lanes[lane] = place

    # -- rows

    def _job(self, job: JobRow) -> None:
        """The rows of a changed job are sound, and its result is one that a page sent or a person decided on."""
        written, result = self.rows.of_job.get(job.seq, {}).values(), self.rows.results.get(job.seq)
        self.fail(*job_faults(job, written, result, wall_stepped=self.world.wall_was_stepped))
        history = self.world.history
        if result is not None and not history.by_hand(job) and result not in history.sent.get(job.attempt or "", ()):
            self.fail(f"I5: the result of {job.id} is not one of {job.attempt}")

    def everything(self, node: Node | None) -> None:
        """All rows, and the counters."""
        rows = in_memory(self.rows)
        self.fail(*snapshot_faults(rows, wall_stepped=self.world.wall_was_stepped))
        purged = self.world.history.purged
        if self._seen is not None:
            self.fail(*history_faults(self._seen, rows, by_hand=self._by_hand, removed=purged))
        self._seen = rows
        self._by_hand.clear()
        held = {row.id for row in rows.jobs.values()}
        wanted = set(self.created) - purged
        if held != wanted:
            self.fail(f"I2: lost {sorted(wanted - held)}, unexpected {sorted(held - wanted)}")
        lost = set(self.world.history.acked.values()) - held - purged
        if lost:
            self.fail(f"I1: acknowledged, and lost: {sorted(lost)}")
        if node is not None:
            self.fail(*count_faults(rows.jobs.values(), node.store.rows.counters.by_state()))

    # -- the server

    def server_step(self, node: Node) -> None:
        """What must hold of the process after each of its steps."""
        if node.loop.errors:
            self.fail(f"unhandled: {node.loop.errors}")
        if not hasattr(node, "sessions"):
            return
        if node.sessions.counts.listener_errors:
            self.fail("the listener failed")
        self._leases(node)
        self._workers(node)
        if not node.stalled and node.listening:
            self._work_conserving(node)

    def _leases(self, node: Node) -> None:
        """I2, I8, I10: every open job will go on by itself, and no deadline is missed."""
        machine, deadlines = node.machine, node.machine._deadlines
        due = deadlines.next()
        stood_s = node.stood_s if self.world.now < node.resumed_at + SLACK_S else 0.0
        if due is not None and due < self.world.now - SLACK_S - stood_s and node.dispatcher._accepting:
            self.fail(f"I9: something was due at {due}")
        for attempt in machine.attempts.values():
            if attempt.state is AttemptState.REVOKED:
                continue
            ends_at = deadlines.get(("lease", attempt.id))
            self._in_bounds(attempt, ends_at, node.stood_s)
            if attempt.state is AttemptState.RUNNING:
                self.beats.listens(node, attempt)
            if ends_at is None:
                worker = machine.workers.get(attempt.worker)
                if attempt.state is not AttemptState.OFFERED or attempt.written or worker is None or not worker.session:
                    self.fail(f"I10: {attempt.id} is {attempt.state} and will never end")
        if node.listening and not node.turns._begun and not node.turns._reports:
            live = {a.id for a in machine.attempts.values() if a.live()}
            rows = node.store.must_hold(live)
            if live != rows:
                self.fail(f"I2: {node.name} holds {sorted(live - rows)}, the rows {sorted(rows - live)} besides")

    def _in_bounds(self, attempt: Attempt, ends_at: float | None, late_s: float) -> None:
        """I10, I14: no lease is longer than its rule."""
        settings = self.world.knobs.settings
        # After a standstill of the server, deadlines are moved by the lateness (S19).
        most_s = settings.offer_ttl_s
        if attempt.state is not AttemptState.OFFERED:
            most_s = max(most_s, attempt.claim.terms.timeout_s, settings.restart_grace_s)
        if ends_at is not None and ends_at > self.world.now + most_s + late_s + 0.001:
            self.fail(f"I10: {attempt.id} is {attempt.state} until {ends_at}")

    def _workers(self, node: Node) -> None:
        """I7, I8: slots, and the end of pages that went away."""
        machine = node.machine
        if len({worker.boot for worker in machine.workers.values()}) < len(machine.workers):
            self.fail("I8b: one boot is two workers")
        for worker in machine.workers.values():
            offered = sum(a.state is AttemptState.OFFERED for a in worker.attempts.values())
            # Attempts that only the page knows do not count: it may have ended others, and we do not know that yet.
            ours = sum(bool(a.claim.job) for a in worker.attempts.values())
            if offered and ours > worker.slots and not self.world.history.lied:
                self.fail(f"I7: {worker.id} holds {ours} attempts in {worker.slots} slots")
            if worker.state is WorkerState.AWAY and machine._deadlines.get(("grace", worker.id)) is None:
                self.fail(f"I8: {worker.id} is away for ever")
            if worker.session is not None and machine._registry._by_session.get(worker.session) is not worker:
                self.fail(f"I6: {worker.id} and its session disagree")

    def _work_conserving(self, node: Node) -> None:
        """I20: if a job is ready and a worker could take it, it is offered at once."""
        now = self.world.now
        idle: dict[tuple[object, ...], float] = {}
        for worker in node.machine.workers.values():
            if worker.room() and not node.machine.draining:
                face = (worker.id, worker.name, worker.labels, worker.types)  # what it matches may change with it
                idle[face] = node.idle_since.get(face, now)
        node.idle_since = idle
        if not idle or not self.rows.waiting or self.rows.room == "full":
            return
        for row in self.rows.waiting.values():
            ready = max(self._queued_since.get(row.seq, now), node.resumed_at, node.started_at, self._room_at)
            for (name, *_), since in idle.items():
                late_s = now - max(ready, since)
                if late_s > SLACK_S + self._slow_turns_s and _matches(node.machine.workers[str(name)], row):
                    self.fail(f"I20: {row.id} is ready and {name} idle for {late_s:.1f} s")

    def room_again(self, within_s: float = STORE_CHECK_S) -> None:
        """After a full disk, jobs are offered with the next turn, at the latest with the turn of the housekeeping."""
        self._room_at = max(self._room_at, self.world.now + within_s)

    def resumed(self, node: Node) -> None:
        """The process had stood still."""
        node.resumed_at = self.world.now
        node.idle_since.clear()

    def stopped(self, node: Node) -> None:
        """I22: a graceful stop ends in time."""
        assert node.drained_at is not None
        took_s = self.world.now - max(node.drained_at, node.resumed_at, self._room_at)
        if took_s > self.world.knobs.settings.drain_s + 2.0 + SLOW_TURNS_S:
            self.fail(f"I22: the stop took {took_s:.1f} s")

    def watch(self) -> None:
        """I27: no request waits longer than its bound. Called once a second."""
        for node in self.world.nodes():
            if not node.stalled:
                self._watch(node)

    def _watch(self, node: Node) -> None:
        settings = self.world.knobs.settings
        bound_s = settings.ping_interval_s + settings.ping_timeout_s + 5.0
        for exchange in node.exchanges:
            if self.world.now - max(exchange.since, node.resumed_at) > bound_s + 5.0 and exchange.is_open():
                self.fail(f"I27: a {exchange.method} waits since {exchange.since:.1f}")
        for call in [call for call in self.world.calls if call.node is node]:
            if self.world.now - max(call.arrived_at, node.resumed_at, self._room_at) > call.bound_s + SLOW_TURNS_S:
                self.fail(f"I27: an API request waits since {call.arrived_at:.1f}")
        if hasattr(node, "sessions"):
            self.order.watch(node)
        self.server_step(node)

    # -- the end

    def ended(self, node: Node) -> None:
        """Everything has been healed, and has had its time."""
        still = [(row.id, str(row.state)) for row in self.rows.by_seq.values() if row.state not in FINAL]
        if still:
            self.fail(f"never ended: {still}")
        self.everything(node)

    def left(self, node: Node) -> None:
        """I25: all pages have left; nothing of them is kept."""
        machine, registry = node.machine, node.machine._registry
        kept = [
            *machine.workers, *machine.attempts, *registry._by_session, *machine._asked, *registry._newcomers._of,
            *registry._boots, *node.sessions.ids(), *node.dispatcher.pages.sessions,
            *node.sessions._sockets._candidates, *self.across.left(node),
        ]  # fmt: skip
        if kept or len(machine._deadlines):
            self.fail(f"I25: kept although everybody has left: {kept}")


def _matches(worker: Worker, row: JobRow) -> bool:
    return row.type in worker.types and matches(row.terms.requires, dict(worker.labels), worker.name)
