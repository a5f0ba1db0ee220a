"""The form's fields that say which worker a job needs: a worker's name, and labels, one per line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from dispatcher.core.jobs.matching import NAME, Requirement
from dispatcher.core.jobs.terms import (
    LABEL_WORDS,
    MOST_LABELS,
    MOST_VALUES,
    VALUE_WORDS,
    LabelName,
    LabelValue,
    Wanted,
)
from handlers.errors import Invalid, field_error

__all__ = ["LABEL_FIELDS", "typed_of", "wanted_of_form"]

LABEL_FIELDS = ("worker", "labels")

#: Characters that cannot stand in a line.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MANY = f"must be at most {MOST_LABELS}, each with at most {MOST_VALUES} values"


def wanted_of_form(typed: Mapping[str, str]) -> dict[str, list[str]]:
    """What the fields require of a worker; a label on several lines means any of its values. Raises Invalid."""
    name = typed.get("worker", "").strip()
    problems = [] if not name or _is(name, LabelValue) else [field_error("worker", f"must be {VALUE_WORDS}")]
    wanted: dict[str, list[str]] = {NAME: [name]} if name else {}
    for number, line in enumerate(typed.get("labels", "").split("\n"), 1):
        label, colon, value = (part.strip() for part in line.partition(":"))
        if problem := _problem(label, colon, value):
            problems.append(field_error("labels", f"line {number}: {problem}"))
        elif value and value not in wanted.setdefault(label, []):
            wanted[label].append(value)
    if problems or not _is(wanted, Wanted):
        raise Invalid(problems or [field_error("labels", _MANY)])
    return wanted


def _problem(label: str, colon: str, value: str) -> str:
    """What is wrong with a line; an empty line is fine."""
    if not (label or colon):
        return ""
    if not (label and value):
        return "write a label and its value, as in site:berlin"
    if not _is(label, LabelName):
        return f"the name of a label has {LABEL_WORDS}"
    return "" if _is(value, LabelValue) else f"the value of a label has {VALUE_WORDS}"


def _is(value: object, kind: object) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def typed_of(requirement: Requirement) -> dict[str, str]:
    """The text that a person would type for this. A value that no line can hold is marked, and matches no worker."""
    wanted = {label: [_CONTROL.sub("\ufffd", value) for value in values] for label, values in requirement}
    [name] = wanted.pop(NAME) if len(wanted.get(NAME, ())) == 1 else [""]
    return {"worker": name, "labels": "\n".join(f"{label}:{value}" for label in wanted for value in wanted[label])}
