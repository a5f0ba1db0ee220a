"""A job, a worker and a type as JSON, as the API shows them.

``data``, ``result`` and ``error`` are inserted as the text that came, never decoded and encoded again. Instants
are RFC 3339 in UTC with milliseconds. docs/api.md has the field names; clients must ignore fields that they do
not know. This module knows no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote, urlencode

from msgspec import Raw
from msgspec.structs import asdict

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.diaries import WorkedQuarter
from dispatcher.core.jobs.matching import Requirement, wanted_of
from dispatcher.core.jobs.model import AttemptView, JobView, LogLine, OneWorkerView, TypeView, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.views.deployed import Deployed, WithheldTask, changed_at
from dispatcher.core.jobs.views.unloaded import Unloaded
from handlers.console.deploying import deployed_words, withheld_words

__all__ = [
    "JOB_FIELDS",
    "LINE_FIELDS",
    "ONLY_OF_ONE",
    "Json",
    "WhyItWaits",
    "chosen_of",
    "instant",
    "job_json",
    "job_line",
    "job_lines",
    "once_a_lane",
    "one_worker_json",
    "type_json",
    "worker_json",
]

Json = dict[str, object]
#: The fields of a job in a list.
LINE_FIELDS = (
    "id", "type", "state", "reason", "detail", *Terms.__struct_fields__, "summary", "tags", "owner", "traceparent",
    "number", "errors", "crashes", "progress", "error", "worker", "worker_name", "created_at", "run_at",
    "expires_at", "offered_at", "started_at", "ended_at", "stopped_at", "ready_at", "waits", "waiting", "batch",
    "links",
)  # fmt: skip
#: Those that the answer for one job has, too; and all of its fields.
ONLY_OF_ONE = ("data", "result", "evidence", "attempts", "callback_url", "doubt_url", "operations", "log")
JOB_FIELDS = LINE_FIELDS + ONLY_OF_ONE


class WhyItWaits(Protocol):
    """Why a job waits: words for people, counts for programs."""

    @property
    def words(self) -> str: ...
    @property
    def waiting(self) -> object: ...


#: Tells why a job waits; None if it does not.
Asked = Callable[[JobView], WhyItWaits | None]


def instant(at: float | None) -> str | None:
    """UTC seconds as RFC 3339 text: ``2026-11-23T21:04:05.123Z``."""
    return None if at is None else _instant(at)


@lru_cache(maxsize=256)
def _instant(at: float) -> str:
    """What one turn has done bears the same instant: that of a batch is written once."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def raw(text: str | None) -> Raw | None:
    """JSON text as it is."""
    return None if text is None else Raw(text)


def job_line(job: JobView, why: WhyItWaits | None) -> Json:
    """A job as a list shows it: without its data, result, attempts and log."""
    return {
        "id": job.id,
        "type": job.type,
        "state": job.state.value,
        "reason": job.reason,
        "detail": job.detail,
        **_terms(job.terms),
        "summary": job.about.summary,
        "tags": job.about.tags,
        "owner": job.about.owner,
        "traceparent": job.about.traceparent,
        "number": job.number,
        "errors": job.errors,
        "crashes": job.crashes,
        "progress": _progress(job),
        "error": raw(job.error),
        "worker": job.worker,
        "worker_name": job.worker_name,
        "created_at": instant(job.created_at),
        "run_at": instant(job.run_at),
        "expires_at": instant(job.expires_at),
        "offered_at": instant(job.offered_at),
        "started_at": instant(job.started_at),
        "ended_at": instant(job.ended_at),
        "stopped_at": instant(job.stopped_at),
        "ready_at": instant(job.ready_at),
        "waits": None if why is None else why.words,
        "waiting": None if why is None else why.waiting,
        "batch": job.batch,
        "links": links(job.id),
    }


@lru_cache(maxsize=256)
def _terms(terms: Terms) -> Json:
    """Most jobs have the terms of many others. To be read only."""
    return asdict(terms) | {"requires": wanted_of(terms.requires)}


def chosen_of(document: Json, fields: Sequence[str]) -> Json:
    """These fields of it; without any, all."""
    return {name: document[name] for name in fields} if fields else document


def job_lines(jobs: Iterable[JobView], asked: Asked, *, snippets: bool = False) -> list[Json]:
    """Jobs as a list shows them; if it is asked for, with where they have what is searched."""
    why = once_a_lane(asked)
    lines = ((job, job_line(job, why(job))) for job in jobs)
    return [line | {"snippets": list(map(asdict, job.snippets))} if snippets else line for job, line in lines]


def once_a_lane(asked: Asked) -> Asked:
    """Asks only once per lane in each list: all queued jobs of a lane wait for the same reason."""
    known: dict[tuple[str, Requirement], WhyItWaits | None] = {}

    def why(job: JobView) -> WhyItWaits | None:
        if job.state is not JobState.QUEUED:
            return asked(job)
        lane = job.type, job.terms.requires
        if lane not in known:
            known[lane] = asked(job)
        return known[lane]

    return why


def job_json(job: JobView, why: WhyItWaits | None, doubt_url: str | None = None) -> Json:
    """A job with everything known about it. ``doubt_url``: where people look whether it was done."""
    return job_line(job, why) | {
        "data": raw(job.data),
        "result": raw(job.result),
        "evidence": raw(job.evidence),
        "callback_url": job.about.callback_url,
        "doubt_url": doubt_url,
        "operations": job.about.operations,
        "attempts": [_attempt(attempt) for attempt in job.attempts],
        "log": [_log_line(line) for line in job.log],
    }


def _log_line(line: LogLine) -> Json:
    return {"line_no": line.line_no, "at": instant(line.at), "line": line.line, "number": line.number}


def links(job_id: str) -> Json:
    """The links of a job."""
    api = f"/api/v1/jobs/{job_id}"
    return {
        "self": api,
        "result": f"{api}/result",
        "log": f"{api}/log",
        "cancel": f"{api}/cancel",
        "retry": f"{api}/retry",
        "decide": f"{api}/decide",
        "adopt": f"{api}/adopt",
        "duplicate": f"{api}/duplicate",
        "html": f"/jobs/{job_id}",
    }


def _progress(job: JobView) -> Json | None:
    if job.percent is None and job.note is None:
        return None
    return {"percent": job.percent, "note": job.note}


def _attempt(attempt: AttemptView) -> Json:
    return {
        "number": attempt.number,
        "worker": attempt.worker,
        "worker_name": attempt.worker_name,
        "state": attempt.state,
        "offered_at": instant(attempt.offered_at),
        "started_at": instant(attempt.started_at),
        "ended_at": instant(attempt.ended_at),
        "late_at": instant(attempt.late_at),
        "node": attempt.node or None,
        "task_version": attempt.task_version,
        "error": raw(attempt.error),
    }


def worker_json(worker: WorkerView) -> Json:
    """A page that this server knows."""
    return {
        "id": worker.id,
        "name": worker.name,
        "state": worker.state,
        "paused": worker.paused,
        "types": worker.types,
        "labels": worker.labels,
        "slots": worker.slots,
        "jobs": worker.jobs,
        "hanging": worker.hanging,
        "unloaded": dict(worker.unloaded),
        "done": worker.done,
        "failed": worker.failed,
        "connected_s": round(worker.connected_s, 3),
        "last_contact_s": None if worker.last_contact_s is None else round(worker.last_contact_s, 3),
        "page": worker.page,
        "remote": worker.remote,
        "transport": worker.transport or None,
        "node": worker.node or None,
        "gone_at": instant(worker.gone_at),
        "held": _hold_json(worker.held),
        "blocked": _hold_json(worker.blocked),
        "versions": worker.versions,
    }


def one_worker_json(worker: OneWorkerView, recent: list[Json], day: Iterable[WorkedQuarter]) -> Json:
    """The same with what only the answer for one worker has. ``recent``: its last jobs; ``day``: its last 24 hours."""
    kept, joined, own = worker.kept, worker.joined, f"/api/v1/workers/{quote(worker.shown.key, safe=':')}"
    orders = ("pause", "resume", "drain", "reload", "block", "unblock", "forget")
    return worker_json(worker.shown) | {
        "note": "" if kept is None else kept.note,
        "operator": {
            "name": (kept.name if kept is not None else "") or None,
            "labels": {} if kept is None else dict(kept.labels),
        },
        "page_name": worker.name,
        "page_labels": worker.labels,
        "page_paused": worker.paused,
        "joined": joined and {"token": joined.token_id, "at": instant(joined.at)},
        "connections": worker.connections,
        "lately": [{"event": event, "ago_s": round(ago_s, 3)} for event, ago_s in worker.lately],
        "reloads": worker.reloads,
        "hidden_s": None if worker.hidden_s is None else round(worker.hidden_s, 3),
        "slow_timers": worker.late,
        "stood_still": worker.stood and {"for_s": round(worker.stood[0], 3), "ago_s": round(worker.stood[1], 3)},
        "recent": recent,
        "day": [{"at": instant(one.at), "state": one.state, "tries": one.tries} for one in day],
        "links": {"self": own, **{order: f"{own}/{order}" for order in orders}, "jobs": _jobs_of(worker.shown.name)},
    }


def _jobs_of(name: str) -> str:
    return f"/api/v1/jobs?{urlencode({'worker': name})}"


def _hold_json(hold: Hold | None) -> Json | None:
    if hold is None:
        return None
    return {"at": instant(hold.at), "by": hold.by, "reason": hold.reason, "leaves": hold.leaves}


def type_json(view: TypeView) -> Json:
    """A type that some job, worker or shipped task has named."""
    return {
        "type": view.type,
        "offered_at": instant(view.offered_at),
        "workers": view.workers,
        "counts": view.counts,
        "paused": _hold_of_type(view.paused),
        "defaults": view.defaults.given(),
        "unloaded": None if view.unloaded is None else _unloaded_json(view.unloaded),
    }


def _unloaded_json(one: Unloaded) -> Json:
    """A task that connected pages could not load."""
    whys = [
        {"why": why.why, "pages": why.pages, "workers": [{"id": each, "name": name} for each, name in why.workers]}
        for why in one.whys
    ]
    return {"pages": one.pages, "of": one.of, "sentence": one.sentence(), "whys": whys}


def one_type_json(view: TypeView, deployed: Deployed) -> Json:
    """The same with what only the answer for one type has. ``deployed``: of the task of this name."""
    own = f"/api/v1/types/{view.type}"
    links = {"self": own, "pause": f"{own}/pause", "resume": f"{own}/resume", "jobs": f"/api/v1/jobs?type={view.type}"}
    return type_json(view) | {"deployed": deployed_json(deployed), "links": links}


def deployed_json(one: Deployed) -> Json:
    """Which versions of a task the connected pages have."""
    return {
        "type": one.type,
        "version": one.version,
        "changed_at": instant(None if one.version is None else changed_at(one.version)),
        "withheld": one.withheld,
        "pages": one.pages,
        "old": one.old,
        "silent": one.silent,
        "versions": [asdict(version) | {"changed_at": instant(version.changed_at)} for version in one.versions],
        "sentence": deployed_words(one),
    }


def withheld_json(one: WithheldTask) -> Json:
    """A task whose file is withheld. ``changed_at``: when the version was changed that is offered in its place."""
    failed_at = instant(changed_at(one.failed))
    return asdict(one) | {
        "changed_at": instant(changed_at(one.version)), "failed_changed_at": failed_at, "sentence": withheld_words(one),
    }  # fmt: skip


def _hold_of_type(hold: Hold | None) -> Json | None:
    return None if hold is None else {"at": instant(hold.at), "by": hold.by, "reason": hold.reason}
