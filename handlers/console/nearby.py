"""The workers that nearly take a job that waits, by name: what keeps each from it, and the button that helps. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from dispatcher.core.jobs.matching import NAME, Requirement, missing, said
from dispatcher.core.jobs.model import JobView, WorkerStatus, WorkerView
from dispatcher.core.jobs.views.outlook import Outlook
from handlers.console.presses import Press
from handlers.console.words import age, worker_link

__all__ = ["MOST_NEARBY", "Nearby", "absent", "nearby"]

#: The workers that are named; the list of workers has all.
MOST_NEARBY = 5
#: Why the job waits, where other things than its workers do not keep it.
_BY_THEIR_ABSENCE = ("no_worker", "no_match")
_BY_WORKERS = ("no_match", "away", "paused", "set_aside", "busy")


class WhyWaiting(Protocol):
    """Why a job waits, as far as it is looked at here."""

    @property
    def code(self) -> str: ...
    @property
    def outlook(self) -> Outlook | None: ...


class Nearby(Struct, frozen=True):
    """One such worker."""

    #: Its page.
    link: str
    name: str
    #: What keeps the job from it, to stand behind its name.
    words: str
    press: Press | None = None


def nearby(job: JobView, waiting: WhyWaiting, workers: Iterable[WorkerView]) -> list[Nearby]:
    """``waiting``: why the job waits; ``workers``: those that offer its type. Those that a button helps come first.

    Of a job that requires nothing only these are named: any worker will do, and a list of busy ones helps nobody.
    """
    if waiting.code not in _BY_WORKERS:
        return []
    is_first = waiting.outlook is not None and waiting.outlook.place == 1
    found = [near for worker in workers if (near := _near(job.terms.requires, worker, is_first)) is not None]
    wanted = [near for near in found if near.press is not None or job.terms.requires]
    return sorted(wanted, key=lambda near: near.press is None)[:MOST_NEARBY]


def absent(waiting: WhyWaiting, workers: Iterable[WorkerView]) -> list[Nearby]:
    """Of the workers that the job asks for by their names, those that were here once and have gone."""
    if waiting.code not in _BY_THEIR_ABSENCE:
        return []
    gone = [worker for worker in workers if worker.state is WorkerStatus.GONE]
    return [
        Nearby(worker_link(worker), worker.name, f"is not here: it went {age(worker.last_contact_s or 0.0)} ago")
        for worker in gone[:MOST_NEARBY]
    ]


def _near(requirement: Requirement, worker: WorkerView, is_first: bool) -> Nearby | None:
    lacks = missing(requirement, worker.labels, worker.name)
    if len(lacks) > 1 or (lacks and lacks[0][0] == NAME) or worker.blocked is not None:
        return None
    name = worker.name or worker.id
    words, press = (f"lacks {said(lacks)}", None) if lacks else _kept_from(worker, name, is_first)
    return Nearby(worker_link(worker), name, words, press)


def _kept_from(worker: WorkerView, name: str, is_first: bool) -> tuple[str, Press | None]:
    """What keeps the job from a worker that matches. ``is_first``: no other one of its lane goes before it."""
    if worker.held is not None:
        at_once = is_first and worker.state is WorkerStatus.CONNECTED and len(worker.jobs) < worker.slots
        label = f"Resume {name} and this starts at once" if at_once else f"Resume {name}"
        return f"is paused{worker.held.words()}", Press(label, f"/workers/{worker.id}/resume")
    if worker.paused:
        return "is paused at its page; whoever sits there can resume it", None
    if worker.state is WorkerStatus.SET_ASIDE:
        return "did not take its last jobs", Press(f"Load the page of {name} anew", f"/workers/{worker.id}/reload")
    if worker.state is not WorkerStatus.CONNECTED:
        return "cannot be reached just now", None
    if worker.hanging:
        return "has a task that does not stop", Press(f"Load the page of {name} anew", f"/workers/{worker.id}/reload")
    return f"is busy with {len(worker.jobs)} of {worker.slots}", None
