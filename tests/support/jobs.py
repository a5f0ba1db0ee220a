"""Values of jobs with the fields that a test names, wherever in them those stand."""

from __future__ import annotations

from typing import Any

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.terms import Terms

__all__ = ["apart", "spec"]


def spec(type: str = "echo", data: str = "1", **fields: Any) -> JobSpec:
    """A job to submit; ``fields`` are its own or those of its terms."""
    terms, others = apart(fields)
    return JobSpec(type=type, data=data, terms=terms, **others)


def apart(fields: dict[str, Any]) -> tuple[Terms, dict[str, Any]]:
    """What belongs to a job's terms, and the rest."""
    told = {name: fields[name] for name in Terms.__struct_fields__ if name in fields}
    return Terms(**told), {name: value for name, value in fields.items() if name not in told}
