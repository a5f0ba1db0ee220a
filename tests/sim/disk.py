"""The rows that survive the server, behind the real rules of a turn, with instants at which a crash may strike.

A turn in flight takes virtual time. Before its commit a crash leaves nothing of it; after its commit, and before its
report is acted on, the rows have it and nobody knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Accepted, LiveAttempt, Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.store.applier.hand import Ids
from dispatcher.store.driving import Pace
from dispatcher.store.memory import MemoryRows, MemoryStore
from dispatcher.store.port import Limits
from dispatcher.store.requests import Save, Saved

if TYPE_CHECKING:
    from tests.sim.node import Node

__all__ = ["Disk", "DiskRows", "SimStore"]

_NO_ROOM = Accepted(None, error="storage_full", detail="simulated")


class DiskRows(MemoryRows):
    """Rows that outlive the process, and tell what a turn has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.of_job: dict[int, dict[str, AttemptRow]] = {}
        #: Seq -> attempt of every running job; and the queued ones.
        self.running: dict[int, str] = {}
        self.waiting: dict[int, JobRow] = {}
        #: Changed in this turn: seq -> its row before, None for a new one.
        self.changed: dict[int, JobRow | None] = {}
        self.purged: list[JobRow] = []
        #: ``plenty``; ``low``: no room for new jobs; ``full``: room for what is already here, out of the reserve.
        self.room = "plenty"

    def _put(self, job: JobRow) -> None:
        self.changed.setdefault(job.seq, self.by_seq.get(job.seq))
        super()._put(job)
        self.running.pop(job.seq, None)
        self.waiting.pop(job.seq, None)
        if job.state is JobState.RUNNING:
            self.running[job.seq] = job.attempt or ""
        elif job.state is JobState.QUEUED:
            self.waiting[job.seq] = job

    def save(self, request: Save) -> Saved:
        saved = super().save(request)
        for row in request.writes.attempts.values():
            self.of_job.setdefault(row.job, {})[row.id] = row
        return saved

    def remove(self, rows: Sequence[JobRow]) -> None:
        for row in rows:
            self.purged.append(row)
            self.changed.pop(row.seq, None)
            self.of_job.pop(row.seq, None)
        super().remove(rows)


class Disk:
    """The rows and the key."""

    def __init__(self) -> None:
        self.rows = DiskRows()
        self.key = b"k" * 32
        #: Servers that have opened it.
        self.lives = 0

    @property
    def is_away(self) -> bool:
        """Nobody can open it now."""
        return False

    def go_away(self) -> None:
        """A database may; a disk is there as long as its machine."""

    fail_over = heal = go_away

    def opened_by(self, node: Node) -> SimStore:
        """A process opens the store."""
        return SimStore(self, node, limits=node.limits, new_id=node.world.new_id)


class SimStore(MemoryStore):
    """One process's store over the disk: what a thread with a database does, in virtual time."""

    def __init__(self, disk: Disk, node: Node, *, limits: Limits, new_id: Callable[[str], str]) -> None:
        self.location, self.created, self.key = "simulated", False, disk.key
        self.rows = self.disk = disk.rows
        self.hooks, self.kept, self.endings = disk.rows.hooks, disk.rows.kept, disk.rows.endings
        self.names = disk.rows.names
        self._node = node
        self._rng: random.Random = node.world.rng
        self._free_at = 0.0
        self._ids = Ids(lambda: new_id("job-"), lambda: new_id("a"))
        self._limits = limits
        self._pace = Pace()
        disk.lives += 1
        self.epoch = disk.lives
        disk.rows.begin()

    def _fitting(self, turn: Turn) -> Turn:
        """Lets through what there is room for, as the real store does."""
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
            return self._node.operator.kill("before a commit")
        if rng.random() < knobs.trouble:
            return self._fail(done, report_at)
        report = self.write(turn)
        world.checks.committed(self._node, turn, report, begun)
        if rng.random() < knobs.kill_after_commit:
            return self._node.operator.kill("after a commit")
        if rng.random() < knobs.trouble:
            return self._fail(done, report_at)
        world.events.at(report_at, lambda: self._node.run("io", lambda: done.set_result(report)))
        return None

    def write(self, turn: Turn) -> TurnReport:
        """The transaction."""
        self.disk.changed.clear()
        self.disk.purged.clear()
        report = self.applied(self._fitting(turn))
        refused = [_NO_ROOM] * (len(turn.submissions) - len(report.accepted))
        return replace(report, accepted=[*report.accepted, *refused])

    def _fail(self, done: Any, report_at: float) -> None:
        """An I/O error: the outcome is unknown to the process, which must end."""
        self._node.world.count("store troubles")
        error = StorageTrouble("simulated")
        self._node.world.events.at(report_at, lambda: self._node.run("io", lambda: done.set_exception(error)))

    def process_died(self) -> None:
        """What was not committed has not happened."""

    def may_fail(self, error: StorageTrouble) -> bool:
        """Whether the process is right to end with this."""
        return error.detail == "simulated"

    def must_hold(self, live: set[str]) -> set[str]:
        """The attempts that the process must have as live, if it has these."""
        return set(self.disk.running.values())

    async def live_attempts(self) -> list[LiveAttempt]:
        """Reads the same rows as the SQL of the real store."""
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
        """Runs a call after what the thread is doing now."""
        ready = self._node.loop.create_future()
        when = max(self._node.world.now, self._free_at) + 0.001
        self._node.world.events.at(when, lambda: self._node.run("io", lambda: ready.set_result(None)))
        await ready
        return await super().job(job_id)
