"""What the overview says first: the problems that somebody must look at, or that all is well. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.model import FailingType, PausedType, ShutType, Troubles
from handlers.console import words

__all__ = ["MOST_PROBLEMS", "Problems", "all_is_well", "problems"]

#: How many of each kind the overview shows; the lists have all.
MOST_PROBLEMS = 20
#: How many types one sentence names.
MOST_NAMED = 5

#: A sentence each, and the address that shows more.
Problems = list[tuple[str, str]]


def all_is_well(counts: Mapping[str, int], connected: int) -> str:
    """One line for when nobody must look at anything."""
    running, waiting = counts.get("running", 0), counts.get("queued", 0) + counts.get("scheduled", 0)
    verb = "is" if connected == 1 else "are"
    jobs = f"{words.plural(running, 'job')} running, {waiting:,} waiting" if running or waiting else "no job waits"
    workers = f"{words.plural(connected, 'worker')} {verb} connected" if connected else "no worker is connected"
    return f"All is well: {jobs}; {workers}."


def problems(troubles: Troubles, counts: Mapping[str, int], *, draining: bool, ready: bool) -> Problems:
    """The problems, the gravest kind first."""
    found: Problems = []
    if draining:
        found.append(("The server is stopping: it takes no new jobs.", ""))
    elif not ready:
        found.append(("The server takes no new jobs at the moment.", "/readyz?verbose"))
    found += [*_stalled(troubles), *_unserved(troubles), *_shut(troubles.shut), *_paused(troubles.paused)]
    found += _failing(troubles.failing)
    if doubtful := counts.get("in_doubt", 0):
        verb = "is" if doubtful == 1 else "are"
        found.append((f"{words.plural(doubtful, 'job')} {verb} in doubt: a person must decide.", "/doubts"))
    return found


def _stalled(troubles: Troubles) -> Iterator[tuple[str, str]]:
    if troubles.stalled:
        name, seconds = max(troubles.stalled, key=lambda stalled: stalled[1])
        others = len(troubles.stalled) > 1
        what = f"Jobs of type {name}{' and of other types' if others else ''}"
        yield (
            f"{what} wait although a worker is free: none was offered for {words.duration(seconds)}. "
            "The server is overloaded, or its disk is slow.",
            _jobs("queued", name),
        )


def _unserved(troubles: Troubles) -> Iterator[tuple[str, str]]:
    for view in troubles.unserved[:MOST_PROBLEMS]:
        never = "no worker has ever offered it" if view.offered_at is None else "no connected worker offers it"
        yield f"{_waiting(view.counts.get('queued', 0), view.type)}: {never}.", _jobs("queued", view.type)
    if len(troubles.unserved) > MOST_PROBLEMS:
        yield "Jobs of more types wait, and no connected worker offers them.", "/types"


def _shut(shut: list[ShutType]) -> Iterator[tuple[str, str]]:
    """A sentence for each type that jobs wait for; one for all the others: a single page may offer many."""
    wanted = [one for one in shut if one.queued]
    for one in wanted[:MOST_PROBLEMS]:
        yield (
            f"{_waiting(one.queued, one.type)}: every worker that offers it is {_kept_by([one])}.",
            f"/workers?type={one.type}",
        )
    others = [one for one in shut if not one.queued]
    if others:
        more = " and more" if len(others) > MOST_NAMED else ""
        named = ", ".join(one.type for one in others[:MOST_NAMED])
        yield f"Every worker that offers {named}{more} is {_kept_by(others)}.", f"/workers?type={others[0].type}"


def _paused(paused: list[PausedType]) -> Iterator[tuple[str, str]]:
    for one in paused[:MOST_PROBLEMS]:
        address = f"/types/{one.type}"
        if one.type == EVERY_TYPE:
            waits = f"{words.plural(one.queued, 'job')} {'waits' if one.queued == 1 else 'wait'}"
            yield f"No job is given out: all types are paused{one.hold.words()}. {waits}.", address
        else:
            yield f"{_waiting(one.queued, one.type)}: the type is paused{one.hold.words()}.", address
    if len(paused) > MOST_PROBLEMS:
        yield "Jobs of more types wait that are paused.", "/types"


def _kept_by(shut: list[ShutType]) -> str:
    parts = ["paused"] if any(one.paused for one in shut) else []
    if any(one.aside for one in shut):
        parts.append("skipped for a while, because it ignored its last jobs")
    return " or ".join(parts)


def _failing(failing: list[FailingType]) -> Iterator[tuple[str, str]]:
    for one in failing[:MOST_PROBLEMS]:
        how = f"{one.jobs:,} of {one.jobs:,} jobs" if one.all else f"The last {one.jobs:,} jobs"
        yield f"{how} of type {one.type} failed.", _jobs("failed", one.type)
    if len(failing) > MOST_PROBLEMS:
        yield "All jobs of more types have failed of late.", "/types"


def _waiting(jobs: int, type_name: str) -> str:
    return f"{words.plural(jobs, 'job')} of type {type_name} {'waits' if jobs == 1 else 'wait'}"


def _jobs(state: str, job_type: str) -> str:
    # A type is [A-Za-z0-9._-], so it needs no quoting; the template escapes it anyway.
    return f"/jobs?state={state}" + (f"&type={job_type}" if job_type else "")
