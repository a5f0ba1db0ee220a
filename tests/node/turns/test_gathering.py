"""Jobs that wait for a turn are limited and keep their order; a batch goes into one turn (S3, S22)."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import KeyConflict, QueueFull, StorageTrouble, Unavailable
from dispatcher.node.turns.gathering import Intake
from dispatcher.node.turns.turns import MOST_ITEMS
from tests.support.house import House

pytestmark = pytest.mark.gen_test


def jobs(count: int, data: str = "1", key: str | None = None) -> list[JobSpec]:
    return [
        JobSpec(type="echo", data=data, key=None if key is None else f"{key}{n}", fingerprint="f") for n in range(count)
    ]


async def test_what_waits_is_taken_in_order_and_what_belongs_together_stays_together():
    intake = Intake(most_jobs=100, most_bytes=100)
    for count in (1, 3, 4, 2):
        intake.add(jobs(count))
    assert [len(item.specs) for item in intake.take(5)] == [1, 3]
    assert [len(item.specs) for item in intake.take(5)] == [4]
    intake.add(jobs(9))
    assert [len(item.specs) for item in intake.take(2)] == [2]
    assert [len(item.specs) for item in intake.take(2)] == [9], "one at least, or it would wait for ever"
    assert not intake
    assert intake.take(5) == []


@pytest.mark.parametrize(("count", "data"), [(2, "1"), (1, "x" * 60), (1, "ä" * 30)])
async def test_what_waits_is_bounded_in_jobs_and_in_bytes_and_room_comes_back(count: int, data: str):
    intake = Intake(most_jobs=4, most_bytes=100)
    intake.add(jobs(count, data))
    intake.add(jobs(count, data))
    with pytest.raises(Unavailable):
        intake.add(jobs(1))
    intake.take(count)
    intake.add(jobs(1))
    assert [len(item.specs) for item in intake.take_all()] == [count, 1]
    assert not intake


async def test_a_batch_is_in_one_turn_however_many_jobs_come_before_it():
    house = await House().start()
    singles = (house.dispatcher.submit_batch([spec]) for spec in jobs(MOST_ITEMS - 10))
    *_, accepted = await asyncio.gather(*singles, house.dispatcher.submit_batch(jobs(1_000)))
    assert len({item.job.id for item in accepted if item.job is not None}) == 1_000
    turns = [turn.submissions for turn in house.store.turns if turn.submissions]
    assert [len(turn) for turn in turns] == [MOST_ITEMS - 10, 1_000]
    assert len({spec.batch for spec in turns[1]}) == 1


async def test_each_submitter_is_told_of_its_own_jobs():
    house = await House().start()
    several = [jobs(2, '"a"'), jobs(1, '"b"'), jobs(3, '"c"')]
    answers = await asyncio.gather(*(house.dispatcher.submit_batch(specs) for specs in several))
    for specs, accepted in zip(several, answers, strict=True):
        assert [item.job.data for item in accepted if item.job is not None] == [spec.data for spec in specs]


async def test_a_batch_that_is_refused_leaves_nothing_and_its_key_free():
    house = await House(queue_depth=4).start()
    await house.dispatcher.submit_batch(jobs(2, key="k"))
    with pytest.raises(QueueFull):
        await house.dispatcher.submit_batch(jobs(3, key="l"))
    with pytest.raises(KeyConflict):
        await house.dispatcher.submit_batch(jobs(3, key="k"))
    assert (await house.dispatcher.counts())["queued"] == 2
    accepted = await house.dispatcher.submit_batch(jobs(2, key="l"))
    assert [item.replayed for item in accepted] == [False, False]


@pytest.mark.expect_log("no room at all")
async def test_who_has_submitted_a_batch_is_told_that_the_store_has_failed():
    house = await House().start()
    house.store.trouble = StorageTrouble("no room at all")
    waiting = [asyncio.ensure_future(house.dispatcher.submit_batch(jobs(1_000))) for _ in range(3)]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StorageTrouble] * 3
