"""A service with something of everything that the pages show."""

from __future__ import annotations

import json

from dispatcher.core.jobs.model import AttemptView, JobView, LogLine, TypeView, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import JobState
from tests.handlers.fake_service import NOW, FakeService, job_view

__all__ = ["PICTURE", "TASKS", "rich_service"]

#: A picture of 24 x 16 pixels: a red and a blue half.
PICTURE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAAH0lEQVR42mO4oKBAECk4XCCIGEYNGjVo1KBRgygzCA"
    "AOOLAQB3488AAAAABJRU5ErkJggg=="
)

TASKS = {
    "thumbnail": '// pagehand: {"quick": true, "title": "Makes a picture smaller", "example": {"width": 120}}\n',
    "print-label": '// pagehand: {"title": "Prints a label", "example": {"order": 7, "copies": 1}}\n',
    "plain": "Pagehand.task('plain', function () {});\n",
}

STACK = "TypeError: x is undefined\n    at printLabel (/tasks/print-label.js:31:9)\n    at run (worker.js:402:11)"
ERROR = json.dumps({"message": "TypeError: x is undefined", "stack": STACK, "code": "task_error"})


def attempt(number: int | None, state: str, start_s: float, **changes: object) -> AttemptView:
    plain: dict[str, object] = {
        "number": number,
        "worker": "w-7f3a",
        "worker_name": "FRONT-DESK-07",
        "state": state,
        "offered_at": NOW - start_s,
        "started_at": NOW - start_s + 0.04,
        "ended_at": NOW - start_s + 2.5,
        "error": None,
    }
    return AttemptView(**(plain | changes))  # type: ignore[arg-type]


RAN = {
    "worker": "w-7f3a",
    "worker_name": "FRONT-DESK-07",
    "number": 1,
    "offered_at": NOW - 9,
    "started_at": NOW - 8.96,
}
OFFERED = {"worker": "w-7f3a", "worker_name": "FRONT-DESK-07", "offered_at": NOW - 0.4}
LOG = [LogLine(at=NOW - 8 + n / 3, line=f"page {n} of 5 sent to the printer") for n in range(1, 6)]
BIG = json.dumps({"rows": [{"id": n, "text": "Ärger & <b>Freude</b>"} for n in range(400)]}, ensure_ascii=False)


def ended_jobs() -> list[JobView]:
    failed = [
        attempt(1, "error", 40, error=ERROR),
        attempt(None, "lapsed", 30, started_at=None),
        attempt(2, "timed_out", 20),
        attempt(3, "error", 9, error=ERROR, worker_name="BACK-OFFICE-02"),
    ]
    failure = RAN | {"number": 3, "errors": 3, "reason": "error", "error": ERROR, "attempts": failed, "log": LOG}
    pictures = {"data": json.dumps({"image": PICTURE, "width": 120}), "result": json.dumps({"image": PICTURE})}
    success = RAN | pictures | {"attempts": [attempt(1, "succeeded", 9)], "key": "form-0123456789abcdef"}
    return [
        job_view(id="expired-1", state=JobState.EXPIRED, expires_at=NOW - 5, ended_at=NOW - 5),
        job_view(id="cancelled-1", state=JobState.CANCELLED, detail="wrong printer", ended_at=NOW - 2),
        job_view(id="failed-1", state=JobState.FAILED, ended_at=NOW - 6.5, **failure),
        job_view(id="big-1", state=JobState.SUCCEEDED, data=BIG, result=BIG, ended_at=NOW - 1, **RAN),
        job_view(id="done-1", type="thumbnail", state=JobState.SUCCEEDED, ended_at=NOW - 8.4, **success),
    ]


def open_jobs() -> list[JobView]:
    running = RAN | {"percent": 42.0, "note": "rendering page 2 of 5", "log": LOG}
    backoff = {"number": 1, "errors": 1, "error": ERROR, "attempts": [attempt(1, "error", 9, error=ERROR)]}
    return [
        job_view(id="doubt-1", state=JobState.IN_DOUBT, reason="lost", **RAN),
        job_view(id="running-1", state=JobState.RUNNING, attempts=[attempt(1, "running", 9, ended_at=None)], **running),
        job_view(id="offered-1", state=JobState.RUNNING, **OFFERED),
        job_view(id="scheduled-1", state=JobState.SCHEDULED, run_at=NOW + 95, **backoff),
        job_view(id="0199c3a1-7d52-7c3e-9a41-5be0c0ffee01", priority=10),
    ]


def rich_service() -> FakeService:
    """Ten jobs in all states, three workers, four types."""
    service = FakeService()
    for job in [*ended_jobs(), *open_jobs()]:
        service.put(job)
    service.waits = {
        "0199c3a1-7d52-7c3e-9a41-5be0c0ffee01": "no connected worker offers print-label",
        "scheduled-1": "it is tried again at 2026-11-23 21:05:40 UTC, as try 2",
    }
    service.type_views = [
        TypeView(type="host-call", offered_at=None, counts={}),
        TypeView(type="ocr", offered_at=None, counts={"queued": 34}),
        TypeView(type="print-label", offered_at=NOW - 86_000, counts={"queued": 1, "failed": 1, "running": 2}),
        TypeView(type="thumbnail", offered_at=NOW - 9_000, counts={"succeeded": 1204}, workers=2),
    ]
    agent = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko"
    page = {"document mode": "11", "user agent": agent}
    service.worker_views = [
        worker("w-7f3a", "FRONT-DESK-07", "connected", jobs=["running-1"], page=page),
        worker("w-0b11", "BACK-OFFICE-02", "quiet", last_contact_s=64.0, slots=4),
        worker("w-55e0", "KIOSK", "connected", paused=True, page={"document mode": "5"}),
    ]
    return service


def worker(worker_id: str, name: str, state: str, **changes: object) -> WorkerView:
    plain: dict[str, object] = {
        "id": worker_id,
        "name": name,
        "state": WorkerStatus(state),
        "paused": False,
        "types": ["thumbnail", "print-label"],
        "slots": 1,
        "jobs": [],
        "done": 1204,
        "failed": 3,
        "connected_s": 11_530.2,
        "last_contact_s": 2.4,
        "page": {},
        "remote": "10.1.7.23",
    }
    return WorkerView(**(plain | changes))  # type: ignore[arg-type]
