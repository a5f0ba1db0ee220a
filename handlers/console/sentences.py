"""What a job's page and a list say about a job: sentences and durations, from its reason and its attempts. Pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from dispatcher.access.acts import AuditEntry
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES
from dispatcher.core.jobs.views.outlook import MOST_BEFORE, Outlook
from handlers.console.words import ago, duration, first_line, ordinal, plural, state_word

__all__ = [
    "PASSAGES",
    "Moment",
    "headline",
    "prospects",
    "ran_s",
    "run_again",
    "taken_back",
    "timeline",
    "to_know",
    "told",
    "waited_s",
    "whole",
]

#: What happened to the connection of a page, in words.
PASSAGES = {"connected": "Connected", "away": "Went away", "quiet": "Fell silent", "back": "Came back"} | {
    "unheard": "Nobody noted what came then: the server was not running"
}
#: Of a name, a note or a label.
_TAKEN_BACK = "taken back"
#: The most characters that a list says about a job.
MOST_TO_KNOW = 120


def told(act: AuditEntry) -> str:
    """Why somebody did it; of a worker's name, note and labels also what was wanted."""
    if act.action != "worker.change":
        return act.detail
    try:
        wanted = msgspec.json.decode(act.detail, type=dict[str, Any])
    except msgspec.DecodeError:  # the log cuts what is long
        return act.detail
    labels = wanted.pop("labels", {})
    reason = wanted.pop("reason", "")
    said = [f"{name}: {value or _TAKEN_BACK}" for name, value in wanted.items()]
    said += [f"label {label}: {value or _TAKEN_BACK}" for label, value in sorted(labels.items())]
    return ". ".join(part for part in (reason, "; ".join(said)) if part)


def ran_s(job: JobView, now: float) -> float | None:
    """How long its newest attempt ran, or has been running; None: it has not started.

    What comes after the attempt (a wait for another, or for a person who decides) does not count.
    """
    if job.started_at is None:
        return None
    until = now if job.state is JobState.RUNNING else job.stopped_at
    return None if until is None else until - job.started_at


def waited_s(job: JobView, now: float) -> float | None:
    """How long it waited for its newest try, or waits now, since it was ready to run; None: it is not ready yet."""
    ready_at = job.created_at if job.ready_at is None else job.ready_at
    if job.started_at is not None and job.started_at >= ready_at:
        return job.started_at - ready_at
    if job.state is JobState.SCHEDULED:
        return None
    return max(0.0, (now if job.ended_at is None else job.ended_at) - ready_at)


def headline(job: JobView, now: float, canceller: str = "") -> str:
    """The job's state in a sentence or two. ``canceller``: who has cancelled it; empty: nobody knows."""
    match job.state:
        case JobState.SCHEDULED:
            when = ago(job.run_at, now)
            return f"It is tried again {when}." if job.number else f"It may start {when}."
        case JobState.QUEUED:
            return "It waits for a worker." if not job.number else f"It waits for a worker, for try {job.number + 1}."
        case JobState.RUNNING if job.started_at is None:
            return f"It is offered to {_worker(job) or 'a worker'}, which has not accepted it yet."
        case JobState.RUNNING:
            page = f" on {_worker(job)}" if _worker(job) else ""
            return f"It has been running{page} for {duration(ran_s(job, now))}."
        case JobState.IN_DOUBT:
            return f"{whole(_doubt(job))} Nobody knows whether it took effect: a person must decide."
        case JobState.CANCELLED:
            who = f"It was cancelled by {canceller}" if canceller else "Somebody cancelled it"
            return whole(f"{who}: {job.detail}" if job.detail else who)
        case JobState.EXPIRED:
            return "It was not started in time."
        case JobState.SUCCEEDED | JobState.FAILED:
            return whole(_outcome(job, now))


def _worker(job: JobView) -> str:
    return job.worker_name or job.worker or ""


def whole(text: str) -> str:
    """A sentence with its capital and its stop, whatever a page or a person has written."""
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _doubt(job: JobView) -> str:
    """Why nobody knows: by the attempt's end, in the past tense."""
    if job.reason == "timed_out":
        return f"It gave no answer within {_timeout(job)}"
    if job.reason == "released":
        return job.detail or "The page gave it back"
    return f"It was lost: {job.detail}" if job.detail else "It was lost with its page"


def _timeout(job: JobView) -> str:
    return duration(job.terms.timeout_s).replace(".0", "")


def _outcome(job: JobView, now: float) -> str:
    """How a job ended that has succeeded or failed."""
    if job.reason == "decided":
        happened = "it did happen" if job.state is JobState.SUCCEEDED else "it did not happen"
        when = ago(job.ended_at, now).replace("now", "just now") if job.ended_at is not None else ""
        why = f": {job.detail}" if job.detail else ""
        return f"A person decided{' ' if when else ''}{when} that {happened}{why}"
    if job.reason == "adopted":
        return f"It failed, and a person accepted its late result{_from(job)}"
    if job.state is JobState.SUCCEEDED:
        return f"It has a result{_from(job)}"
    return _failure(job)


def _from(job: JobView) -> str:
    return f", from {_worker(job)}" if _worker(job) else ""


def _failure(job: JobView) -> str:
    tries = f" after {plural(job.number, 'try', 'tries')}" if job.number > 1 else ""
    first = (job.detail or "").strip().partition("\n")[0]
    why = f": {first}" if first else ""
    if job.reason == "timed_out":
        return f"It failed{tries}: no answer within {_timeout(job)}"
    if job.reason == "no_retry":
        return f"It failed{tries}, and another try cannot help{why}"
    return f"It failed{tries}{why}"


def taken_back(begun: int) -> str:
    """What it means to take a cancel back; ``begun``: so many of its jobs had begun to run."""
    if not begun:
        return "None of them had begun to run: taken back, they wait again, behind those that wait already."
    are, these, they = (
        ("1 of them had", "it runs", "it") if begun == 1 else (f"{begun:,} of them had", "these run", "they")
    )
    return f"{are} begun to run: taken back, {these} anew, and what {they} did may happen a second time."


def run_again(job: JobView) -> str:
    """What it means to run a cancelled job again; empty for others."""
    if job.state is not JobState.CANCELLED:
        return ""
    if not job.number:
        return "It had not begun to run. Run again, it waits behind those that wait already."
    once = " It is to take effect once: make sure first that it has not." if job.terms.effects == "once" else ""
    return f"It had begun to run. Run again, it begins anew, and what it did may happen a second time.{once}"


def prospects(job: JobView, seen: Outlook) -> str:
    """Where a ready job stands, and when it may start, in sentences."""
    return " ".join(part for part in (_stands(job, seen), _starts(job, seen)) if part)


def _stands(job: JobView, seen: Outlook) -> str:
    kin = "of its type that require the same" if job.terms.requires else "of its type"
    if seen.place is None:
        return f"More than {MOST_BEFORE:,} of {seen.of:,} {kin} go before it."
    if seen.of <= 1:
        return "No other one waits that requires the same." if job.terms.requires else "No other one of its type waits."
    later = f"; {seen.overtaken_by:,} of those before it came later" if seen.overtaken_by else ""
    return f"It is the {ordinal(seen.place)} of {seen.of:,} {kin}{later}."


def _starts(job: JobView, seen: Outlook) -> str:
    if seen.samples is None:
        return ""
    if seen.samples < FEW_SAMPLES:
        ran = f"only {seen.samples}" if seen.samples else "none"
        return f"Nobody can say when it starts: {ran} of its type ended in the last 15 minutes."
    if seen.estimate_s is None:
        return ""
    return f"It starts in about {duration(seen.estimate_s).replace('.0', '')}, as such jobs ran in the last 15 minutes."


def to_know(job: JobView, waits: str | None) -> str:
    """What a list says about a job besides its state: why it waits, how far it is, what went wrong, who decided."""
    if job.state is JobState.IN_DOUBT:
        return f"a person must decide: {_clipped(_lowered(_doubt(job)))}"
    if waits:
        return waits
    if job.state is JobState.RUNNING:
        if job.started_at is None:
            return "offered, not accepted yet"
        percent = "" if job.percent is None else f"{job.percent:g} %"
        return ": ".join(part for part in (percent, job.note) if part)
    if job.reason == "decided":
        return _clipped(f"a person decided{f': {job.detail}' if job.detail else ''}")
    if job.reason == "adopted":
        return "a person accepted its late result"
    if job.error and job.state is JobState.FAILED and job.reason in ("error", "no_retry"):
        return first_line(job.error, MOST_TO_KNOW)
    return _clipped(job.detail or "")


def _clipped(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= MOST_TO_KNOW else f"{line[: MOST_TO_KNOW - 1]}…"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


class Moment(Struct, frozen=True):
    """A line of a job's timeline."""

    what: str
    at: float
    #: Seconds since the line before; None: it is the first.
    after_s: float | None


def timeline(job: JobView) -> list[Moment]:
    """What happened to the job, in order, with its newest attempt."""
    due = job.run_at if job.run_at is not None and job.run_at - job.created_at >= 0.001 else None
    named = [
        ("Submitted", job.created_at),
        ("Due", due),
        (f"Offered to {_worker(job)}" if job.worker else "Offered", job.offered_at),
        ("Started", job.started_at),
        (_attempts_end(job), job.stopped_at if job.stopped_at != job.ended_at else None),
        (_end(job), job.ended_at if job.state in FINAL else None),
    ]
    # The sort is stable: of two at the same instant, the upper one came first.
    steps = sorted(((what, at) for what, at in named if at is not None), key=lambda step: step[1])
    before = [None, *(at for _, at in steps)]
    return [Moment(what, at, None if b is None else at - b) for (what, at), b in zip(steps, before, strict=False)]


def _attempts_end(job: JobView) -> str:
    """How the newest attempt ended, where that was not the job's end."""
    return f"Its attempt ended: {state_word(job.attempts[-1].state).lower()}" if job.attempts else "Its attempt ended"


def _end(job: JobView) -> str:
    if job.reason == "decided":
        return f"A person decided: {state_word(job.state).lower()}"
    if job.reason == "adopted":
        return "A person accepted the late result"
    return state_word(job.state)
