"""Records what happens in simulated pages, for people and tests. Memory only; all pages of a farm share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Execution", "Journal", "Outcome"]


class Execution(NamedTuple):
    """A task was started."""

    job: str
    attempt: str
    worker: str


class Outcome(NamedTuple):
    """The server answered a report: ``verdict`` is recorded, duplicate, stale, or ``refused:<code>``."""

    job: str
    attempt: str
    worker: str
    verdict: str
    #: The kind of report: ``result`` or ``error``. At most one result of a job is ever recorded.
    kind: str


def _nobody() -> None:
    pass


@dataclass(slots=True)
class Journal:
    """Lists grow with the run; ``keep`` limits each to its newest entries (0: no limit)."""

    executed: list[Execution] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    #: How often each thing happened; the names are stable and shown by ``pagehand simulate``.
    stats: Counter[str] = field(default_factory=Counter)
    keep: int = 0
    #: Called after each change.
    changed: Callable[[], None] = _nobody

    def count(self, name: str) -> None:
        """Counts one more of these."""
        self.stats[name] += 1
        self.changed()

    def execution(self, execution: Execution) -> None:
        """A task was started."""
        self.executed.append(execution)
        self._trim(self.executed)
        self.count("executed")

    def outcome(self, outcome: Outcome) -> None:
        """The server answered a report."""
        self.outcomes.append(outcome)
        self._trim(self.outcomes)
        self.count(outcome.verdict)

    def _trim(self, entries: list[Execution] | list[Outcome]) -> None:
        if self.keep and len(entries) > 2 * self.keep:
            del entries[: -self.keep]
