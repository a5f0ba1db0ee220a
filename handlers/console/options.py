"""The terms and times of a job as people see them: fields of the form, filled in from an earlier job, and rows of a
job's page. Pure.

It names none of them, as far as that goes: a new field of ``Terms`` with a title stands in all three places.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import asdict

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.terms import Schedule, Terms, range_of
from handlers.console.words import duration
from handlers.forms.formdata import OPTIONS

__all__ = ["Option", "options", "shown_options", "typed_options"]

_NONE = "none"


class Option(NamedTuple):
    """A field of the form: a number, or one of ``choices``."""

    name: str
    title: str
    label: str
    default: str
    choices: tuple[str, ...]
    note: str


def options(terms: Terms) -> list[Option]:
    """The form's fields; ``terms`` has the server's defaults."""
    defaults = asdict(Schedule()) | asdict(terms)
    return [_option(name, _typed(defaults[name]) or _NONE) for name in OPTIONS]


def _option(name: str, default: str) -> Option:
    allowed = range_of(name)
    extent = " (seconds)" if name.endswith("_s") else f", {allowed.low:.15g} to {allowed.high:.15g}"
    label = allowed.title + ("" if allowed.choices else extent)
    return Option(name, allowed.title, label, default, allowed.choices, allowed.note)


def typed_options(job: JobView) -> dict[str, str]:
    """What a person would type for another job like this one. When it may start is its own affair."""
    told = {name: _typed(getattr(job.terms, name)) for name in OPTIONS if hasattr(job.terms, name)}
    # To the millisecond: it is the difference of two instants.
    expires_s = None if job.expires_at is None else round(job.expires_at - job.created_at, 3)
    return told | {"expires_s": _typed(expires_s)}


def _typed(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.15g}"


def shown_options(job: JobView) -> list[tuple[str, str]]:
    """The titles and values of a job's terms, with what is used up of them."""
    used = {"max_attempts": (job.errors, " (errors and timeouts)"), "max_crashes": (job.crashes, " (with their page)")}
    rows = []
    for name in OPTIONS:
        if hasattr(job.terms, name):
            value = getattr(job.terms, name)
            text = duration(value) if value is not None and name.endswith("_s") else _typed(value) or _NONE
            count, of_what = used.get(name, (None, ""))
            rows.append((range_of(name).title, text if count is None else f"{count} of at most {text}{of_what}"))
    return rows
