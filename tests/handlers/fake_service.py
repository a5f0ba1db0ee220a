"""A service in memory: as much of the real one as the handlers can see."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from dispatcher.core.jobs.model import (
    AttemptView,
    JobFilter,
    JobPage,
    JobSpec,
    JobView,
    TypeFilter,
    TypePage,
    TypeView,
    WorkerFilter,
    WorkerPage,
    WorkerView,
)
from dispatcher.core.jobs.states import FINAL, Event, JobState, next_state
from dispatcher.core.jobs.turn import Accepted
from dispatcher.errors import BadRequest, JobNotFound, KeyConflict, PagehandError, WrongState
from tests.support.jobs import apart

T = TypeVar("T")

NOW = 1_795_469_045.123


def job_view(**changes: Any) -> JobView:
    """A queued job; ``changes`` say what is different."""
    terms, changes = apart(changes)
    plain: dict[str, Any] = {
        "id": "j1",
        "type": "print-label",
        "data": '{"order": 7}',
        "state": JobState.QUEUED,
        "reason": None,
        "detail": None,
        "terms": terms,
        "number": 0,
        "errors": 0,
        "crashes": 0,
        "key": None,
        "percent": None,
        "note": None,
        "result": None,
        "error": None,
        "worker": None,
        "worker_name": None,
        "created_at": NOW - 12,
        "run_at": None,
        "expires_at": None,
        "offered_at": None,
        "started_at": None,
        "ended_at": None,
    }
    return JobView(**(plain | changes))


def ended_attempt(state: str, ended_at: float) -> AttemptView:
    """An attempt that ended so."""
    return AttemptView(
        number=1, worker="w1", worker_name="Anna", state=state, offered_at=ended_at - 2.0, started_at=ended_at - 1.0,
        ended_at=ended_at, error=None,
    )  # fmt: skip


def _slice(fitting: list[T], wanted: JobFilter | TypeFilter | WorkerFilter) -> tuple[list[T], str | None]:
    """A page of a list, and the cursor of the next."""
    if wanted.cursor is not None and not wanted.cursor.isdigit():
        raise BadRequest("This cursor is not ours.", code="bad_parameter")
    start = int(wanted.cursor or 0)
    end = start + wanted.limit
    return fitting[start:end], str(end) if end < len(fitting) else None


class FakeService:
    """Keeps jobs in a dict. ``fails`` is raised by every call that changes something."""

    def __init__(self) -> None:
        self.draining = False
        self.is_ready = True
        self.room = True
        self.fails: PagehandError | None = None
        self.all: dict[str, JobView] = {}
        self.specs: list[JobSpec] = []
        self.keys: dict[str, tuple[str, str]] = {}
        self.type_views: list[TypeView] = []
        self.worker_views: list[WorkerView] = []
        self.waits: dict[str, str] = {}
        self.asked_why: list[str] = []
        self.asked_workers: list[WorkerFilter] = []
        self.asked_types: list[TypeFilter] = []
        self.waited: list[float] = []
        self.changed = asyncio.Event()
        self.waiting = asyncio.Event()
        self.cancelled_waits = 0
        self._ids = (f"job-{n}" for n in itertools.count(1))

    def put(self, job: JobView) -> JobView:
        self.all[job.id] = job
        self.changed.set()
        return job

    def ready(self) -> bool:
        return self.is_ready

    async def submit(self, spec: JobSpec) -> Accepted:
        self._fail()
        if spec.key is not None and spec.key in self.keys:
            job_id, fingerprint = self.keys[spec.key]
            if fingerprint != spec.fingerprint:
                raise KeyConflict("This key was used before with another body.")
            return Accepted(self.all[job_id], replayed=True)
        self.specs.append(spec)
        fields = {name: getattr(spec, name) for name in ("type", "data", "terms", "key")}
        job = self.put(job_view(id=next(self._ids), created_at=NOW, **fields))
        if spec.key is not None:
            self.keys[spec.key] = (job.id, spec.fingerprint)
        return Accepted(job)

    async def submit_batch(self, specs: Sequence[JobSpec]) -> list[Accepted]:
        return [await self.submit(spec) for spec in specs]

    async def job(self, job_id: str) -> JobView:
        if job_id not in self.all:
            raise JobNotFound("No job has this id.")
        return self.all[job_id]

    async def wait(self, job_id: str, timeout_s: float) -> JobView:
        self.waited.append(timeout_s)
        try:
            while (await self.job(job_id)).state not in FINAL:
                self.changed.clear()
                self.waiting.set()
                await asyncio.wait_for(self.changed.wait(), timeout_s)
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self.cancelled_waits += 1
            self.changed.set()
            raise
        return await self.job(job_id)

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        fitting = [
            job
            for job in reversed(self.all.values())
            if job_filter.state in (None, job.state) and job_filter.type in (None, job.type)
        ]
        found, cursor = _slice(fitting, job_filter)
        items = [msgspec.structs.replace(job, data="null", result=None, attempts=[], log=[]) for job in found]
        return JobPage(items=items, next_cursor=cursor)

    async def cancel(self, job_id: str, reason: str) -> JobView:
        job = await self.job(job_id)
        attempts = job.attempts
        if job.state is JobState.RUNNING:
            attempts = [*attempts, ended_attempt("cancelled", NOW)]
        changes = {"reason": "cancelled", "detail": reason or None, "ended_at": NOW, "attempts": attempts}
        return await self._act(job_id, Event.CANCEL, **changes)

    async def retry(self, job_id: str) -> JobView:
        return await self._act(job_id, Event.RETRY, reason=None, detail=None)

    async def decide(self, job_id: str, value: str | None, reason: str) -> JobView:
        if (await self.job(job_id)).state is not JobState.IN_DOUBT:
            raise WrongState("The job is not in doubt.")
        event = Event.FAIL if value is None else Event.SUCCEED
        return await self._act(job_id, event, reason="decided", detail=reason, result=value)

    async def adopt(self, job_id: str) -> JobView:
        job = await self.job(job_id)
        if job.evidence is None:
            raise WrongState("The job has no late answer.")
        return await self._act(job_id, Event.ADOPT, reason="adopted", detail=None, result=job.evidence, evidence=None)

    async def _act(self, job_id: str, event: Event, **changes: Any) -> JobView:
        self._fail()
        job = await self.job(job_id)
        state = next_state(job.state, event)
        if state is None:
            raise WrongState(f"The job is {job.state}.")
        return self.put(msgspec.structs.replace(job, state=state, **changes))

    async def types(self, wanted: TypeFilter) -> TypePage:
        self.asked_types.append(wanted)
        fitting = [view for view in self.type_views if view.type.startswith(wanted.prefix)]
        items, cursor = _slice(fitting, wanted)
        return TypePage(items=items, next_cursor=cursor)

    async def unserved_types(self, most: int) -> list[TypeView]:
        return [view for view in self.type_views if view.counts.get("queued") and not view.workers][:most]

    async def counts(self) -> dict[str, int]:
        return {state.value: sum(job.state is state for job in self.all.values()) for state in JobState}

    def workers(self, wanted: WorkerFilter) -> WorkerPage:
        self.asked_workers.append(wanted)
        fitting = [
            view
            for view in self.worker_views
            if view.name.startswith(wanted.name)
            and (not wanted.type or wanted.type in view.types)
            and wanted.state in ("", view.state)
        ]
        items, cursor = _slice(fitting, wanted)
        return WorkerPage(items=items, next_cursor=cursor)

    def worker_counts(self) -> dict[str, int]:
        return dict(Counter(view.state for view in self.worker_views))

    def why_waits(self, job: JobView) -> str | None:
        self.asked_why.append(job.id)
        return self.waits.get(job.id)

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails
