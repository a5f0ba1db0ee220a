"""What a page says of an act of the audit log: in which words, and why it was done. Pure.

An order for many jobs has one line in the log for all of them. Each of these jobs keeps the order's id, and its page
shows the line as one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dispatcher.access.acts import Actor, AuditEntry, AuditOutcome
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from handlers.console.words import duration, only_for, plural

__all__ = ["ACTS", "canceller", "changes_of", "done_to", "reason_of", "what_of"]

#: What people and programs do to a job or a worker, by the action's name in the audit log.
ACTS = {
    "job.cancel": "Cancelled", "job.retry": "Had it run again", "job.decide": "Decided",
    "job.reopen": "Took the decision back", "job.adopt": "Recorded its late answer", "job.change": "Changed",
    "job.delete": "Removed",
    "jobs.cancel": "Cancelled", "jobs.retry": "Had it run again", "jobs.set_priority": "Changed",
    "worker.pause": "Paused", "worker.drain": "Drained", "worker.resume": "Resumed", "worker.block": "Blocked",
    "worker.unblock": "Unblocked", "worker.change": "Changed", "worker.reload": "Had its page reloaded",
    "worker.test": "Sent a test job", "worker.join": "Joined", "worker.end_credential": "Ended its credential",
    "worker.forget": "Forgot it",
}  # fmt: skip
_OF_MANY = "jobs."
#: Those whose detail is JSON that is put into words here.
_AS_JSON = frozenset({"job.change", "jobs.cancel", "jobs.retry", "jobs.set_priority"})


def what_of(act: AuditEntry) -> str:
    """What was done, in words."""
    told = _told(act)
    if act.action == "job.change" and told:
        return f"{ACTS[act.action]}: {changes_of(told)}"
    more = [f"priority {told['priority']}"] if act.action == "jobs.set_priority" and "priority" in told else []
    if act.action.startswith(_OF_MANY):
        many = plural(told["matched"], "job") if "matched" in told else "many jobs"
        more.append(f"one order for {many}")
    return f"{ACTS[act.action]}: {', '.join(more)}" if more else ACTS[act.action]


def reason_of(act: AuditEntry) -> str:
    """Why; empty: nobody has said."""
    told = _told(act)
    if told or act.action.startswith(_OF_MANY):
        return str(told.get("reason", ""))
    return act.detail


def changes_of(told: Mapping[str, Any]) -> str:
    """What was changed of a job that waits, from the detail of the act; what it had before, as far as that says it."""
    was, changes = told.get("was", {}), []
    for name in ("priority", "requires", "tags"):
        if name in told:
            before = f"{_value(name, was[name])} → " if name in was else ""
            changes.append(f"{_NAMES[name]} {before}{_value(name, told[name])}")
    if "delay_s" in told:
        changes.append(f"may start in {duration(told['delay_s'])}" if told["delay_s"] else "may start at once")
    if "expires_s" in told:
        changes.append("never expires" if told["expires_s"] is None else f"expires in {duration(told['expires_s'])}")
    return ", ".join(changes)


_NAMES = {"priority": "priority", "requires": "for", "tags": "tags"}


def _value(name: str, value: Any) -> str:
    if name == "requires":
        return only_for(value) or "any worker"
    return ", ".join(value) or "none" if name == "tags" else f"{value}"


def _told(act: AuditEntry) -> Mapping[str, Any]:
    """The detail, where it is JSON. Of a long one the end is cut off, and nothing is known."""
    if act.action not in _AS_JSON or not act.detail.startswith("{"):
        return {}
    try:
        return msgspec.json.decode(act.detail, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def done_to(own: Iterable[AuditEntry], of_many: Iterable[AuditEntry]) -> list[AuditEntry]:
    """The acts on one job, the newest first: those on it alone, and orders for many."""
    known = [act for act in (*own, *of_many) if act.action in ACTS]
    return sorted(known, key=lambda act: (act.at, act.number), reverse=True)


def canceller(job: JobView, acts: Iterable[AuditEntry]) -> str:
    """The name of who has cancelled the job; empty: it is not cancelled, or nobody knows a name. ``acts``: those on it,
    the newest first."""
    if job.state is not JobState.CANCELLED:
        return ""
    cancels = (act for act in acts if act.action in ("job.cancel", "jobs.cancel") and act.outcome is AuditOutcome.DONE)
    return next((_name(act.actor) for act in cancels), "")


def _name(actor: Actor) -> str:
    """Without a token and a person's name there is only the way by which it came, and that is nobody."""
    return actor.name if actor.token or actor.name.endswith(")") else ""
