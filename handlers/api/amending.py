"""Bodies that begin with a job that is there: what is changed of it (PATCH), and what a copy has otherwise (duplicate).

Fields, ranges and words are those of a submission. This module knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import asdict

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.about import once_each
from dispatcher.core.jobs.matching import requirement_of, wanted_of
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import Amend
from handlers.errors import Invalid, field_error
from handlers.intake import JobBody, any_object, parse_job

__all__ = ["CHANGEABLE", "LONGEST_REASON", "amend_of", "copy_of"]

LONGEST_REASON = 500

#: The fields of a job that may be changed while it waits.
CHANGEABLE = ("priority", "delay_s", "expires_s", "requires", "tags")
_HOW = f"cannot be changed: only {', '.join(CHANGEABLE)} can, while the job waits"
_MOST_NAMED = 10
_Reason = Annotated[str, Meta(max_length=LONGEST_REASON)]


def amend_of(job_id: str, body: bytes, actor: Actor, if_versions: tuple[str, ...] = ()) -> Amend:
    """The change that the body asks for. Raises BadRequest, Invalid."""
    given = any_object(body)
    reason = _reason(given.pop("reason", Raw(b'""')))
    wrong = [name for name in given if name not in CHANGEABLE]
    if wrong:
        raise Invalid([field_error(name[:100], _HOW) for name in wrong[:_MOST_NAMED]])
    if not given:
        raise Invalid([field_error("", f"must have one of {', '.join(CHANGEABLE)} at least")])
    job = _job_with({"type": Raw(b'"a"')} | given)
    told: dict[str, Any] = {name: getattr(job, name) for name in given}
    if "requires" in told:
        told["requires"] = requirement_of(told["requires"])
    if "tags" in told:
        told["tags"] = once_each(told["tags"])
    if told.get("expires_s") is not None and told["expires_s"] <= told.get("delay_s", 0.0):
        raise Invalid([field_error("expires_s", "must be more than delay_s, or the job would never start")])
    return Amend(job=job_id, actor=actor, if_versions=if_versions, reason=reason, **told)


def _reason(given: Raw) -> str:
    try:
        reason = msgspec.json.decode(given, type=_Reason)
    except msgspec.ValidationError:
        raise Invalid([field_error("reason", f"must be a text of at most {LONGEST_REASON} characters")]) from None
    return reason.replace("\0", "\ufffd")


def copy_of(job: JobView, body: bytes) -> JobBody:
    """A new job with this one's type, data, terms and tags, but for what the body says. Raises BadRequest, Invalid."""
    given = any_object(body or b"{}")
    same: dict[str, Any] = asdict(job.terms) | {"requires": wanted_of(job.terms.requires), "tags": job.about.tags}
    if "data" not in given and "type" not in given:
        same["summary"] = job.about.summary  # of other data it would not be true
    return _job_with({"type": job.type, "data": Raw(job.data.encode())} | same | given)


def _job_with(fields: Mapping[str, object]) -> JobBody:
    return parse_job(msgspec.json.encode(fields))
