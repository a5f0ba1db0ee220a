"""The form in which an administrator says how a worker is called, what is known of it, and which labels it has. Pure.

What is left empty is taken back: then what the page says itself stands again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from dispatcher.core.jobs.acts.kept import KeptWorker
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.terms import LABEL_WORDS, MOST_LABELS, LabelName
from handlers.api.workers import WorkerBody
from handlers.errors import Invalid, field_error
from handlers.forms.formlabels import wanted_of_form

__all__ = ["DESCRIBED", "Described", "described", "labelled", "typed_of_labels", "typed_of_worker"]

#: The fields of the form.
DESCRIBED = ("name", "note", "labels")
_NO_NAME = "has no label `name`: the name is a field of its own, and for one worker alone"


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
    labels |= _given(typed["labels"])
    body = {"reason": reason, "name": name or None, "note": note or None, "labels": labels}
    try:
        checked = msgspec.convert(body, WorkerBody)
    except msgspec.ValidationError as error:
        raise Invalid([field_error("", str(error))]) from None
    return Described(name, note, labels, msgspec.json.encode(checked).decode())


def _given(text: str) -> dict[str, str]:
    """The labels of these lines, each with its value. Raises Invalid."""
    found: dict[str, str] = {}
    for label, values in wanted_of_form({"labels": text}).items():
        if label == NAME:
            raise Invalid([field_error("labels", _NO_NAME)])
        if len(values) > 1:
            raise Invalid([field_error("labels", f"a worker has one {label}: leave all lines of it away but one")])
        found[label] = values[0]
    return found


def labelled(given: str, taken_back: str) -> tuple[tuple[str, str | None], ...]:
    """The labels that many workers get, and those that are taken back: lines of a form. Raises Invalid."""
    labels: dict[str, str | None] = {}
    for label in filter(None, (line.strip() for line in taken_back.split("\n"))):
        try:
            labels[msgspec.convert(label, LabelName)] = None
        except msgspec.ValidationError:
            raise Invalid([field_error("unset", f"the name of a label has {LABEL_WORDS}")]) from None
    found = _given(given)
    if twice := sorted(labels.keys() & found.keys()):
        raise Invalid([field_error("unset", f"{twice[0]} cannot be set and taken back at once")])
    if not labels and not found:
        raise Invalid([field_error("labels", "say which: a label to set, or one to take back")])
    if len(labels | found) > MOST_LABELS:
        raise Invalid([field_error("labels", f"must be at most {MOST_LABELS}")])
    return tuple((labels | found).items())


def typed_of_labels(labels: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """What the fields of the order for many show."""
    said = list(labels)
    given = [f"{label}:{value}" for label, value in said if value is not None]
    return {"labels": "\n".join(given), "unset": "\n".join(label for label, value in said if value is None)}
