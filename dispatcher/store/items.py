"""A turn applied item by item: what a store does when some item cannot be stored, so that it fails no other (S23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from dispatcher.core.jobs.turn import Accepted, CommandReport, Settled, Turn, TurnReport, Verdict
from dispatcher.store.admission import batches
from dispatcher.store.applier import TurnApplier

__all__ = ["Guard", "apply_items"]

Guard = Callable[[Callable[[], TurnReport]], TurnReport | None]


def apply_items(applier: TurnApplier, turn: Turn, guard: Guard) -> TurnReport:
    """Applies a turn item by item, so that one that cannot be stored is refused and fails no other.

    ``guard`` runs a step under a savepoint and answers None where the step's item cannot be stored; it has then
    undone the step, and called ``forget`` or ``committed``.
    """
    verdicts, commands, accepted, finished = [], [], [], []
    for report in turn.reports:
        step = guard(lambda item=report: applier.apply(_part(turn, reports=[item]), last=False))  # type: ignore[misc]
        verdicts += step.verdicts if step else [Settled(report.attempt, Verdict.REFUSED)]
        finished += step.finished if step else []
    for command in turn.commands:
        step = guard(lambda item=command: applier.apply(_part(turn, commands=[item]), last=False))  # type: ignore[misc]
        commands += step.commands if step else [CommandReport(False)]
        finished += step.finished if step else []
    for batch in batches(turn.submissions):
        step = guard(lambda item=batch: applier.apply(_part(turn, submissions=item), last=False))  # type: ignore[misc]
        accepted += step.accepted if step else [_REFUSED] * len(batch)
        finished += step.finished if step else []
    last = guard(lambda: applier.apply(_part(turn, demand=turn.demand)))
    assert last is not None, "a step without items has nothing that could be refused"
    return replace(last, verdicts=verdicts, commands=commands, accepted=accepted, finished=finished + last.finished)


def _part(turn: Turn, **items: Any) -> Turn:
    return Turn(now_at=turn.now_at, elapsed_s=turn.elapsed_s, **items)


_REFUSED = Accepted(None, error="refused", detail="the store cannot hold this job's text")
