"""Values of jobs, attempts and workers with the fields that a test names, whichever part of the value has them.

The views are made by hand, to test functions of a value alone: the words for people, the JSON of a job.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeVar

from msgspec import Struct

from dispatcher.core.jobs.about import About
from dispatcher.core.jobs.model import AttemptView, JobSpec, JobView, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import SETTLED, JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import TurnReport
from dispatcher.store.applier.hand import Ids

__all__ = ["NOW", "apart", "attempt_view", "finished", "job_view", "numbered", "spec", "worker_view"]

T = TypeVar("T", bound=Struct)
NOW = 1_795_469_045.123


def spec(type: str = "echo", data: str = "1", **fields: Any) -> JobSpec:
    """A job to submit; ``fields`` belong to it or to its terms."""
    terms, others = apart(fields)
    about, others = _told(About, others)
    return JobSpec(type=type, data=data, terms=terms, about=about, **others)


def numbered(first: int = 1) -> Ids:
    """Ids of jobs and attempts that follow one another."""
    jobs, attempts = itertools.count(first), itertools.count(1)
    return Ids(lambda: f"job-{next(jobs)}", lambda: f"{next(attempts):032x}")


def finished(report: TurnReport) -> list[str]:
    """The jobs that this turn has settled, in order."""
    return [change.job for change in report.changes if change.new in SETTLED]


def apart(fields: dict[str, Any]) -> tuple[Terms, dict[str, Any]]:
    """Splits the fields into those of a job's terms and the rest."""
    return _told(Terms, fields)


def _told(kind: type[T], fields: dict[str, Any]) -> tuple[T, dict[str, Any]]:
    told = {name: fields[name] for name in kind.__struct_fields__ if name in fields}
    return kind(**told), {name: value for name, value in fields.items() if name not in told}


def job_view(**changes: Any) -> JobView:
    """A queued job with these changes."""
    terms, changes = apart(changes)
    about, changes = _told(About, changes)
    plain: dict[str, Any] = {
        "id": "j1",
        "about": about,
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


def attempt_view(**changes: Any) -> AttemptView:
    """An attempt that succeeded, with these changes."""
    plain: dict[str, Any] = {
        "number": 1,
        "worker": "w1",
        "worker_name": "DESK",
        "state": "succeeded",
        "offered_at": NOW - 9,
        "started_at": NOW - 8.5,
        "ended_at": NOW,
        "error": None,
    }
    return AttemptView(**(plain | changes))


def worker_view(**changes: Any) -> WorkerView:
    """A connected worker with these changes."""
    plain: dict[str, Any] = {
        "id": "w1",
        "name": "DESK",
        "state": WorkerStatus.CONNECTED,
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
    return WorkerView(**(plain | changes))
