"""What survives the server: the rows, behind the real rules of a turn, with instants at which a crash may strike.

A turn in flight takes virtual time. Before its commit a crash leaves nothing of it; after its commit, and before its
report is acted on, the rows have it and nobody knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.core.jobs.ledger import AttemptRow, Changes, JobRow, silent_attempt
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Accepted, LiveAttempt, Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.store.applier import TurnApplier
from dispatcher.store.memory import MemoryRows, MemoryStore
from dispatcher.store.rows import Limits, Tally

if TYPE_CHECKING:
    from tests.sim.node import Node

__all__ = ["Disk", "DiskRows", "SimStore"]

_NO_ROOM = Accepted(None, error="storage_full", detail="simulated")


class DiskRows(MemoryRows):
    """Rows that outlive the process, and say what a turn has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.of_job: dict[int, dict[str, AttemptRow]] = {}
        #: Seq -> attempt of every running job; and the queued ones.
        self.running: dict[int, str] = {}
        self.queued: dict[int, JobRow] = {}
        #: Changed in this turn: seq -> its row before, None for a new one.
        self.changed: dict[int, JobRow | None] = {}
        self.purged: list[JobRow] = []
        self.saved_tallies: dict[tuple[int, str], Tally] = {}
        self.saved_clock = 0.0
        #: ``plenty``; ``low``: no room for new jobs; ``full``: room for what is already here, out of the reserve.
        self.room = "plenty"

    def _put(self, job: JobRow) -> None:
        self.changed.setdefault(job.seq, self.by_seq.get(job.seq))
        super()._put(job)
        self.running.pop(job.seq, None)
        self.queued.pop(job.seq, None)
        if job.state is JobState.RUNNING:
            self.running[job.seq] = job.attempt or ""
        elif job.state is JobState.QUEUED:
            self.queued[job.seq] = job

    def save(self, changes: Changes) -> None:
        super().save(changes)
        for row in changes.attempts.values():
            self.of_job.setdefault(row.job, {})[row.id] = row

    def purge(self, seqs: Sequence[int]) -> None:
        for seq in seqs:
            self.purged.append(self.by_seq[seq])
            self.changed.pop(seq, None)
            self.of_job.pop(seq, None)
        super().purge(seqs)

    def save_tallies(self, changed: dict[tuple[int, str], Tally]) -> None:
        self.saved_tallies |= changed

    def save_queue_clock(self, queue_clock: float) -> None:
        self.saved_clock = queue_clock

    def tries(self, job: JobRow) -> list[AttemptRow]:
        """Written ones, and the current one where nothing has been written of it yet."""
        written = self.of_job.get(job.seq, {})
        current = silent_attempt(job) if job.state is JobState.RUNNING and job.attempt not in written else None
        return [*written.values(), *([current] if current is not None else [])]


class Disk:
    """The rows and the key."""

    def __init__(self) -> None:
        self.rows = DiskRows()
        self.key = b"k" * 32


class SimStore(MemoryStore):
    """One process's store over the disk: what a thread with a database does, in virtual time."""

    def __init__(self, disk: Disk, node: Node, *, limits: Limits, new_id: Callable[[str], str]) -> None:
        self.location, self.created, self.key = "simulated", False, disk.key
        self.rows = self.disk = disk.rows
        self._node = node
        self._rng: random.Random = node.world.rng
        self._free_at = 0.0
        states = {str(state): state for state in JobState}
        saved = disk.rows.saved_tallies
        self.applier = self._applier = TurnApplier(
            disk.rows,
            limits=limits,
            new_job_id=lambda: new_id("job-"),
            new_attempt_id=lambda: new_id("a"),
            tallies={(lane, states[name]): Tally(t.jobs, t.bytes) for (lane, name), t in saved.items()},
            queue_clock=disk.rows.saved_clock,
            next_due_at=disk.rows.next_due_at(),
            next_backoff=disk.rows.next_backoff(),
        )

    def _fitting(self, turn: Turn) -> Turn:
        """What there is room for, as in the real store."""
        if self.disk.room == "full":
            return replace(turn, submissions=[], demand=[])
        return replace(turn, submissions=[]) if self.disk.room == "low" else turn

    async def apply(self, turn: Turn) -> TurnReport:
        world, loop = self._node.world, self._node.loop
        done = loop.create_future()
        begun, commit_at, report_at = self._instants()

        def commit() -> None:
            if self._node.alive:
                self._commit(turn, begun, done, report_at)

        world.events.at(commit_at, commit)
        report: TurnReport = await done
        return report

    def _instants(self) -> tuple[float, float, float]:
        slow = self._rng.random() < self._node.world.knobs.slow_disk
        self._node.world.count("slow turns") if slow else None
        most_s = 1.5 if slow else 0.01
        begun = self._node.world.now
        commit_at = max(begun, self._free_at) + self._rng.uniform(0.0001, most_s)
        self._free_at = commit_at + self._rng.uniform(0.0001, most_s)
        return begun, commit_at, self._free_at

    def _commit(self, turn: Turn, begun: float, done: Any, report_at: float) -> None:
        world, rng = self._node.world, self._rng
        knobs = world.knobs
        if rng.random() < knobs.kill_before_commit:
            return world.operator.kill("before a commit")
        if rng.random() < knobs.trouble:
            return self._fail(done, report_at)
        report = self.write(turn)
        world.checks.committed(self._node, turn, report, begun)
        if rng.random() < knobs.kill_after_commit:
            return world.operator.kill("after a commit")
        if rng.random() < knobs.trouble:
            return self._fail(done, report_at)
        world.events.at(report_at, lambda: self._node.run("io", lambda: done.set_result(report)))
        return None

    def write(self, turn: Turn) -> TurnReport:
        """The transaction."""
        self.disk.changed.clear()
        self.disk.purged.clear()
        report = self._applier.apply(self._fitting(turn))
        self._applier.committed()
        self.disk.keep()
        refused = [_NO_ROOM] * (len(turn.submissions) - len(report.accepted))
        return replace(report, accepted=[*report.accepted, *refused])

    def _fail(self, done: Any, report_at: float) -> None:
        """An I/O error: the outcome is unknown to the process, which must end."""
        self._node.world.count("store troubles")
        error = StorageTrouble("simulated")
        self._node.world.events.at(report_at, lambda: self._node.run("io", lambda: done.set_exception(error)))

    async def live_attempts(self) -> list[LiveAttempt]:
        """As in the SQL of the real store."""
        live = []
        for seq in sorted(self.disk.running, reverse=True):
            job = self.disk.by_seq[seq]
            row = self.disk.all_attempts.get(job.attempt or "")
            started_at = row.started_at if row is not None else None
            live.append(
                LiveAttempt(
                    attempt=job.attempt or "", job=job.id, type=job.type, number=job.number + (started_at is None),
                    started_at=started_at, terms=job.terms, errors=job.errors, crashes=job.crashes,
                    worker=(row.worker if row else None) or "", boot=(row.boot if row else None) or "",
                )
            )  # fmt: skip
        return live

    async def job(self, job_id: str) -> JobView | None:
        """Behind whatever the thread is doing."""
        ready = self._node.loop.create_future()
        when = max(self._node.world.now, self._free_at) + 0.001
        self._node.world.events.at(when, lambda: self._node.run("io", lambda: ready.set_result(None)))
        await ready
        return await super().job(job_id)
