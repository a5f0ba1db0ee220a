"""One thing that somebody must look at, and the words that such sentences share. Pure."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.model import WorkerFilter
from handlers.console import words

__all__ = ["MOST_CONCERNS", "MOST_NAMED", "Concern", "for_words", "jobs_link", "stopped", "waiting"]

#: How many of each kind are told; the lists have all.
MOST_CONCERNS = 20
#: How many names one sentence has.
MOST_NAMED = 5


class Concern(Struct, frozen=True, kw_only=True):
    """One thing to look at."""

    #: What kind it is, for programs.
    code: str
    words: str
    #: A path of the console that shows more; empty: none does.
    link: str = ""
    #: The type that it is about; None: several, or none.
    type: str | None = None
    #: UTC seconds: since when the oldest one stands so; None: nobody knows.
    since: float | None = None
    #: The workers that could help; None: it is not about workers.
    workers: WorkerFilter | None = None
    #: The workers whose pages should load anew: (id, name).
    reloads: tuple[tuple[str, str], ...] = ()


def waiting(jobs: int, type_name: str, since: float | None, at: float, wanted: str = "") -> str:
    verb = "waits" if jobs == 1 else "wait"
    return f"{words.plural(jobs, 'job')} of type {type_name}{wanted} {verb}{for_words(jobs, since, at)}"


def for_words(jobs: int, since: float | None, at: float) -> str:
    """How long the oldest one; nothing for less than a second."""
    if since is None or at - since < 1.0:
        return ""
    return f" for {words.age(at - since)}" if jobs == 1 else f", the first for {words.age(at - since)}"


def stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def jobs_link(state: str, job_type: str) -> str:
    # A type is [A-Za-z0-9._-], so it needs no quoting; the template escapes it anyway.
    return f"/jobs?state={state}" + (f"&type={job_type}" if job_type else "")
