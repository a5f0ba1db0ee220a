"""Obeys the commands of people and programs on the rows: cancel, retry, decide, answer, reopen, adopt, amend, delete.

The transition table decides whether a command is allowed.
"""

from __future__ import annotations

from dispatcher.access.acts import AuditNote
from dispatcher.access.commands import EndCredentials, JoinWorker, MakeToken, RevokeToken, TokenCommand, UsedTokens
from dispatcher.access.credentials import Credential
from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.acts.amending import amend, event_of
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.acts.kept import ForgetWorker, KeepType, KeepWorker, KeptWorker
from dispatcher.core.jobs.acts.seen import ReloadPage, SeeWorkers
from dispatcher.core.jobs.diaries import KeepDiaries
from dispatcher.core.jobs.habits import CallRoll
from dispatcher.core.jobs.keys import KEY_S
from dispatcher.core.jobs.rows import AttemptRow, JobRow, lane_of_row
from dispatcher.core.jobs.states import FINAL, Event, JobState, next_state
from dispatcher.core.jobs.turn import (
    Adopt,
    Amend,
    Cancel,
    Command,
    CommandReport,
    Decide,
    Delete,
    ForgetTypes,
    JobCommand,
    KeepCommand,
    MoveAttempts,
    NodeCommand,
    Objection,
    OfferedTypes,
    Reopen,
    Retry,
)
from dispatcher.core.jobs.versions import version_of
from dispatcher.store.applier.admission import Admission
from dispatcher.store.applier.hand import Hand
from dispatcher.store.requests import Loaded
from dispatcher.store.views import view
from dispatcher.webhooks.commands import HookCommand

__all__ = ["evidence", "obey"]

#: Commands that are nothing but a transition.
_Moving = Cancel | Retry | Decide | Reopen | Adopt


def obey(command: Command, hand: Hand, loaded: Loaded, admission: Admission) -> CommandReport:
    """Obeys a command, if it is allowed."""
    if isinstance(command, NodeCommand):
        return _of_node(command, hand, loaded, admission)
    if not isinstance(command, JobCommand):
        return _written(command, hand)
    job = hand.by_id.get(command.job)
    if job is None:
        return CommandReport(False)
    if isinstance(command, Amend | Delete) and command.if_states and job.state not in command.if_states:
        return CommandReport(False, view(job))
    if isinstance(command, Amend):
        return _amended(command, job, hand)
    if isinstance(command, Delete):
        return _deleted(command, job, hand, admission)
    if isinstance(command, AnswerDoubt):
        return _answered(command, job, hand)
    old = job.state
    done, revoked = _obeyed(command, job, hand, loaded)
    if done:
        _noted(command, job, hand)
        hand.moved(job, old, attempt=revoked, actor=command.actor.name)
    return CommandReport(done, view(job), revoked)


def _of_node(command: NodeCommand, hand: Hand, loaded: Loaded, admission: Admission) -> CommandReport:
    """What a node says of its workers."""
    if isinstance(command, OfferedTypes):
        no_room = admission.offers(command.types)
        return CommandReport(not no_room, no_room=no_room)
    if isinstance(command, ForgetTypes):
        # The turn's last request forgets the types: only then it is known which are empty.
        return CommandReport(True, no_room=admission.offers(sorted(command.offered)))
    if isinstance(command, MoveAttempts):
        moved = tuple(live for live in loaded.moved.get(command, ()) if hand.has(live))
        return CommandReport(command not in loaded.late, moved=moved)
    if isinstance(command, SeeWorkers | ReloadPage):
        hand.writes.for_nodes.append(command)
        return CommandReport(True)
    if isinstance(command, CallRoll):
        hand.writes.roll = command
        return CommandReport(True)
    if isinstance(command, KeepDiaries):
        hand.writes.diaries |= command.diaries
        return CommandReport(True)
    hand.writes.nobody = hand.writes.nobody or command.nobody
    hand.writes.here |= dict.fromkeys(command.gone, False) | dict.fromkeys(command.here, True)
    hand.writes.whose |= command.whose
    hand.writes.forgotten += command.dropped
    return CommandReport(True)


def _written(command: AuditNote | KeepCommand | TokenCommand | HookCommand, hand: Hand) -> CommandReport:
    """What is written as it is; an act is a line of the log alone."""
    if isinstance(command, KeepWorker):
        hand.writes.kept.append(command.worker)
        if command.worker.blocked is not None:  # it must join anew, even if it is unblocked
            hand.writes.kept.append(Credential(worker=command.worker.id))
    elif isinstance(command, ForgetWorker):
        hand.writes.forgotten += [command.name] if command.name else []
        if command.worker:
            hand.writes.kept += [KeptWorker(id=command.worker), Credential(worker=command.worker)]
    elif isinstance(command, KeepType):
        hand.writes.kept.append(command.kept)
    elif isinstance(command, EndCredentials):
        hand.writes.kept += [Credential(worker=worker) for worker in command.workers]
    elif isinstance(command, MakeToken | RevokeToken | UsedTokens | JoinWorker):
        hand.writes.tokens.append(command)
        if isinstance(command, JoinWorker):
            hand.writes.kept.append(command.credential)
    elif not isinstance(command, AuditNote):
        hand.writes.hooks.append(command)
    return CommandReport(True)


def _amended(command: Amend, job: JobRow, hand: Hand) -> CommandReport:
    old, lane = job.state, lane_of_row(job)
    if next_state(old, event_of(command, old)) is None:
        return CommandReport(False, view(job))
    if _has_moved(command, job):
        return CommandReport(False, view(job), fault=Objection.MOVED)
    was = view(job)
    fault = amend(job, command, hand.now_at, hand.clock, hand.writes)
    if fault is None:
        _noted(command, job, hand)
        hand.amended(job, old, lane, command.actor.name)
    return CommandReport(fault is None, view(job), fault=fault, was=was if fault is None else None)


def _noted(command: JobCommand, job: JobRow, hand: Hand) -> None:
    if command.actor.operation:
        ledger.note_operation(job, command.actor.operation, hand.writes)


def _deleted(command: Delete, job: JobRow, hand: Hand, admission: Admission) -> CommandReport:
    shown = view(job)
    if job.state not in FINAL or job.ended_clock is None:
        return CommandReport(False, shown)
    if _has_moved(command, job):
        return CommandReport(False, shown, fault=Objection.MOVED)
    if job.key is not None:
        if not command.free_key and job.ended_clock + KEY_S > hand.clock:
            return CommandReport(False, shown, fault=Objection.KEY_KEPT)
        admission.free(job.key)
    hand.deleted(job)
    return CommandReport(True, shown)


def _answered(command: AnswerDoubt, job: JobRow, hand: Hand) -> CommandReport:
    """Where another attempt is the newest one, or it was another worker's, nothing is said of the job."""
    if (job.attempt, job.worker) != (command.attempt, command.worker):
        return CommandReport(False)
    old = job.state
    if old is not JobState.IN_DOUBT or command.happened is None:
        return CommandReport(old is JobState.IN_DOUBT, view(job))
    if command.happened:
        ledger.decide(job, "null", command.said, hand.now_at, hand.writes)
    else:
        ledger.retry(job, hand.clock, hand.writes)
    hand.moved(job, old, actor=command.actor.name)
    return CommandReport(True, view(job))


def _has_moved(command: Amend | Delete, job: JobRow) -> bool:
    return bool(command.if_versions) and version_of(job) not in command.if_versions


def _obeyed(command: _Moving, job: JobRow, hand: Hand, loaded: Loaded) -> tuple[bool, str | None]:
    """(whether it was allowed, the attempt that it revoked)"""
    if not _allowed(command, job):
        return False, None
    if isinstance(command, Cancel):
        return True, ledger.cancel(job, _current(job, hand), command.reason, hand.now_at, hand.writes)
    if isinstance(command, Retry):
        ledger.retry(job, hand.clock, hand.writes)
    elif isinstance(command, Decide):
        ledger.decide(job, command.value, command.reason, hand.now_at, hand.writes)
    elif isinstance(command, Reopen):
        attempt = _current(job, hand)
        if attempt is None or not ledger.is_reopenable(job, attempt, hand.now_at):
            return False, None
        ledger.reopen(job, attempt, hand.now_at, hand.writes)
    else:
        answer = evidence([hand.attempts.get(row.id, row) for row in loaded.histories.get(job.seq, [])])
        if answer is None:
            return False, None
        ledger.adopt(job, answer, hand.now_at, hand.writes)
    return True, None


def _allowed(command: _Moving, job: JobRow) -> bool:
    if isinstance(command, Decide):
        return job.state is JobState.IN_DOUBT
    if isinstance(command, Cancel | Retry) and command.if_states and job.state not in command.if_states:
        return False
    events = {Cancel: Event.CANCEL, Retry: Event.RETRY, Reopen: Event.REOPEN, Adopt: Event.ADOPT}
    return next_state(job.state, events[type(command)]) is not None


def _current(job: JobRow, hand: Hand) -> AttemptRow | None:
    if job.attempt is None:
        return None
    return hand.attempts.get(job.attempt) or ledger.silent_attempt(job)


def evidence(attempts: list[AttemptRow]) -> str | None:
    """The newest late answer that was kept; ``attempts`` are a job's, oldest first."""
    kept = [attempt.evidence for attempt in attempts if attempt.evidence is not None]
    return kept[-1] if kept else None
