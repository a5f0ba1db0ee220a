"""The contract of a store: its lives follow each other. An older life is refused, and running time is kept."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.turn import Cancel
from dispatcher.errors import StorageTrouble
from dispatcher.store.driving import PURGE_EVERY_S
from tests.store.conftest import OpenDesk
from tests.store.contract import DURABLE, Desk, error
from tests.support.jobs import spec


def test_the_turn_of_an_earlier_life_is_refused_and_changes_nothing(desk: Desk) -> None:
    (job,) = desk.submit()
    turn = desk.make_turn(submissions=[spec()], commands=[Cancel(job.id, "not needed")])
    stale = replace(turn, node="main", epoch=turn.epoch - 1)
    with pytest.raises(StorageTrouble, match=f"life {stale.epoch} of node 'main' is over, its life {turn.epoch}"):
        desk.run(desk.store.apply(stale))
    assert desk.counts() == {"queued": 1}


def test_no_two_lives_have_the_same_number_although_nothing_happens_in_them(durable: Desk) -> None:
    epochs = []
    for _ in range(4):
        epochs.append(durable.store.epoch)
        durable.turn()
        durable.reopen()
    assert epochs == [1, 2, 3, 4]


@pytest.mark.parametrize("kind", DURABLE, ids=lambda kind: kind.name)
def test_idle_running_time_counts_for_retention_over_many_restarts(open_desk: OpenDesk, kind: object) -> None:
    desk = open_desk(kind, retention_s=7 * 86_400.0)
    (job,) = desk.submit()
    desk.command(Cancel(job.id, "not needed"))
    nights = 0
    while desk.run(desk.store.job(job.id)) is not None:
        assert nights < 10, "it is never removed"
        desk.pass_time(23 * 3_600.0)
        desk.turn()
        desk.reopen()
        desk.pass_time(PURGE_EVERY_S)
        desk.turn()
        nights += 1
    assert nights == 8


def test_idle_running_time_counts_for_a_backoff_over_many_restarts(durable: Desk) -> None:
    claim = durable.start()
    durable.report(error(claim.attempt, delay_s=10.0))
    for _ in range(3):
        assert durable.claim() == []
        durable.pass_time(3.0)
        durable.turn()
        durable.reopen()
    durable.pass_time(1.0)
    assert durable.claim_one().job == claim.job
