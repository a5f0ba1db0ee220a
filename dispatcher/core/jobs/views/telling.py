"""The events that are told: what a job can become, and who is missed. Pure.

Receivers of webhooks ask for the state that a job has come to; followers ask for all changes of jobs as one event.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.states import SETTLED, JobState

__all__ = [
    "END_EVENTS",
    "EVENTS",
    "FOLLOWED",
    "JOB",
    "MOST_NAMED",
    "PING",
    "WORKERS_COMPLETE",
    "WORKERS_MISSED",
    "RollEvent",
    "event_of_state",
    "roll_event",
]


def event_of_state(state: JobState) -> str:
    """``job.succeeded`` and so on."""
    return f"job.{state.value}"


#: Workers that are usually here at this hour are newly missed; nobody is missed any more.
WORKERS_MISSED, WORKERS_COMPLETE = "workers.missed", "workers.complete"
#: All events, and those of a job that has ended or waits for a person's decision.
EVENTS = (*(event_of_state(state) for state in JobState), WORKERS_MISSED, WORKERS_COMPLETE)
END_EVENTS = tuple(event_of_state(state) for state in JobState if state in SETTLED)
#: Asked for by an administrator, to see whether messages arrive.
PING = "ping"
#: A change of a job, for followers; and all that they can ask for.
JOB = "job"
FOLLOWED = (JOB, WORKERS_MISSED, WORKERS_COMPLETE)
#: So many of the workers that are newly missed are named.
MOST_NAMED = 100


class RollEvent(Struct, frozen=True):
    """Workers are newly missed, or nobody is any more."""

    #: ``workers.missed`` or ``workers.complete``.
    name: str
    #: UTC seconds: when somebody looked.
    at: float
    usual: int
    here: int
    missed: int
    #: Those that were not missed before; of very many some.
    workers: Sequence[MissingWorker] = ()


def roll_event(before: Roll, latest: Roll, at: float) -> RollEvent | None:
    """What is told after a look; None: nobody is newly missed, and it was not the end of all missing."""
    known = {(one.name, one.gone_at) for one in before.some}
    new = [one for one in latest.some if (one.name, one.gone_at) not in known]
    if not new and (latest.missed or not before.missed):
        return None
    name = WORKERS_MISSED if new else WORKERS_COMPLETE
    return RollEvent(name, at, latest.usual, latest.here, latest.missed, new[:MOST_NAMED])
