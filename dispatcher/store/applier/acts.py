"""Which commands the audit log has, and in which words. A command that nobody asked for is not in it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import UNSET

from dispatcher.access.acts import MOST_DETAIL, Actor, AuditEntry, AuditNote, AuditOutcome
from dispatcher.access.commands import EndCredentials, JoinWorker, MakeToken, RevokeToken
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.acts.kept import ForgetWorker, KeepType, KeepWorker
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import (
    Adopt,
    Amend,
    Cancel,
    Command,
    CommandReport,
    Decide,
    Delete,
    JobCommand,
    Reopen,
    Retry,
)
from dispatcher.webhooks.commands import DeleteEndpoint, PutEndpoint, Redeliver, SendMessage

__all__ = ["act_of"]

_JOB_ACTIONS: Mapping[type, str] = {
    Cancel: "job.cancel",
    Retry: "job.retry",
    Decide: "job.decide",
    Reopen: "job.reopen",
    Adopt: "job.adopt",
    Amend: "job.change",
    Delete: "job.delete",
}


def act_of(command: Command, report: CommandReport, now_at: float) -> AuditEntry | None:
    """What the log says of this command; None: nothing.

    Nothing was done to anything where the job is not there; and an operation on many jobs has noted itself. An answer
    of a page that does not count is not noted: any page could fill the log with such.
    """
    if isinstance(command, AuditNote):
        return _act(command.actor, command.action, command.target, command.detail, command.outcome, now_at)
    outcome = AuditOutcome.DONE if report.done else AuditOutcome.REFUSED
    if isinstance(command, JobCommand):
        return _of_job(command, report, outcome, now_at)
    if isinstance(command, KeepWorker | ForgetWorker):
        return _of_worker(command, outcome, now_at)
    if isinstance(command, KeepType):
        return _act(command.actor, command.action, command.kept.type, command.detail, outcome, now_at)
    if isinstance(command, MakeToken):
        return _act(command.actor, "token.make", command.token.id, _token(command), outcome, now_at)
    if isinstance(command, RevokeToken):
        return _act(command.actor, "token.revoke", command.token_id, "", outcome, now_at)
    if isinstance(command, JoinWorker):
        return _act(command.actor, "worker.join", command.credential.worker, _join(command), outcome, now_at)
    if isinstance(command, EndCredentials):
        workers = ", ".join(command.workers[:1])
        return _act(command.actor, "worker.end_credential", workers, command.detail, outcome, now_at)
    return _hook_act(command, outcome, now_at)


def _of_job(command: JobCommand, report: CommandReport, outcome: AuditOutcome, now_at: float) -> AuditEntry | None:
    if isinstance(command, AnswerDoubt):
        return _answer(command, now_at) if report.done and command.happened is not None else None
    if report.job is None or command.actor.operation:
        return None
    return _act(command.actor, _JOB_ACTIONS[type(command)], command.job, _detail(command, report.was), outcome, now_at)


def _of_worker(command: KeepWorker | ForgetWorker, outcome: AuditOutcome, now_at: float) -> AuditEntry | None:
    if command.actor.operation:
        return None
    if isinstance(command, KeepWorker):
        return _act(command.actor, command.action, command.worker.id, command.detail, outcome, now_at)
    target = command.worker or f"name:{command.name}"
    return _act(command.actor, "worker.forget", target, command.detail, outcome, now_at)


def _hook_act(command: Command, outcome: AuditOutcome, now_at: float) -> AuditEntry | None:
    """An endpoint's secrets are told nobody here."""
    if isinstance(command, PutEndpoint):
        return _act(command.actor, command.action, command.endpoint.id, _endpoint(command), outcome, now_at)
    if isinstance(command, DeleteEndpoint):
        return _act(command.actor, "webhook.delete", command.endpoint_id, "", outcome, now_at)
    if isinstance(command, SendMessage):
        return _act(command.actor, "webhook.test", command.message.endpoint, "", outcome, now_at)
    if isinstance(command, Redeliver):
        detail = ", ".join(command.messages) or "all that are dead"
        return _act(command.actor, "webhook.redeliver", command.endpoint_id, detail, outcome, now_at)
    return None


def _act(
    actor: Actor, action: str, target: str, detail: str, outcome: AuditOutcome, now_at: float
) -> AuditEntry | None:
    if not actor.name:
        return None
    detail = detail[:MOST_DETAIL]
    return AuditEntry(at=now_at, actor=actor, action=action, target=target, detail=detail, outcome=outcome)


def _answer(command: AnswerDoubt, now_at: float) -> AuditEntry | None:
    """It stands there as the act of an operator who says the same."""
    action, said = (Decide, f"succeeded: {command.said}") if command.happened else (Retry, command.said)
    return _act(command.actor, _JOB_ACTIONS[action], command.job, said, AuditOutcome.DONE, now_at)


def _detail(command: JobCommand, was: JobView | None) -> str:
    """The reason, or what was wanted. ``was``: a job that was changed, before."""
    if isinstance(command, Cancel | Retry | Reopen):
        return command.reason
    if isinstance(command, Decide):
        return f"{'failed' if command.value is None else 'succeeded'}: {command.reason}".removesuffix(": ")
    if isinstance(command, Amend):
        return _json(_changed(command, was))
    return "with its key" if isinstance(command, Delete) and command.free_key else ""


def _changed(command: Amend, was: JobView | None) -> dict[str, object]:
    """What was wanted, what the job had before, and why; durations count from the act, and have no before."""
    fields = {name: getattr(command, name) for name in ("priority", "delay_s", "expires_s", "requires", "tags")}
    told: dict[str, object] = {name: value for name, value in fields.items() if value is not UNSET}
    if was is not None:
        had = {"priority": was.terms.priority, "requires": was.terms.requires, "tags": was.about.tags}
        before = {name: value for name, value in had.items() if name in told}
        told |= {"was": before} if before else {}
    return told | ({"reason": command.reason} if command.reason else {})


def _token(command: MakeToken) -> str:
    token = command.token
    made = {"name": token.name, "scopes": token.scopes, "types": token.types, "expires_at": token.expires_at}
    fixed = {"labels": dict(token.labels), "uses": token.uses, "jobs_per_minute": token.jobs_per_minute}
    return _json(made | {name: value for name, value in fixed.items() if value})


def _join(command: JoinWorker) -> str:
    return "" if command.spends else "again: no other use is spent"


def _endpoint(command: PutEndpoint) -> str:
    made = command.endpoint
    fields = {"url": made.url, "events": sorted(made.events), "types": sorted(made.types), "enabled": made.enabled}
    return _json(fields)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
