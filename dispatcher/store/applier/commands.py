"""Obeys the commands of people and programs on the rows: cancel, retry, decide, adopt.

The transition table decides whether a command is allowed.
"""

from __future__ import annotations

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.ledger import AttemptRow, JobRow
from dispatcher.core.jobs.states import Event, JobState, next_state
from dispatcher.core.jobs.turn import (
    Adopt,
    Cancel,
    Command,
    CommandReport,
    Decide,
    ForgetTypes,
    JobCommand,
    MakeToken,
    OfferedTypes,
    Retry,
    RevokeToken,
    UsedTokens,
    WorkersMoved,
)
from dispatcher.store.applier.admission import Admission
from dispatcher.store.applier.hand import Hand
from dispatcher.store.requests import Loaded
from dispatcher.store.views import view

__all__ = ["evidence", "obey"]


def obey(command: Command, hand: Hand, loaded: Loaded, admission: Admission) -> CommandReport:
    """Obeys a command, if it is allowed."""
    if isinstance(command, OfferedTypes):
        no_room = admission.offers(command.types)
        return CommandReport(not no_room, no_room=no_room)
    if isinstance(command, ForgetTypes):
        # The turn's last request forgets the types: only then it is known which are empty.
        return CommandReport(True, no_room=admission.offers(sorted(command.offered)))
    if isinstance(command, WorkersMoved):
        hand.writes.nobody = hand.writes.nobody or command.nobody
        hand.writes.here |= dict.fromkeys(command.gone, False) | dict.fromkeys(command.here, True)
        return CommandReport(True)
    if isinstance(command, MakeToken | RevokeToken | UsedTokens):
        hand.writes.tokens.append(command)
        return CommandReport(True)
    job = hand.by_id.get(command.job)
    if job is None:
        return CommandReport(False)
    old = job.state
    done, revoked = _obeyed(command, job, hand, loaded)
    if done:
        hand.moved(job, old, attempt=revoked, actor=command.actor)
    return CommandReport(done, view(job), revoked)


def _obeyed(command: JobCommand, job: JobRow, hand: Hand, loaded: Loaded) -> tuple[bool, str | None]:
    """(whether it was allowed, the attempt that it revoked)"""
    if not _allowed(command, job):
        return False, None
    if isinstance(command, Cancel):
        return True, ledger.cancel(job, _current(job, hand), command.reason, hand.now_at, hand.writes)
    if isinstance(command, Retry):
        ledger.retry(job, hand.clock, hand.writes)
    elif isinstance(command, Decide):
        ledger.decide(job, command.value, command.reason, hand.now_at, hand.writes)
    else:
        answer = evidence([hand.attempts.get(row.id, row) for row in loaded.histories.get(job.seq, [])])
        if answer is None:
            return False, None
        ledger.adopt(job, answer, hand.now_at, hand.writes)
    return True, None


def _allowed(command: JobCommand, job: JobRow) -> bool:
    if isinstance(command, Decide):
        return job.state is JobState.IN_DOUBT
    events = {Cancel: Event.CANCEL, Retry: Event.RETRY, Adopt: Event.ADOPT}
    return next_state(job.state, events[type(command)]) is not None


def _current(job: JobRow, hand: Hand) -> AttemptRow | None:
    if job.attempt is None:
        return None
    return hand.attempts.get(job.attempt) or ledger.silent_attempt(job)


def evidence(attempts: list[AttemptRow]) -> str | None:
    """The newest late answer that was kept; ``attempts`` are a job's, oldest first."""
    kept = [attempt.evidence for attempt in attempts if attempt.evidence is not None]
    return kept[-1] if kept else None
