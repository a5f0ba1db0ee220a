"""The clocks that the nodes of a database share: its own, and the queue clock.

The database's clock counts: nodes whose clocks are hours apart agree on what is due, and when it happened (I16).
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from dispatcher.core.jobs.turn import Turn, TurnReport

__all__ = ["DatabaseClock", "QueueClock"]

#: Clocks that are no further apart are taken for the same.
_SAME_S = 0.25


class DatabaseClock:
    """``utc``: this machine's clock; None: the clock of the turns counts, as if there were no other."""

    def __init__(self, utc: Callable[[], float] | None) -> None:
        self._utc = utc
        #: How far the database's clock is ahead.
        self._ahead_s = 0.0

    def look(self, database_at: Callable[[], float]) -> None:
        """Asks the database for its time."""
        if self._utc is not None:
            before_at = self._utc()
            self.seen(database_at(), before_at)

    def seen(self, database_at: float, before_at: float) -> None:
        """It was ``database_at`` there at some instant between ``before_at`` here and now: a turn may wait for long."""
        if self._utc is None:
            return
        least_s, most_s = database_at - self._utc() - _SAME_S, database_at - before_at + _SAME_S
        if not least_s <= self._ahead_s <= most_s:
            self._ahead_s = 0.0 if least_s <= 0.0 <= most_s else (least_s + most_s) / 2

    def dated(self, turn: Turn) -> Turn:
        """The turn by the database's clock."""
        return turn if not self._ahead_s else replace(turn, now_at=turn.now_at + self._ahead_s)

    def told(self, report: TurnReport) -> TurnReport:
        """What the node is to do by its own clock."""
        if not self._ahead_s or report.next_due_at is None:
            return report
        return replace(report, next_due_at=report.next_due_at - self._ahead_s)


class QueueClock:
    """The queue clock as one node has it: it goes on by itself, and is set forward if another node's is ahead.

    A turn may come to the database long after it was gathered. That the others' clocks have gone on meanwhile is no
    lead of theirs: taken for one, every late turn would make the clocks of all nodes go faster.
    """

    def __init__(self, at: float) -> None:
        #: Where ``Turn.elapsed_s`` is zero; and the clock of the last turn.
        self.base = self.last = at

    def own(self, elapsed_s: float) -> float:
        """What the node says in a turn."""
        return self.base + elapsed_s

    def seen(self, clock: float, elapsed_s: float, late_s: float) -> None:
        """The nodes had agreed on ``clock`` at most ``late_s`` after the turn was gathered."""
        self.last = clock
        self.base = max(self.base, clock - elapsed_s - late_s)
