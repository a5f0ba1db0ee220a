"""Runs turns: passes the applier's requests to a driver. Goes item by item if some item cannot be stored (S23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from dispatcher.core.jobs.turn import Accepted, CommandReport, ForgetTypes, Settled, Turn, TurnReport, Verdict
from dispatcher.errors import StorageTrouble
from dispatcher.store.applier.admission import batches
from dispatcher.store.applier.turn import Applied, types_kept
from dispatcher.store.requests import Due, Load, Purge, Ready, Save, StoreDriver

__all__ = ["Apply", "Guard", "Pace", "StaleLife", "apply_items", "refuse_stale", "run", "stale_words"]

#: How often turns look for jobs whose retention has passed.
PURGE_EVERY_S = 60.0

#: Applies a part of a turn; takes the keywords of ``applier.apply``.
Apply = Callable[..., TurnReport]
Guard = Callable[[Callable[[], TurnReport]], TurnReport | None]


def run(steps: Applied, driver: StoreDriver) -> TurnReport:
    """Lets a driver answer an applier's requests. Raises what the driver raises."""
    answers: dict[type, Callable[[Any], Any]] = {
        Load: driver.load, Due: driver.due, Ready: driver.ready, Purge: driver.purge, Save: driver.save,
    }  # fmt: skip
    answer = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration as end:
            report: TurnReport = end.value
            return report
        answer = answers[type(request)](request)


def apply_items(apply: Apply, turn: Turn, guard: Guard) -> TurnReport:
    """Applies a turn item by item, so that an item that cannot be stored is refused and fails no other.

    ``guard`` runs a step under a savepoint. It undoes the step and answers None if the step's item cannot be stored.
    """
    parts = _Parts(apply, turn, guard)
    verdicts, commands, accepted = [], [], []
    for report in turn.reports:
        step = parts.one(reports=[report])
        verdicts += step.verdicts if step else [Settled(report.attempt, Verdict.REFUSED)]
    for command in turn.commands:
        if isinstance(command, ForgetTypes):
            command = ForgetTypes(types_kept(turn))
        step = parts.one(commands=[command])
        commands += step.commands if step else [CommandReport(False)]
    for batch in batches(turn.submissions):
        step = parts.one(submissions=batch)
        accepted += step.accepted if step else [_REFUSED] * len(batch)
    last = parts.last()
    return replace(last, verdicts=verdicts, commands=commands, accepted=accepted, changes=parts.changes)


class Pace:
    """Decides which turns look for jobs whose retention has passed: one now and then, the next too if more are left."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def due(self, turn: Turn) -> bool:
        """Whether this turn must look."""
        return turn.elapsed_s >= self._next_s

    def done(self, turn: Turn, report: TurnReport) -> None:
        """The turn is durable."""
        if self.due(turn) and not report.more:
            self._next_s = turn.elapsed_s + PURGE_EVERY_S


def refuse_stale(turn: Turn, epoch: int) -> None:
    """A node that lives on behind its own successor must not write. Raises StorageTrouble."""
    if turn.epoch != epoch:
        raise StorageTrouble(stale_words(turn.epoch, turn.node, epoch))


def stale_words(epoch: int, node: str, newest: int) -> str:
    """What is said of a node whose life is over; ``newest`` 0: nothing is kept of it any more."""
    begun = f", its life {newest} has begun" if newest else ""
    return (
        f"life {epoch} of node {node!r} is over{begun}: another server has the store, "
        "or has taken over what this node had after a long silence. Nothing is written any more; start it anew"
    )


class StaleLife(Exception):
    """Another life of the node has begun, and this one may not write (S23)."""

    def __init__(self, newest: int) -> None:
        super().__init__(newest)
        self.newest = newest


class _Parts:
    """What a turn's parts have in common."""

    def __init__(self, apply: Apply, turn: Turn, guard: Guard) -> None:
        self._apply = apply
        self._turn = turn
        self._guard = guard
        self._touched: set[str] = set()
        self.changes: list[Any] = []

    def one(self, **items: Any) -> TurnReport | None:
        part = replace(self._turn, **{"reports": [], "commands": [], "submissions": [], "demand": []} | items)
        step = self._guard(lambda: self._apply(part, whole=False))
        if step is not None:
            self._touched.update(entry.lane for entry in step.ready)
            self.changes += step.changes
        return step

    def last(self) -> TurnReport:
        part = replace(self._turn, reports=[], commands=[], submissions=[])
        step = self._guard(lambda: self._apply(part, touched=self._touched))
        assert step is not None, "a step without items has nothing that could be refused"
        self.changes += step.changes
        return step


_REFUSED = Accepted(None, error="refused", detail="the store cannot hold this job's text")
