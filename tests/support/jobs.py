"""Values of jobs with the fields that a test names, wherever in them those stand."""

from __future__ import annotations

import itertools
from typing import Any

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import SETTLED
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import TurnReport
from dispatcher.store.hand import Ids

__all__ = ["apart", "finished", "numbered", "spec"]


def spec(type: str = "echo", data: str = "1", **fields: Any) -> JobSpec:
    """A job to submit; ``fields`` are its own or those of its terms."""
    terms, others = apart(fields)
    return JobSpec(type=type, data=data, terms=terms, **others)


def numbered(first: int = 1) -> Ids:
    """Ids of jobs and attempts that follow one another."""
    jobs, attempts = itertools.count(first), itertools.count(1)
    return Ids(lambda: f"job-{next(jobs)}", lambda: f"{next(attempts):032x}")


def finished(report: TurnReport) -> list[str]:
    """The jobs that this turn has settled, in order."""
    return [change.job for change in report.changes if change.new in SETTLED]


def apart(fields: dict[str, Any]) -> tuple[Terms, dict[str, Any]]:
    """What belongs to a job's terms, and the rest."""
    told = {name: fields[name] for name in Terms.__struct_fields__ if name in fields}
    return Terms(**told), {name: value for name, value in fields.items() if name not in told}
