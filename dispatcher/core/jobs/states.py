"""The states of a job and the one table of its transitions.

This module owns the question "may this happen to a job in this state?". Nothing else decides it: the stores
apply ``TRANSITIONS``, the documentation's diagram is generated from it, and an event that the table does not
list for a state changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["FINAL", "OPEN", "SETTLED", "TRANSITIONS", "WAITING", "Event", "JobState", "next_state"]


class JobState(StrEnum):
    """Where a job stands; stored and shown under these names."""

    #: Waits for an instant, after a delay or a backoff: ``run_at``.
    SCHEDULED = "scheduled"
    #: Ready, in its lane, ordered by rank.
    QUEUED = "queued"
    #: A node has claimed it for one of its pages: it is offered or started.
    RUNNING = "running"
    #: Its effect may or may not have happened: a person or its own late result decides. It is open, not final.
    IN_DOUBT = "in_doubt"
    SUCCEEDED = "succeeded"
    #: Its attempts are used up, or trying again cannot help: a dead letter.
    FAILED = "failed"
    CANCELLED = "cancelled"
    #: Not started in time.
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a job."""

    DUE = "due"
    CLAIM = "claim"
    #: It goes back to its lane with its old rank: the attempt lapsed, was released or was lost.
    REQUEUE = "requeue"
    #: It is tried again later, after an error or a timeout.
    BACK_OFF = "back_off"
    SUCCEED = "succeed"
    FAIL = "fail"
    DOUBT = "doubt"
    CANCEL = "cancel"
    EXPIRE = "expire"
    #: A person asks for another round.
    RETRY = "retry"
    #: A person takes a late answer of a failed job for its result.
    ADOPT = "adopt"
    #: A person takes a decision about a job in doubt back.
    REOPEN = "reopen"
    #: Its priority, expiry or requirement is changed while it waits.
    AMEND = "amend"
    #: It is told to start later.
    PUT_OFF = "put_off"


_S, _E = JobState, Event

TRANSITIONS: Mapping[tuple[JobState, Event], JobState] = MappingProxyType(
    {
        (_S.SCHEDULED, _E.DUE): _S.QUEUED,
        (_S.SCHEDULED, _E.AMEND): _S.SCHEDULED,
        (_S.QUEUED, _E.AMEND): _S.QUEUED,
        (_S.SCHEDULED, _E.PUT_OFF): _S.SCHEDULED,
        (_S.QUEUED, _E.PUT_OFF): _S.SCHEDULED,
        (_S.QUEUED, _E.CLAIM): _S.RUNNING,
        (_S.RUNNING, _E.REQUEUE): _S.QUEUED,
        (_S.RUNNING, _E.BACK_OFF): _S.SCHEDULED,
        (_S.RUNNING, _E.SUCCEED): _S.SUCCEEDED,
        (_S.RUNNING, _E.FAIL): _S.FAILED,
        (_S.RUNNING, _E.DOUBT): _S.IN_DOUBT,
        # A late result of the job's newest attempt (promise S9).
        (_S.QUEUED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.SCHEDULED, _E.SUCCEED): _S.SUCCEEDED,
        (_S.IN_DOUBT, _E.SUCCEED): _S.SUCCEEDED,
        (_S.SCHEDULED, _E.CANCEL): _S.CANCELLED,
        (_S.QUEUED, _E.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
        (_S.SCHEDULED, _E.EXPIRE): _S.EXPIRED,
        (_S.QUEUED, _E.EXPIRE): _S.EXPIRED,
        # A person's decisions.
        (_S.IN_DOUBT, _E.FAIL): _S.FAILED,
        (_S.IN_DOUBT, _E.RETRY): _S.QUEUED,
        (_S.FAILED, _E.RETRY): _S.QUEUED,
        (_S.FAILED, _E.ADOPT): _S.SUCCEEDED,
        (_S.CANCELLED, _E.RETRY): _S.QUEUED,
        (_S.EXPIRED, _E.RETRY): _S.QUEUED,
        # Back to the doubt that a person has decided. What a page has recorded never changes: see ledger.is_reopenable.
        (_S.SUCCEEDED, _E.REOPEN): _S.IN_DOUBT,
        (_S.FAILED, _E.REOPEN): _S.IN_DOUBT,
        (_S.QUEUED, _E.REOPEN): _S.IN_DOUBT,
    }
)

FINAL = frozenset({_S.SUCCEEDED, _S.FAILED, _S.CANCELLED, _S.EXPIRED})
OPEN = frozenset(JobState) - FINAL
#: Nothing more happens to such a job by itself: all who wait for it get their answer.
SETTLED = FINAL | {_S.IN_DOUBT}
#: In these states a job can expire or become due, and nobody has it.
WAITING = (_S.SCHEDULED, _S.QUEUED)


def next_state(state: JobState, event: Event) -> JobState | None:
    """The state that ``event`` leads to from ``state``; None: the table has no such transition."""
    return TRANSITIONS.get((state, event))
