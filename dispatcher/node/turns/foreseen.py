"""What a turn will do, as far as that is known before it. It only reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from dispatcher.core.fleet.roster import NameNews
from dispatcher.core.jobs.matching import lane_of
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.turn import Ended, Report, WorkersMoved
from dispatcher.node.waits.waiters import Waiters

__all__ = ["MOST_SHOWN", "coming", "moved_of", "wanted"]

#: Jobs that one turn shows at most to those who wait for them: who waits for another one reads it after the turn, so
#: that large jobs do not keep all others from their answers.
MOST_SHOWN = 16


def coming(specs: Iterable[JobSpec], reports: Iterable[Report]) -> dict[str, int]:
    """How many jobs it will make ready, by lane."""
    lanes = [lane_of(spec.type, spec.terms.requires) for spec in specs if spec.delay_s <= 0]
    lanes += [report.lane for report in reports if isinstance(report, Ended) and report.lane]
    return Counter(lanes) if lanes else {}


def wanted(reports: Iterable[Report], waiters: Waiters) -> tuple[str, ...]:
    """The jobs that succeed in it and for which somebody waits. Costs nothing if nobody waits at all."""
    if not len(waiters):
        return ()
    ended = (report.job for report in reports if isinstance(report, Ended) and report.job is not None)
    return tuple(islice(filter(waiters.wanted, ended), MOST_SHOWN))


def moved_of(news: Mapping[str, NameNews], *, nobody: bool) -> WorkersMoved:
    """What the store is told of the names of workers. Of several of one worker the last one is its name."""
    names: dict[str, str] = {}
    for name, one in news.items():
        if one.is_here or one.worker not in names or not news[names[one.worker]].is_here:
            names[one.worker] = name
    return WorkersMoved(
        here=tuple(name for name, one in news.items() if one.is_here),
        gone=tuple(name for name, one in news.items() if not one.is_here),
        nobody=nobody,
        whose={name: worker for worker, name in names.items()},
        dropped=tuple(name for name, one in news.items() if one.gave_up),
    )
