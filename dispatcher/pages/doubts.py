"""Pages ask how jobs in doubt stand that they have had, and say what their people answer: the port to who knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import UNSET

from dispatcher.access.acts import Actor
from dispatcher.core.fleet.worker import Worker
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.pages import protocol
from dispatcher.pages.registrar import clean

__all__ = ["Doubts", "NoDoubts", "command_of", "person_at"]


def person_at(worker: Worker, remote: str) -> Actor:
    """Who sits at this worker's page: known by the worker's name."""
    return Actor(f"worker {worker.name}", remote=remote)


def command_of(message: protocol.Doubt, worker: Worker, remote: str) -> AnswerDoubt:
    """What the page of this worker says. Its person is the author, under the worker's name."""
    return AnswerDoubt(
        job=message.job,
        attempt=message.attempt,
        worker=worker.id,
        happened=None if message.happened is UNSET else message.happened,
        question=clean(message.question),
        actor=person_at(worker, remote),
    )


class Doubts(Protocol):
    """Knows the jobs; ``node.DeskDoubts`` is one."""

    def heard(self, session: str, command: AnswerDoubt, told: Callable[[str, str], None]) -> None:
        """A page asks or answers; ``told`` how the job stands then, and why. It may hear nothing, and asks again."""


class NoDoubts:
    """No page hears anything."""

    def heard(self, session: str, command: AnswerDoubt, told: Callable[[str, str], None]) -> None:
        """Does nothing."""
