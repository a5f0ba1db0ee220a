"""A job whose attempt is over while its task does not stop: the console and the API say so."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.scenes import submit, take

HANGS = "over, but its task does not stop"


@pytest.mark.gen_test
async def test_a_cancelled_job_whose_task_goes_on_is_shown_as_hanging_until_the_page_answers(
    ask: Ask, browser: Browser, house: House
) -> None:
    tried = await take(house, await submit(house, "hung"))
    await tried.say("accept")
    assert HANGS not in (await browser.get("/workers")).body.decode()
    await house.dispatcher.cancel("hung", "enough")
    assert HANGS in (await browser.get("/workers")).body.decode()
    [worker] = body_of(await ask("/api/v1/workers"))["items"]
    assert (worker["jobs"], worker["hanging"]) == (["hung"], ["hung"])
    await tried.say("released", reason="cancelled")
    [worker] = body_of(await ask("/api/v1/workers"))["items"]
    assert (worker["jobs"], worker["hanging"]) == ([], [])
