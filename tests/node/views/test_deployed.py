"""Which versions of a task the connected pages have."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.views.deployed import MOST_VERSIONS
from tests.support.house import House
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=30)

OLD, NEW, COPY = "aaaaaaaaaaaa-1764490000", "bbbbbbbbbbbb-1764493200", "bbbbbbbbbbbb-1764499999"


async def open_house() -> House:
    house = await House().start()
    house.shipped = {"echo": NEW}
    return house


def told(house: House, name: str = "echo") -> tuple[int, int, int, list[tuple[str, int, bool]]]:
    one = house.dispatcher.types.deployed(name)
    return one.pages, one.old, one.silent, [(each.version, each.pages, each.newest) for each in one.versions]


async def test_pages_are_counted_by_their_version_and_the_newest_stands_first() -> None:
    house = await open_house()
    for number, version in enumerate((OLD, OLD, NEW, COPY)):
        await house.register(f"s{number}", "echo", "fax", versions={"echo": version})
    await house.register("silent", "echo")
    await house.register("other", "fax")
    assert told(house) == (5, 2, 1, [(NEW, 2, True), (OLD, 2, False)])
    assert told(house, "fax") == (5, 0, 5, [])
    assert told(house, "nobody") == (0, 0, 0, [])


async def test_a_page_that_is_away_does_not_count_and_one_that_loads_anew_has_the_new_version() -> None:
    house = await open_house()
    known = await house.register("s1", "echo", versions={"echo": OLD})
    await house.register("s2", "echo", versions={"echo": OLD})
    house.pages.away("s2", house.clock.monotonic())
    assert told(house) == (1, 1, 0, [(OLD, 1, False)])
    again = {"worker": known["worker"], "secret": known["secret"], "after": "boot-s1"}
    await house.register("s3", "echo", versions={"echo": NEW}, **again)
    assert told(house) == (1, 0, 0, [(NEW, 1, True)])


async def test_without_a_file_of_the_site_no_page_is_old() -> None:
    house = await open_house()
    house.shipped = {}
    await house.register("s1", "echo", versions={"echo": "v2"})
    assert told(house) == (1, 0, 0, [("v2", 1, False)])


async def test_however_many_versions_pages_name_few_are_told_and_all_are_counted() -> None:
    house = await open_house()
    for number in range(MOST_VERSIONS + 5):
        house.enlist(f"s{number}", "echo", versions={"echo": f"v{number}"})
    pages, old, silent, versions = told(house)
    assert (pages, old, silent, len(versions)) == (MOST_VERSIONS + 5, MOST_VERSIONS + 5, 0, MOST_VERSIONS)


async def test_a_look_for_old_pages_costs_the_same_at_100_and_at_10_000_pages() -> None:
    house, costs = await open_house(), []
    for pages in (100, 10_000):
        for number in range(len(house.dispatcher.machine.workers), pages):
            house.enlist(f"s{number}", "echo", versions={"echo": OLD})
        rollouts, types = house.dispatcher.rollouts, house.dispatcher.types
        assert rollouts.old() == (pages, ["echo"])
        costs.append(operations(lambda: (rollouts.old(), rollouts.deployed(), types.deployed("echo"))))  # noqa: B023
    assert costs[0] == costs[1]
