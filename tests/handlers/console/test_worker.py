"""The page of one worker, and its buttons."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Browser
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)


async def test_the_list_leads_to_the_page_whose_buttons_pause_and_resume(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    assert f'href="{address}"' in await browser.page("/workers")
    pressed = await browser.post(f"{address}/pause", {"reason": "lunch <b>"}, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, address)
    page = await browser.page(address)
    assert "Paused by console: lunch &lt;b&gt;" in page
    assert "Let it have jobs again" in page
    assert "Paused by console" in await browser.page("/workers")
    await browser.post(f"{address}/drain", {"reason": ""}, address)
    assert "its page stops when it has nothing to do" in await browser.page(address)
    await browser.post(f"{address}/resume", {}, address)
    assert "Let it have jobs again" not in await browser.page(address)


async def test_a_blocked_worker_keeps_its_page_until_it_is_unblocked(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/block", {"reason": "not ours"}, address)
    assert "Blocked by console: not ours" in await browser.page(address)
    pressed = await browser.post(f"{address}/unblock", {}, address)
    assert (pressed.code, pressed.headers["Location"]) == (303, "/workers")


async def test_the_buttons_reload_a_page_that_is_there(browser: Browser, house: House) -> None:
    address = f"/workers/{(await house.register('s1', 'echo', name='desk'))['worker']}"
    await browser.post(f"{address}/reload", {}, address)
    await browser.post(f"{address}/reload-now", {}, address)
    assert await house.hear("s1") == [{"op": "reload", "idle": True}, {"op": "reload"}]
    assert "loads anew when it has nothing to do" in await browser.page(address)
    house.pages.ended("s1", house.clock.monotonic())
    late = await browser.post(f"{address}/reload", {}, address)
    assert (late.code, "is not connected" in late.body.decode()) == (409, True)
