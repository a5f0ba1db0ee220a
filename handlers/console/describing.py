"""The form in which an administrator says how a worker is called, what is known of it, and which labels it has. Pure.

What is left empty is taken back: then what the page says itself stands again.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from dispatcher.core.jobs.acts.kept import KeptWorker
from dispatcher.core.jobs.matching import NAME
from handlers.api.workers import WorkerBody
from handlers.errors import Invalid, field_error
from handlers.forms.formlabels import wanted_of_form

__all__ = ["DESCRIBED", "Described", "described", "typed_of_worker"]

#: The fields of the form.
DESCRIBED = ("name", "note", "labels")


class Described(Struct, frozen=True):
    """What is to be kept of a worker; empty texts are taken back."""

    name: str
    note: str
    #: None takes a label back.
    labels: dict[str, str | None]
    #: The same as JSON, for the audit log.
    wanted: str


def typed_of_worker(kept: KeptWorker | None) -> dict[str, str]:
    """What the form shows of what was said before."""
    if kept is None:
        return dict.fromkeys(DESCRIBED, "")
    lines = [f"{label}:{value}" for label, value in kept.labels]
    return {"name": kept.name, "note": kept.note, "labels": "\n".join(lines)}


def described(typed: Mapping[str, str], kept: KeptWorker | None, reason: str = "") -> Described:
    """What was typed, checked. ``kept``: labels that were said before and are typed no more are taken back.

    Raises Invalid.
    """
    name, note = typed["name"].strip(), typed["note"].replace("\r\n", "\n").replace("\0", "\ufffd").strip()
    labels: dict[str, str | None] = {label: None for label, _ in (() if kept is None else kept.labels)}
    for label, values in wanted_of_form({"labels": typed["labels"]}).items():
        if label == NAME:
            raise Invalid([field_error("labels", "has no label `name`: the name is a field of its own")])
        if len(values) > 1:
            raise Invalid([field_error("labels", f"a worker has one {label}: leave all lines of it away but one")])
        labels[label] = values[0]
    body = {"reason": reason, "name": name or None, "note": note or None, "labels": labels}
    try:
        checked = msgspec.convert(body, WorkerBody)
    except msgspec.ValidationError as error:
        raise Invalid([field_error("", str(error))]) from None
    return Described(name, note, labels, msgspec.json.encode(checked).decode())
