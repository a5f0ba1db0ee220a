"""Buttons that help at once, beside the sentence that says what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from msgspec import Struct

from dispatcher.core.jobs.acts.kept import EVERY_TYPE
from dispatcher.core.jobs.model import WorkerView

__all__ = ["MOST_PRESSES", "Press", "offer_withheld", "reload_at_once", "resume_type", "resume_workers", "start_now"]

#: The paused workers that have a button of their own; who has paused more goes to the list.
MOST_PRESSES = 3


class Press(Struct, frozen=True):
    """A button that helps."""

    label: str
    #: Where its form goes.
    action: str


def resume_type(name: str) -> Press:
    """Lets the jobs of a type run again; of all types, if that is its name."""
    return Press("Let the jobs run again" if name == EVERY_TYPE else "Let its jobs run again", f"/types/{name}/resume")


def offer_withheld(files: int) -> Press:
    """Has the task files offered that failed on a canary."""
    return Press(f"Offer {'it' if files == 1 else f'all {files}'} all the same", "/rollout/release")


def resume_workers(workers: Iterable[WorkerView]) -> list[Press]:
    """A button for each of these that an operator has paused, if they are few."""
    held = list(islice((worker for worker in workers if worker.held is not None), MOST_PRESSES + 1))
    named = [Press(f"Resume {worker.name or worker.id}", f"/workers/{worker.id}/resume") for worker in held]
    return named if len(named) <= MOST_PRESSES else []


def reload_at_once(worker_id: str, name: str) -> Press:
    """Has the page of a stuck worker loaded anew: what it does is over anyway."""
    return Press(f"Load the page of {name or worker_id} anew", f"/workers/{worker_id}/reload-now")


def start_now(type_name: str, code: str) -> Press | None:
    """What lets a job begin whose type does not run. ``code``: why it waits."""
    if code == "everything_paused":
        return resume_type(EVERY_TYPE)
    return resume_type(type_name) if code == "type_paused" else None
