"""What can be asked and ordered of a job that is there: to read it, to wait for it, and the commands on it.

The ``Dispatcher`` is made of this; it has the parts that are named here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from dispatcher.access.acts import Actor
from dispatcher.access.commands import NOBODY_ASKED
from dispatcher.clock import Clock
from dispatcher.core.jobs.diaries import MOST_JOBS, Diary, WorkedQuarter, day_of
from dispatcher.core.jobs.model import (
    JobFilter,
    JobPage,
    JobStanding,
    JobView,
    ListReach,
    OneWorkerView,
    WorkerStatus,
    WorkerView,
)
from dispatcher.core.jobs.states import OPEN, JobState
from dispatcher.core.jobs.turn import Adopt, Amend, Cancel, Decide, Delete, JobCommand, Objection, Reopen, Retry
from dispatcher.errors import BadRequest, JobNotFound, VersionMismatch, WrongState
from dispatcher.node.turns.readers import Readers
from dispatcher.node.turns.turns import Turns
from dispatcher.node.waits.waiters import Waiters
from dispatcher.store.port import Store

__all__ = ["JobVerbs"]

#: Jobs of workers with one name that are looked at for those of one of them.
_LOOKED_AT = 100
_LATE = "given a late result, and only those that have one"
_ENDED = "the job is {state}: only {allowed} jobs can be {verb}"
_REOPENED = (
    "the job is {state}, and cannot be in doubt again: for 24 h a person's decision about a doubt can be taken back, "
    "that the job runs again until a page gets it; what a page has recorded never changes"
)
_NEVER = "must be later than the job may start, or it would never start"
_KEY_KEPT = (
    "the job has an idempotency key, which is kept for 24 h after its end, so that the same submission makes no second "
    "job; if that may be, remove it with free_key=1 (pagehand rm --free-key)"
)


class JobVerbs:
    """Reads and commands of one job, and lists of jobs."""

    _clock: Clock
    _store: Store
    _readers: Readers
    _waiters: Waiters
    _turns: Turns

    async def job(self, job_id: str) -> JobView:
        """One job with its attempts and log. Raises JobNotFound."""
        with self._readers:
            job = await self._store.job(job_id)
        if job is None:
            raise JobNotFound.named(job_id)
        return job

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        """How these jobs stand, at most 1,000; one that is not there is left out."""
        with self._readers:
            return await self._store.standing(job_ids)

    async def wait(self, job_id: str, timeout_s: float, *, is_new: bool = False) -> JobView:
        """The job when it is final or in doubt, or as it is after ``timeout_s``. Raises JobNotFound, Unavailable.

        ``is_new``: its turn has just been reported, in this step of the loop. So no other turn has touched it, and its
        state need not be read.
        """
        with self._readers:
            return await self._settled(job_id, timeout_s, is_new=is_new) or await self.job(job_id)

    async def _settled(self, job_id: str, timeout_s: float, *, is_new: bool = False) -> JobView | None:
        """Returns when the job is final or in doubt, or after ``timeout_s``: the job, if its turn has shown it.

        Raises Unavailable.
        """
        waiter = self._waiters.add(job_id, wants_job=True)
        try:
            # Reads the state alone: the whole job may be megabytes, and is read once, at the end.
            state = JobState.QUEUED if is_new else await self._store.state(job_id)
            if state in OPEN and state is not JobState.IN_DOUBT and timeout_s > 0 and not self._readers.closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(timeout_s):
                        await waiter.future
            return waiter.job
        finally:
            self._waiters.remove(waiter)

    async def wait_for(self, job_ids: Sequence[str], *, first: bool, timeout_s: float) -> dict[str, JobStanding]:
        """How these jobs stand when all have settled, or the ``first`` one has, or after ``timeout_s``.

        A job that is not there is left out, and nobody waits for it. Raises Unavailable.
        """
        with self._readers:
            waiter = self._waiters.add(*job_ids, first=first)
            try:
                found = await self._store.standing(job_ids)
                over = [job_id for job_id in job_ids if job_id not in found or found[job_id].is_settled]
                self._waiters.settled(waiter, over)
                enough = bool(over) if first else len(over) == len(job_ids)
                if not enough and timeout_s > 0 and not self._readers.closed:
                    await asyncio.wait([waiter.future], timeout=timeout_s)
                    found = await self._store.standing(job_ids)
            finally:
                self._waiters.remove(waiter)
            return found

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs, newest first. Raises BadRequest for a cursor that is not ours."""
        with self._readers:
            return await self._store.jobs(job_filter)

    async def reach(self, wanted: JobFilter, page: JobPage) -> ListReach:
        """How many jobs the filter finds, if that is counted, and how far back its page has looked. Looks for none."""
        with self._readers:
            return ListReach(
                total=await self._total(wanted, page), looked_back_to=await self._looked_back(wanted, page)
            )

    async def _total(self, wanted: JobFilter, page: JobPage) -> int | None:
        if wanted.cursor is None and page.next_cursor is None:
            return len(page.items)
        if not wanted.is_counted():
            return None
        if wanted.type is None:
            counts = await self._store.counts()
        else:
            counts = next((view.counts for view in await self._store.named_types([wanted.type])), {})
        return sum(counts.get(state, 0) for state in wanted.states or JobState)

    async def _looked_back(self, wanted: JobFilter, page: JobPage) -> float | None:
        if page.next_cursor is None:
            return None
        if len(page.items) == wanted.limit:
            return page.items[-1].created_at
        # The newest one that was not looked at; of others whoever may not know of them is not told.
        behind = await self._store.jobs(JobFilter(cursor=page.next_cursor, owner=wanted.owner, limit=1))
        return behind.items[0].created_at if behind.items else None

    async def recent_of(self, worker: OneWorkerView) -> list[JobView]:
        """The jobs that it has, then those that it had last, the last ones first, as far as they are still here."""
        had = () if worker.diary is None else reversed(worker.diary.jobs)
        ids = tuple(dict.fromkeys((*worker.shown.jobs, *had)))[:MOST_JOBS]
        if not ids:
            return await self._looked_for(worker.shown)
        found = {job.id: job for job in (await self.jobs(JobFilter(ids=ids, limit=len(ids)))).items}
        return [found[job_id] for job_id in ids if job_id in found]

    async def _looked_for(self, worker: WorkerView) -> list[JobView]:
        """The newest jobs of this worker among those of its name: its diary has none, or it has no diary."""
        page = await self.jobs(JobFilter(worker=worker.name, limit=_LOOKED_AT))
        return [job for job in page.items if job.worker == worker.id][:MOST_JOBS]

    def day_of(self, worker: OneWorkerView, recent: Sequence[JobView]) -> list[WorkedQuarter]:
        """What the worker did in the last 24 hours. ``recent``: its jobs."""
        now_at, one = self._clock.utc(), worker.shown
        busy = [
            (job.started_at, job.stopped_at or now_at)
            for job in recent
            if job.worker == one.id and job.started_at is not None
        ]
        return day_of(worker.diary or Diary(at=now_at), now_at, busy, is_here=one.state is not WorkerStatus.GONE)

    async def cancel(self, job_id: str, reason: str, *, actor: Actor = NOBODY_ASKED) -> JobView:
        """The job after it was cancelled. Raises JobNotFound, WrongState, StorageTrouble."""
        return await self._command(Cancel(job_id, reason, actor), "scheduled, queued and running", "cancelled")

    async def retry(self, job_id: str, reason: str = "", *, actor: Actor = NOBODY_ASKED) -> JobView:
        """The job after it was queued again; the audit log keeps the reason.

        Raises JobNotFound, WrongState, StorageTrouble.
        """
        return await self._command(
            Retry(job_id, actor, reason=reason), "failed, cancelled, expired and doubtful", "retried"
        )

    async def decide(self, job_id: str, value: str | None, reason: str, *, actor: Actor = NOBODY_ASKED) -> JobView:
        """The job in doubt after a person has settled it: ``value`` is its result as JSON text, or None if it failed.

        Raises JobNotFound, WrongState, StorageTrouble.
        """
        return await self._command(Decide(job_id, value, reason, actor), "doubtful", "decided")

    async def reopen(self, job_id: str, reason: str, *, actor: Actor = NOBODY_ASKED) -> JobView:
        """The job after a decision about it was taken back: it is in doubt again. Raises JobNotFound, WrongState."""
        return await self._command(Reopen(job_id, reason, actor), refusal=_REOPENED)

    async def adopt(self, job_id: str, *, actor: Actor = NOBODY_ASKED) -> JobView:
        """The failed job after its late answer became its result. Raises JobNotFound, WrongState."""
        return await self._command(Adopt(job_id, actor), "failed", _LATE)

    async def amend(self, command: Amend) -> JobView:
        """The waiting job after it was changed. Raises JobNotFound, WrongState, VersionMismatch, BadRequest."""
        return await self._command(command, "scheduled and queued", "changed")

    async def delete(self, command: Delete) -> None:
        """Returns when the job is gone. Raises JobNotFound, WrongState, VersionMismatch, StorageTrouble."""
        await self._command(command, "succeeded, failed, cancelled and expired", "removed")

    async def _command(self, command: JobCommand, allowed: str = "", verb: str = "", refusal: str = _ENDED) -> JobView:
        """The job as the turn tells it, without data, result, attempts and log: who needs these reads the job."""
        report = await self._turns.command(command)
        if report.job is None:
            await self.job(command.job)
            raise BadRequest("the store cannot hold this text: leave out what is not proper text", semantic=True)
        if report.fault is Objection.NEVER_STARTS:
            raise BadRequest(_NEVER, code="invalid", pointer="/expires_s", semantic=True)
        if report.fault is Objection.MOVED:
            raise VersionMismatch("the job has changed since you read it: read it again, and decide anew")
        if report.fault is Objection.KEY_KEPT:
            raise WrongState(_KEY_KEPT)
        if not report.done:
            raise WrongState(refusal.format(state=report.job.state, allowed=allowed, verb=verb))
        return report.job
