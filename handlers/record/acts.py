"""What people have done about a job, from the audit log and in words: to it, to its type, to the workers that had it.

Whoever may ``read`` sees these acts elsewhere: on the pages of jobs and workers, and in the charts. Each is asked for
by its target or its action, of which the log has indexes, and no more are read than are told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.acts import AuditEntry, AuditFilter, AuditPage
from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.views.deployed import read_versions
from handlers.console.acts import ACTS, changes_of, reason_of, what_of
from handlers.console.words import plural, version_word
from handlers.record.masking import MARK

__all__ = ["AROUND_S", "MOST_ACTS", "ActsAbout", "act_words", "acts_about"]

#: What was done to its type, and what its pages did, is of interest so long before the job came, and after it ended.
AROUND_S = 300.0
#: So many are read of each target and action, and so many are told beside those on the job: the newest ones.
MOST_ACTS = 100
#: Orders for many workers at once: the log does not say for which. A rollout has pages loaded anew, too.
_FOR_MANY = (
    *(f"workers.{order}" for order in ("pause", "drain", "resume", "reload", "block", "unblock", "labels", "test")),
    "rollout.begin",
)
#: On this job alone, and on many jobs that this one has been among.
_ON_JOB = ("job.", "jobs.")
#: What is told of a type. Its defaults are those of new jobs.
_OF_TYPE = ("type.pause", "type.resume", "task.version")
_DONE = {
    "worker.pause": "Paused {}", "worker.drain": "Drained {}", "worker.resume": "Let {} have jobs again",
    "worker.block": "Blocked {}", "worker.unblock": "Unblocked {}", "worker.change": "Changed {}",
    "worker.reload": "Had the page of {} reloaded", "worker.join": "Let {} join", "worker.forget": "Forgot {}",
    "worker.end_credential": "Ended the credential of {}", "worker.labels": "Changed the labels of {}",
    "worker.test": "Sent a test job to {}",
    "type.pause": "Paused {}", "type.resume": "Resumed {}",
}  # fmt: skip


class ActsAbout(Struct, frozen=True):
    """What was read."""

    #: The oldest first.
    items: list[AuditEntry]
    #: How many older ones are not among them.
    left_out: int = 0
    #: There may be still more, which nobody has counted.
    more: bool = False


class _ManyTold(Struct, frozen=True):
    """What the log says of an order for many workers, and of a rollout."""

    matched: int | None = None
    reason: str = ""


async def acts_about(
    read: Callable[[AuditFilter], Awaitable[AuditPage]], job: JobView, workers: Collection[str]
) -> ActsAbout:
    """Those on the job at any time, and the others about its time. ``workers``: ids; ``read``: the audit log."""
    found: dict[int, AuditEntry] = {}
    more = False
    for wanted in _wanted(job, workers):
        page = await read(wanted)
        found |= {act.number: act for act in page.items if _is_told(act, job)}
        more = more or page.next_cursor is not None
    acts = list(_news(found[number] for number in sorted(found)))
    old = {act.number for act in [act for act in acts if not act.action.startswith(_ON_JOB)][:-MOST_ACTS]}
    return ActsAbout([act for act in acts if act.number not in old], len(old), more)


def _wanted(job: JobView, workers: Collection[str]) -> Iterator[AuditFilter]:
    about = AuditFilter(
        after=job.created_at - AROUND_S,
        before=None if job.ended_at is None else job.ended_at + AROUND_S,
        limit=MOST_ACTS,
    )
    yield AuditFilter(target=job.id, limit=MOST_ACTS)
    for operation in job.about.operations:
        yield AuditFilter(target=operation, limit=2)
    for target in (job.type, EVERY_TYPE, *workers):
        yield replace(about, target=target)
    for action in _FOR_MANY:
        yield replace(about, action=action)


def _is_told(act: AuditEntry, job: JobView) -> bool:
    if act.action.startswith(_ON_JOB):
        return act.target in (job.id, *job.about.operations) and act.action in ACTS
    return act.action in (*_DONE, *_OF_TYPE, *_FOR_MANY)


def _news(acts: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
    """Without versions that tell nothing new: another node has noted it already, or with it the task was first seen.
    The oldest comes first."""
    version = None
    for act in acts:
        if act.action == "task.version":
            before = version
            version, was = read_versions(act.detail)
            if was is None or version == before:
                continue
        yield act


def act_words(act: AuditEntry, names: Mapping[str, str]) -> tuple[str, str]:
    """What was done, in our words, and what was said of it. ``names``: those of workers, by their ids."""
    if act.action == "job.change":
        return ACTS[act.action], _changed(act.detail)
    if act.action.startswith(_ON_JOB):
        return what_of(act), reason_of(act)
    if act.action == "task.version":
        version, was = read_versions(act.detail)
        return f"Has another version of the task: {version_word(version)}, before that {version_word(was or '')}", ""
    if act.action in _FOR_MANY:
        return _of_many(act)
    if act.action in _DONE:
        return _DONE[act.action].format(_whom(act, names)), act.detail
    return ACTS[act.action], act.detail


def _whom(act: AuditEntry, names: Mapping[str, str]) -> str:
    if act.action.startswith("worker."):
        return names.get(act.target) or act.target
    return "all types" if act.target == EVERY_TYPE else f"the type {act.target}"


def _of_many(act: AuditEntry) -> tuple[str, str]:
    try:
        told = msgspec.json.decode(act.detail, type=_ManyTold)
    except msgspec.DecodeError:
        told = _ManyTold()  # it was cut
    if act.action == "rollout.begin":
        return "Began a rollout: pages with old tasks load anew", told.reason
    many = "many workers" if told.matched is None else plural(told.matched, "worker")
    done = _DONE[act.action.replace("workers.", "worker.")].format(many)
    return f"{done} by one order (its own may be among them)", told.reason


def _changed(detail: str) -> str:
    """What was changed of a job, and why. Tags are hidden: it may have others by now, and then nobody knows these."""
    try:
        told = msgspec.json.decode(detail, type=dict[str, Any])
    except msgspec.DecodeError:
        return MARK  # it was cut
    changes = changes_of({name: value for name, value in told.items() if name != "tags"})
    changes = ", ".join(part for part in (changes, f"tags {MARK}" if "tags" in told else "") if part)
    return f"{changes}: {told['reason']}" if told.get("reason") else changes
