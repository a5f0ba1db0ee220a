"""The form by which an operator changes a job that waits. Pure.

It takes what ``PATCH /api/v1/jobs/<id>`` takes. Only the fields in which something else was typed than the page showed
are changed; what nobody touched stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import Amend
from dispatcher.core.jobs.versions import version_of
from dispatcher.errors import PagehandError, VersionMismatch
from handlers.api.amending import LONGEST_REASON, amend_of
from handlers.errors import FieldError, Invalid, field_error, problem_of
from handlers.forms.formdata import number_of
from handlers.forms.formlabels import LABEL_FIELDS, typed_of, wanted_of_form

__all__ = ["CHANGED", "ChangeForm", "change_of", "shown_change"]

#: The fields of the form.
CHANGED = ("priority", "delay_s", "expires_s", *LABEL_FIELDS, "tags")
#: What takes the end of a job away.
NEVER = "never"
_SAME = "Nothing was changed: each field says what the job has already."
_MOVED = "Somebody has changed the job meanwhile. Look at what it has now, and press the button again if you mean it."


class ChangeForm(Struct, frozen=True):
    """What the form shows."""

    #: The version of the job that the page shows.
    version: str
    typed: Mapping[str, str]
    #: By field; the empty name stands for the whole form.
    errors: Mapping[str, str] = {}
    #: The fields and how they are called, in order.
    titles: ClassVar = {
        "priority": "Priority",
        "delay_s": "May start in (seconds)",
        "expires_s": "Expires in (seconds)",
        "worker": "Worker",
        "labels": "Labels",
        "tags": "Tags",
    }


def shown_change(
    job: JobView, typed: Mapping[str, str] | None = None, refused: PagehandError | None = None
) -> ChangeForm:
    """The form with what the job has, or with what was typed and why that was refused."""
    errors: dict[str, str] = {}
    if refused is not None:
        for item in reversed(problem_of(refused).errors):  # the first error of a field is enough
            name = item["pointer"].removeprefix("#").removeprefix("/")
            errors["labels" if name == "requires" else name] = item["detail"]
        if not errors:
            errors[""] = _MOVED if isinstance(refused, VersionMismatch) else refused.detail
    return ChangeForm(version_of(job), _typed_of(job) if typed is None else typed, errors)


def _typed_of(job: JobView) -> dict[str, str]:
    """What the fields show of a job. Of its times they show nothing: these go on while somebody types."""
    told = {"priority": str(job.terms.priority), "delay_s": "", "expires_s": "", "tags": "\n".join(job.about.tags)}
    told["reason"] = ""
    return told | typed_of(job.terms.requires)


def change_of(job: JobView, typed: Mapping[str, str], version: str, actor: Actor) -> Amend:
    """The change that was typed, for the job in this version alone, and why (``reason``). Raises Invalid."""
    if version != version_of(job):
        # What was touched cannot be told any more. The turn refuses it, and knows why.
        return Amend(job=job.id, actor=actor, if_versions=(version,))
    before = _typed_of(job)
    touched = {name for name in CHANGED if typed[name].strip() != before[name]}
    fields: dict[str, object] = {}
    errors: list[FieldError] = []
    for name in ("priority", "delay_s", "expires_s"):
        if name in touched:
            text = typed[name].strip()
            fields[name] = None if name == "expires_s" and text.lower() == NEVER else number_of(text)
    if "tags" in touched:
        fields["tags"] = [tag for line in typed["tags"].split("\n") if (tag := line.strip())]
    if touched.intersection(LABEL_FIELDS):
        try:
            fields["requires"] = wanted_of_form(typed)
        except Invalid as invalid:
            errors += invalid.errors
    reason = " ".join(typed["reason"].split())[:LONGEST_REASON]
    return _checked(job.id, fields, reason, errors, actor, version)


def _checked(
    job_id: str, fields: dict[str, object], reason: str, errors: list[FieldError], actor: Actor, version: str
) -> Amend:
    """Raises Invalid with everything that is wrong."""
    try:
        if not fields and not errors:
            raise Invalid([field_error("", _SAME)])
        body = msgspec.json.encode(fields | {"reason": reason})
        amend = amend_of(job_id, body, actor, (version,)) if fields else None
    except Invalid as invalid:
        errors += invalid.errors
    if errors or amend is None:
        raise Invalid(errors)
    return amend
