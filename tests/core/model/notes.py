"""Notes what people and programs have changed, to tell its effects from forbidden ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.turn import (
    Adopt,
    Amend,
    Cancel,
    Command,
    CommandReport,
    Decide,
    Delete,
    JobCommand,
    Reopen,
    Retry,
    TurnReport,
)

if TYPE_CHECKING:
    from tests.core.model.server_half import ServerHalf

__all__ = ["note"]


def note(half: ServerHalf, command: Command, done: CommandReport, report: TurnReport) -> None:
    """Notes what a person or a program has changed, to tell its effects from forbidden ones."""
    if done.revoked is not None:
        half.revoked.add(done.revoked)
    if not isinstance(command, JobCommand):
        return
    if isinstance(command, Delete):
        half.accepted.discard(command.job)
        half.removed.add(command.job)
    if command.job in half.rows.by_id:
        _change(half, command, half.row(command.job), report)


def _change(half: ServerHalf, command: JobCommand, row: JobRow, report: TurnReport) -> None:
    """The job is still there."""
    if not isinstance(command, Cancel):
        half.by_hand.add(row.id)
    if isinstance(command, Amend) and command.delay_s:
        half.ready_since.pop(row.seq, None)
    if isinstance(command, Retry | Decide):
        half.reopened.discard(row.seq)
    if isinstance(command, Reopen):
        assert row.terms.effects == "once", "taken back, and nothing was in doubt"
        half.reopened.add(row.seq)
        half.decided.pop(row.seq, None)
        half.ready_since.pop(row.seq, None)
    if isinstance(command, Retry):
        mine = {a.id for a in half.attempts_of(row.seq)}
        half.rounds[row.seq] = mine - {claim.attempt for claim in report.claims}
        half.ready_since.pop(row.seq, None)
    elif isinstance(command, Adopt):
        late = max(a.id for a in half.attempts_of(row.seq) if a.evidence is not None)
        half.decided[row.seq] = half.values[late]
    elif isinstance(command, Decide):
        assert row.terms.effects == "once", "decided, and nothing was in doubt"
        if command.value is not None:
            half.decided[row.seq] = command.value
