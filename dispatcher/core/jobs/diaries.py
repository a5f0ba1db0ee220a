"""A worker's diary: what it did lately, for its page to tell, also after a restart and when the worker has gone. Pure.

It stands in the store beside the worker's name, and is written now and then: a server that is killed loses what came
since. Nothing that must be true for a job stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

__all__ = [
    "MOST_JOBS",
    "QUARTER_S",
    "UNHEARD",
    "Diary",
    "KeepDiaries",
    "KnownWorker",
    "QuarterState",
    "WorkedQuarter",
    "continued",
    "day_of",
    "quarter_of",
]

#: So many of its last jobs, and of its comings and goings.
MOST_JOBS, MOST_PASSAGES = 50, 60
QUARTER_S = 900.0
#: A day has so many quarters.
DAY = 96
#: Among comings and goings: from here on nobody noted anything for a while.
UNHEARD = "unheard"
_HERE, _GONE = ("connected", "back"), ("away", "quiet")


class QuarterState(StrEnum):
    """What a worker was in a quarter; of several the first."""

    #: It ran a job, or one that it had ended.
    BUSY = "busy"
    #: It was here, and had nothing to do.
    READY = "ready"
    AWAY = "away"
    #: Nobody noted it.
    UNKNOWN = "unknown"


class WorkedQuarter(Struct, frozen=True):
    """A quarter of an hour of a worker's day."""

    #: UTC seconds: when it began.
    at: float
    state: QuarterState
    #: Tries at jobs that ended in it.
    tries: int = 0


class Diary(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one worker did lately."""

    #: UTC seconds: up to when it was written.
    at: float
    #: The day by the clocks on the walls here, and what it did on it.
    day: int = 0
    done: int = 0
    failed: int = 0
    #: Ids of the jobs that it had last, the newest last.
    jobs: tuple[str, ...] = ()
    #: (quarter, tries that ended in it), in order.
    tries: tuple[tuple[int, int], ...] = ()
    #: (UTC seconds, what), in order.
    passages: tuple[tuple[float, str], ...] = ()
    #: What its page and operators said last.
    types: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    page: dict[str, str] = {}


class KeepDiaries(Struct, frozen=True):
    """Keeps these, by the names of their workers, in the place of those that were kept."""

    diaries: Mapping[str, Diary]


class KnownWorker(Struct, frozen=True):
    """What the store knows of a worker that has a name."""

    name: str
    #: Its id; None: nobody has noted it.
    worker: str | None
    #: UTC seconds; None: it is here.
    gone_at: float | None
    diary: Diary | None = None


def quarter_of(at: float) -> int:
    """The quarter of an instant, counted from 1970 on."""
    return int(at // QUARTER_S)


def continued(old: Diary, new: Diary) -> Diary:
    """The new diary with what an older one has of the same worker. What it did today is the new one's to say."""
    jobs = tuple(dict.fromkeys((*reversed(new.jobs), *reversed(old.jobs))))[:MOST_JOBS]
    tries = dict(old.tries)
    for quarter, count in new.tries:
        tries[quarter] = tries.get(quarter, 0) + count
    first = quarter_of(new.at) - DAY
    passages = (*old.passages, *_gap(old), *new.passages)
    return replace(
        new,
        jobs=jobs[::-1],
        tries=tuple(sorted(pair for pair in tries.items() if pair[0] > first)),
        passages=passages[-MOST_PASSAGES:],
    )


def _gap(old: Diary) -> Iterator[tuple[float, str]]:
    """Where the old one ends with the worker here, nobody noted what came then."""
    if old.passages and old.passages[-1][1] in _HERE:
        yield old.at, UNHEARD


def day_of(
    diary: Diary, now_at: float, busy: Iterable[tuple[float, float]] = (), *, is_here: bool
) -> list[WorkedQuarter]:
    """The last 24 hours up to now. ``busy``: when it ran jobs, from and to; ``is_here``: whether it is here now."""
    last = quarter_of(now_at)
    states = dict.fromkeys(range(last - DAY + 1, last + 1), QuarterState.UNKNOWN)
    tries = dict(diary.tries)
    for start, end, state in (*_presence(diary, now_at, is_here=is_here), *_work(busy)):
        for quarter in range(max(quarter_of(start), last - DAY + 1), min(quarter_of(end), last) + 1):
            states[quarter] = _first_of(states[quarter], state)
    return [
        WorkedQuarter(quarter * QUARTER_S, QuarterState.BUSY if tries.get(quarter) else state, tries.get(quarter, 0))
        for quarter, state in states.items()
    ]


_ORDER = tuple(QuarterState)


def _first_of(one: QuarterState, other: QuarterState) -> QuarterState:
    return min(one, other, key=_ORDER.index)


def _work(busy: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float, QuarterState]]:
    for start, end in busy:
        yield start, end, QuarterState.BUSY


def _presence(diary: Diary, now_at: float, *, is_here: bool) -> Iterator[tuple[float, float, QuarterState]]:
    """From when to when it was here, and away. What nobody noted is left out."""
    passages = [*diary.passages]
    if passages and not is_here and passages[-1][1] in _HERE:
        passages.append((diary.at, UNHEARD))
    ends = [at for at, _ in passages[1:]] + [now_at]
    for (start, passage), end in zip(passages, ends, strict=False):
        if passage in _HERE:
            yield start, end, QuarterState.READY
        elif passage in _GONE:
            yield start, end, QuarterState.AWAY
