"""A type that nobody offers and that has no jobs is forgotten with the next tidying."""

from __future__ import annotations

import pytest

from tests.support.house import House

pytestmark = pytest.mark.gen_test

#: How often the server tidies its types.
TIDYING_S = 600.0


async def _types(house: House) -> list[str]:
    house.shipped = {}
    return [view.type for view in (await house.dispatcher.types.page()).items]


async def test_a_type_without_jobs_is_forgotten_some_time_after_its_last_page_has_gone():
    house = await House().start()
    await house.register("s1", "scan")
    await house.say("s1", op="bye")
    await house.pass_time(TIDYING_S - 1.0)
    assert await _types(house) == ["scan"]
    await house.pass_time(1.0)
    assert await _types(house) == []


async def test_a_type_that_a_page_offers_or_that_has_jobs_is_kept():
    house = await House().start()
    await house.register("s1", "scan")
    await house.register("s2", "gone")
    await house.submit("waits")
    await house.say("s2", op="bye")
    await house.pass_time(TIDYING_S)
    assert await _types(house) == ["scan", "waits"]


async def test_types_are_tidied_again_and_again():
    house = await House().start()
    for number in range(3):
        await house.register(f"s{number}", f"type-{number}")
        await house.say(f"s{number}", op="bye")
        assert await _types(house) == [f"type-{number}"]
        await house.pass_time(TIDYING_S)
        assert await _types(house) == []
