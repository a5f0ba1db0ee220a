"""The seven counters of the overview, each with the list that it leads to; and the workers of a type. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.overview import Overview, Present, TypeLine

__all__ = ["NOBODY", "Counter", "counters", "workers_of"]

_HOUR = "in the last hour"
#: There is no worker.
NOBODY = Present(ready=0, busy=0, paused=0, aside=0, away=0)


class Counter(Struct, frozen=True, kw_only=True):
    """A number that people look at first."""

    #: For programs.
    name: str
    number: int
    words: str
    link: str
    #: The colour that it has when it is not 0: that of a state.
    look: str
    #: What else is to be said of it.
    beside: str = ""
    #: There are more than are counted.
    more: bool = False


def counters(seen: Overview) -> list[Counter]:
    """All seven."""
    return [*_now(seen), *_of_the_hour(seen), *_of_workers(seen)]


def _now(seen: Overview) -> list[Counter]:
    queued, scheduled, running, doubtful = (
        seen.counts.get(state, 0)
        for state in (JobState.QUEUED, JobState.SCHEDULED, JobState.RUNNING, JobState.IN_DOUBT)
    )
    later = f"{scheduled:,} of them scheduled" if scheduled else ""
    return [
        Counter(
            name="waiting", number=queued + scheduled, words="waiting", link="/jobs?state=queued&state=scheduled",
            look="queued", beside=later,
        ),
        Counter(name="running", number=running, words="running", link="/jobs?state=running", look="running"),
        Counter(name="in_doubt", number=doubtful, words="in doubt", link="/doubts", look="in_doubt"),
    ]  # fmt: skip


def _of_the_hour(seen: Overview) -> list[Counter]:
    total = seen.hour.total
    return [
        Counter(
            name="succeeded", number=total.succeeded, words="done", link="/jobs?state=succeeded&ended_after=-1h",
            look="succeeded", beside=_HOUR,
        ),
        Counter(
            name="failed", number=total.failed, words="failed", link="/jobs?state=failed&ended_after=-1h",
            look="failed", beside=_HOUR,
        ),
    ]  # fmt: skip


def _of_workers(seen: Overview) -> list[Counter]:
    present = seen.present
    said = _said(present, _KINDS[1:])
    many = "worker" if present.ready == 1 else "workers"
    return [
        Counter(
            name="ready", number=present.ready, words=f"{many} ready", link="/workers", look="connected", beside=said
        ),
        Counter(
            name="gone", number=seen.gone, words="not here", link="/workers?state=gone", look="gone",
            more=seen.gone >= seen.most_gone,
        ),
    ]  # fmt: skip


def workers_of(line: TypeLine) -> str:
    """``3 ready, 2 busy``: the workers that offer a type."""
    if line.present is None:
        return f"{line.known.workers:,} offer it"
    return _said(line.present, _KINDS) or "none"


#: The fields of ``Present``, and what people read.
_KINDS = (("ready", "ready"), ("busy", "busy"), ("paused", "paused"), ("aside", "skipped"), ("away", "away"))


def _said(present: Present, kinds: Iterable[tuple[str, str]]) -> str:
    numbers = ((getattr(present, name), word) for name, word in kinds)
    return ", ".join(f"{number:,} {word}" for number, word in numbers if number)
