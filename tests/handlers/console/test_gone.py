"""Workers that have gone, in the list of workers: what finds them, and what the page says where nothing can."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Browser, body_of
from tests.support.house import House

ONLY_NAMES = "Of a worker that has gone the server knows only the name"


async def two_have_gone(house: House) -> None:
    for name in ("DESK-1", "DESK-10"):
        await house.register(name, "print-label", name=name, labels={"site": "bonn"})
        await house.say(name, op="bye")
        house.pages.ended(name, house.clock.monotonic())
    await house.register("s1", "print-label", name="DESK-2", labels={"site": "bonn"})
    await house.pass_time(house.settings.store_check_s)


async def names(browser: Browser, query: str) -> list[str]:
    return [worker["name"] for worker in body_of(await browser.get(f"/api/v1/workers{query}"))["items"]]


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["type=print-label", "label=site:bonn", "type=print-label&state=gone"])
async def test_a_filter_that_cannot_find_who_has_gone_says_so(browser: Browser, house: House, query: str) -> None:
    await two_have_gone(house)
    body = (await browser.get(f"/workers?{query}")).body.decode()
    assert ONLY_NAMES in body
    assert 'href="/workers?state=gone"' in body
    assert "DESK-10" not in body
    assert ("DESK-2" in body) == ("gone" not in query)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "query", ["", "?name=DESK", "?state=gone", "?label=name:DESK-1", "?type=x&state=connected", "?label=nonsense"]
)
async def test_a_filter_that_finds_them_or_asks_for_others_says_nothing_of_it(
    browser: Browser, house: House, query: str
) -> None:
    await two_have_gone(house)
    assert ONLY_NAMES not in (await browser.get(f"/workers{query}")).body.decode()


@pytest.mark.gen_test
async def test_a_worker_that_has_gone_is_found_by_its_whole_name(browser: Browser, house: House) -> None:
    await two_have_gone(house)
    assert await names(browser, "") == ["DESK-1", "DESK-2", "DESK-10"]
    assert await names(browser, "?label=name:DESK-1") == ["DESK-1"]
    assert await names(browser, "?label=name:DESK-1&state=gone") == ["DESK-1"]
    assert await names(browser, "?label=name:DESK-1&name=DESK-10") == []
    assert await names(browser, "?label=name:DESK") == []
    assert await names(browser, "?label=name:DESK-1&state=connected") == []
