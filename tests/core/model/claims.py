"""What must hold for the jobs that a turn claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatcher.core.jobs.turn import Claim

if TYPE_CHECKING:
    from tests.core.model.server_half import ServerHalf

__all__ = ["check_claims"]


def check_claims(half: ServerHalf, claims: list[Claim]) -> None:
    """Claims come in the order of ranks; none may have had its effect; no worker was passed over."""
    lanes: dict[str, list[tuple[float, int]]] = {}
    for claim in claims:
        row = half.row(claim.job)
        assert row.rank is not None
        assert row.seq not in half.reopened, "it is in doubt again, and nobody has decided"
        assert claim.number == row.number + 1
        before = {a.id for a in half.attempts_of(row.seq)} - half.rounds.get(row.seq, set())
        assert not before & half.told_to_go, "its effect may have happened, and nobody asked for another"
        lanes.setdefault(claim.type, []).append((row.rank, row.seq))
    for name, order in lanes.items():
        assert order == sorted(order), "not in the order of ranks"
        rest = [(r.rank, r.seq) for r in half.rows.by_seq.values() if r.state == "queued" and r.type == name]
        assert all(order[-1] < (rank or 0.0, seq) for rank, seq in rest), "a job was overtaken"
