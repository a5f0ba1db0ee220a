"""How databases keep rows of jobs and attempts: their columns, and rows as they are read. It knows no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from dispatcher.core.jobs.about import NOTHING_SAID, About
from dispatcher.core.jobs.rows import AttemptRow, JobRow
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, LiveAttempt

__all__ = [
    "ATTEMPT_COLUMNS",
    "CHANGING",
    "CLAIMED",
    "DONE",
    "JOB_COLUMNS",
    "STATES",
    "about_text",
    "attempt_row",
    "job_row",
    "live_attempt",
    "terms_of",
    "terms_text",
]

JOB_COLUMNS = JobRow.__struct_fields__
ATTEMPT_COLUMNS = AttemptRow.__struct_fields__
#: Columns of a job that change in its life: all before its id, and its expiry, which a retry takes away.
CHANGING = (*JOB_COLUMNS[1 : JOB_COLUMNS.index("id")], "expires_at")
#: The columns that a claim changes: to write them is less than half the work of writing all (docs/design.md).
CLAIMED = ("state", "attempt", "claims", "offered_at", "started_at")
#: The columns that change when a running job succeeds: most writes of a busy server are of this kind.
DONE = (
    "state", "rank", "number", "reason", "detail", "percent", "note", "worker", "worker_name", "started_at",
    "ended_at", "ended_clock",
)  # fmt: skip

STATES = {str(state): state for state in JobState}
_CAUSES: dict[str | None, Cause | None] = {None: None} | {str(cause): cause for cause in Cause}
_CAUSE = ATTEMPT_COLUMNS.index("cause")
_TERMS, _ABOUT = JOB_COLUMNS.index("terms"), JOB_COLUMNS.index("about")
_json = msgspec.json.Encoder()
_terms = msgspec.json.Decoder(Terms)
_about = msgspec.json.Decoder(About)


@lru_cache(maxsize=4_096)
def terms_text(terms: Terms) -> str:
    """A job's terms as they are stored. Many jobs share the same terms."""
    return _json.encode(terms).decode()


@lru_cache(maxsize=4_096)
def terms_of(text: str) -> Terms:
    """The terms that a row holds; a field that it does not name has its default."""
    return _terms.decode(text)


def about_text(about: About) -> str | None:
    """What a job carries for people, as it is stored; None: nothing was said."""
    return None if about == NOTHING_SAID else _json.encode(about).decode()


def job_row(row: Sequence[Any]) -> JobRow:
    """A row of ``JOB_COLUMNS`` as a JobRow."""
    made = JobRow(*row)
    made.state, made.terms = STATES[row[1]], terms_of(row[_TERMS])
    made.about = NOTHING_SAID if row[_ABOUT] is None else _about.decode(row[_ABOUT])
    return made


def attempt_row(row: Sequence[Any]) -> AttemptRow:
    """A row of ``ATTEMPT_COLUMNS`` as an AttemptRow."""
    made = AttemptRow(*row)
    made.cause = _CAUSES[row[_CAUSE]]
    return made


def live_attempt(row: Sequence[Any]) -> LiveAttempt:
    """A row of a running job with its attempt, as each store's statement for ``live_attempts`` has it."""
    attempt, job, type_name, number, started_at, terms, errors, crashes, worker, boot = row
    return LiveAttempt(
        attempt=attempt, job=job, type=type_name, number=number, started_at=started_at, terms=terms_of(terms),
        errors=errors, crashes=crashes, worker=worker, boot=boot,
    )  # fmt: skip
