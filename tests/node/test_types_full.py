"""More types than the server may know: the page is told, the log is told, and they are known when there is room."""

from __future__ import annotations

import logging
import re

import pytest

from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.errors import TooManyTypes
from dispatcher.node.service import TYPES_KEPT_S
from dispatcher.store.port import Limits
from tests.support.house import House, TroubledStore, memory_store

pytestmark = pytest.mark.gen_test

told = pytest.mark.expect_log("no room for types: new")

FULL = ("refused", "types_full")


async def full_house() -> House:
    """Its store may know three types, and does."""
    house = await House(memory_store(TroubledStore, limits=Limits(most_types=3))).start()
    await house.register("s0", "x", "y", "z")
    return house


async def known(house: House) -> list[str]:
    return [view.type for view in await house.store.types()]


async def test_types_without_jobs_and_pages_are_forgotten_after_ten_minutes():
    house = await full_house()
    await house.register("s1", "x")
    await house.say("s0", op="bye")
    await house.pass_time(TYPES_KEPT_S - 1)
    assert await known(house) == ["x", "y", "z"]
    await house.pass_time(1)
    assert await known(house) == ["x"]
    await house.say("s1", op="bye")
    await house.pass_time(TYPES_KEPT_S)
    assert await known(house) == []


@told
async def test_a_page_is_told_which_of_its_types_found_no_room_and_goes_on_with_the_others():
    house = await full_house()
    await house.register("s1", "x", "new", "newer")
    [notice] = [message for message in await house.hear("s1") if message["op"] == "refused"]
    assert (notice["op"], notice["code"]) == FULL
    assert "new, newer" in notice["detail"]
    assert "--most-types" in notice["detail"]
    assert len(house.dispatcher.workers(WorkerFilter(type="new")).items) == 1
    with pytest.raises(TooManyTypes):
        await house.submit("new")


@told
async def test_they_are_known_when_other_types_have_gone():
    house = await full_house()
    await house.register("s1", "new")
    await house.say("s0", op="bye")
    await house.pass_time(TYPES_KEPT_S)
    await house.pass_time(TYPES_KEPT_S)
    assert await known(house) == ["new"]


@told
async def test_the_log_tells_of_it_once_a_minute(caplog: pytest.LogCaptureFixture):
    house = await full_house()
    with caplog.at_level(logging.WARNING, logger="pagehand.turns"):
        await house.register("s1", "new")
        await house.register("s2", "newer")
        assert [record.getMessage().split(":")[0] for record in caplog.records] == ["no room for types"]
        assert "new" in caplog.text
        house.clock.advance(60.0)
        await house.register("s3", "newest")
    assert [re.findall(r"(\d+) since", record.getMessage()) for record in caplog.records] == [["1"], ["2"]]
