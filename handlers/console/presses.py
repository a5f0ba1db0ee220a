"""Buttons that help at once, beside the sentence that says what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from urllib.parse import urlencode

from msgspec import Struct

from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.acts.operations import WorkerAction
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.model import WorkerFilter, WorkerView

__all__ = ["MOST_PRESSES", "Press", "offer_withheld", "reload_at_once", "resume_type", "resume_workers", "start_now"]

#: The paused workers that have a button of their own; of more there is one for all.
MOST_PRESSES = 3


class Press(Struct, frozen=True):
    """A button that helps."""

    label: str
    #: Where its form goes, and what stands in it: (name, value).
    action: str
    fields: tuple[tuple[str, str], ...] = ()


def resume_type(name: str) -> Press:
    """Lets the jobs of a type run again; of all types, if that is its name."""
    return Press("Let the jobs run again" if name == EVERY_TYPE else "Let its jobs run again", f"/types/{name}/resume")


def offer_withheld(files: int) -> Press:
    """Has the task files offered that failed on a canary."""
    return Press(f"Offer {'it' if files == 1 else f'all {files}'} all the same", "/rollout/release")


def resume_workers(workers: Iterable[WorkerView], wanted: WorkerFilter) -> list[Press]:
    """A button for each of these that an operator has paused, if they are few; and one for all of them, which asks.

    ``wanted``: which workers they are.
    """
    held = list(islice((worker for worker in workers if worker.held is not None), MOST_PRESSES + 1))
    if len(held) < 2:
        return [_resume(worker) for worker in held]
    asked = [("type", wanted.type), ("label", wanted.label), ("state", WorkerDoing.PAUSED)]
    fields = ("action", WorkerAction.RESUME), ("filter", urlencode([one for one in asked if one[1]]))
    every = Press("Resume both…" if len(held) == 2 else "Resume all of them…", "/workers/act", fields)
    return [*(_resume(worker) for worker in held if len(held) <= MOST_PRESSES), every]


def _resume(worker: WorkerView) -> Press:
    return Press(f"Resume {worker.name or worker.id}", f"/workers/{worker.id}/resume")


def reload_at_once(worker_id: str, name: str) -> Press:
    """Has the page of a stuck worker loaded anew: what it does is over anyway."""
    return Press(f"Load the page of {name or worker_id} anew", f"/workers/{worker_id}/reload-now")


def start_now(type_name: str, code: str) -> Press | None:
    """What lets a job begin whose type does not run. ``code``: why it waits."""
    if code == "everything_paused":
        return resume_type(EVERY_TYPE)
    return resume_type(type_name) if code == "type_paused" else None
