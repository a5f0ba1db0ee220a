"""The contract of a store: with which version of its task an attempt ran."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import Holder, Started
from tests.store.contract import HOLDER, Desk, result


@pytest.mark.parametrize("accepted", [True, False])
def test_an_attempt_keeps_the_version_of_the_task_that_it_ran_with(desk: Desk, accepted: bool) -> None:
    holder = Holder("worker-1", "Anna", "boot-1", "aaaaaaaaaaaa-1764489600")
    desk.submit()
    claim = desk.claim_one()
    if accepted:
        desk.report(Started(claim.attempt, holder))
        assert [attempt.task_version for attempt in desk.job(claim.job).attempts] == [holder.task_version]
    known = HOLDER if accepted else holder  # the holder of an earlier run does not know it any more
    desk.report(result(claim.attempt, holder=known))
    assert [attempt.task_version for attempt in desk.job(claim.job).attempts] == [holder.task_version]
