"""The page of the rollout, its buttons, and the same over the API."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from dispatcher.core.jobs.views.deployed import WithheldTask
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)

OLD, NEW = "aaaaaaaaaaaa-1764489600", "bbbbbbbbbbbb-1764493200"


async def old_pages(house: House, pages: int) -> None:
    house.shipped["fax"] = NEW
    for number in range(pages):
        await house.register(f"s{number}", "fax", name=f"DESK-<{number}>", versions={"fax": OLD})
    await house.pass_time(60.0)


def plain(text: str) -> str:
    return text.replace("&nbsp;", " ").replace("\u00a0", " ")


async def test_the_button_of_a_type_begins_one_whose_page_tells_how_far_it_is(browser: Browser, house: House) -> None:
    await old_pages(house, 7)
    page = plain(await browser.page("/types/fax"))
    assert "7 of 7 pages have an old fax: 7 have that of 2025-11-30 08:00 UTC." in page
    assert "Reload idle ones, 5 at a time" in page
    pressed = await browser.post("/rollout/begin", {"at_a_time": "5"}, "/types/fax")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/rollout")
    page = plain(await browser.page("/rollout"))
    assert "0 pages have loaded anew, 5 are about to, 2 are left." in page
    assert "DESK-&lt;0&gt;" in page
    assert 'data-refresh-s="2"' in page
    pressed = await browser.post("/rollout/stop", {}, "/rollout")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/rollout")
    page = plain(await browser.page("/rollout"))
    assert "Stopped: console stopped it. 0 pages have loaded anew, 7 pages have not." in page
    assert (await browser.post("/rollout/stop", {}, "/rollout")).code == 303, "it was over already"


@pytest.mark.parametrize("typed", ["", "0", "1001", "-1", "5.5", "\u0665", "many"])
async def test_a_number_that_is_none_begins_nothing(browser: Browser, house: House, typed: str) -> None:
    await old_pages(house, 1)
    pressed = await browser.post("/rollout/begin", {"at_a_time": typed}, "/rollout")
    assert pressed.code == 422
    assert "How many at a time must be a whole number from 1 to 1,000." in pressed.body.decode()
    assert house.dispatcher.rollouts.view is None


async def test_a_form_that_is_refused_keeps_what_was_typed(browser: Browser, house: House) -> None:
    await old_pages(house, 1)
    typed = {"at_a_time": "none", "canary": "1", "without": "site:<berlin>", "reason": 'new "fax"'}
    page = unescape((await browser.post("/rollout/begin", typed, "/rollout")).body.decode())
    assert 'name="at_a_time" value="none"' in page
    assert 'name="canary" value="1" checked>' in page
    assert ">\nsite:<berlin></textarea>" in page
    assert 'name="reason" value="new "fax""' in page


async def test_without_an_old_page_there_is_no_button_and_nothing_begins(browser: Browser, house: House) -> None:
    await house.register("s1", "fax")
    page = await browser.page("/rollout")
    assert "No connected page is known to have an old task." in page
    assert "/rollout/begin" not in page
    pressed = await browser.post("/rollout/begin", {"at_a_time": "5"}, "/submit")
    assert pressed.code == 409
    assert "there is nothing to load anew" in pressed.body.decode()


async def test_a_form_of_another_site_begins_nothing(browser: Browser, house: House) -> None:
    await old_pages(house, 1)
    assert (await browser.post("/rollout/begin", {"at_a_time": "5", "_xsrf": "2|00|00|0"}, "/rollout")).code == 403
    assert house.dispatcher.rollouts.view is None


async def test_a_program_does_the_same(ask: Ask, house: House) -> None:
    await old_pages(house, 3)

    async def tell(path: str = "", method: str = "GET", **given: Any) -> Any:
        response = await ask(f"/api/v1/rollout{path}", method, **given)
        assert response.code == 200, response.body
        return body_of(response)

    before = await tell()
    assert (before["old"], [one["type"] for one in before["types"]], before["rollout"]) == (3, ["fax"], None)
    begun = (await tell(method="POST", json={"at_a_time": 2, "canary": True, "reason": " new paper "}))["rollout"]
    assert (begun["state"], begun["at_a_time"], begun["canary"], begun["reason"], begun["actor"]) == (
        *("running", 2, True),
        *("new paper", "api"),
    )
    assert (begun["reloading"], begun["left"], begun["new"]) == (["DESK-<0>"], 2, {"ended": 0, "failed": 0})
    assert begun["sentence"] == "0 pages have loaded anew, 1 is about to, 2 are left."
    refused = await ask("/api/v1/rollout", "POST", json={})
    assert (refused.code, body_of(refused)["code"]) == (409, "wrong_state")
    stopped = (await tell("/stop", "POST", json={}))["rollout"]
    assert (stopped["state"], stopped["stopped"], stopped["detail"]) == ("stopped", "asked", "api stopped it")


FORMER = (
    "fax.js of 2025-11-30 09:00 UTC is withheld, because it failed on a canary: "
    "pages get that of 2025-11-30 08:00 UTC. Put a mended file in its place. A restart of the server offers it again."
)


async def withhold(house: House) -> None:
    """DESK-<0> has loaded the new file, which has failed; two pages have the former one."""
    await old_pages(house, 2)
    house.withheld["fax"] = WithheldTask("fax", OLD, NEW)
    await house.register("new", "fax", name="DESK-9", versions={"fax": NEW})


async def test_what_is_withheld_is_said_wherever_somebody_looks_and_a_button_offers_it(
    browser: Browser, house: House
) -> None:
    await withhold(house)
    for path in ("/", "/rollout", "/types/fax"):
        assert FORMER in plain(await browser.page(path)), path
    assert "1 of 3 pages has another fax: 1 has that of 2025-11-30 09:00 UTC." in plain(
        await browser.page("/types/fax")
    )
    assert "Offer it all the same" in await browser.page("/rollout")
    pressed = await browser.post("/rollout/release", {"back": "overview"}, "/")
    assert (pressed.code, pressed.headers["Location"]) == (303, "/")
    assert "withheld" not in await browser.page("/")
    assert "the newest fax" not in await browser.page("/types/fax")
    assert (await browser.post("/rollout/release", {}, "/rollout")).code == 303, "it was released already"


async def test_a_program_sees_and_releases_what_is_withheld(ask: Ask, house: House) -> None:
    await withhold(house)
    told = body_of(await ask("/api/v1/rollout"))
    assert told["withheld"] == [
        {
            "type": "fax", "version": OLD, "failed": NEW, "sentence": FORMER,
            "changed_at": "2025-11-30T08:00:00.000Z", "failed_changed_at": "2025-11-30T09:00:00.000Z",
        }
    ]  # fmt: skip
    assert body_of(await ask("/api/v1/types/fax"))["deployed"]["withheld"] == NEW
    [concern] = [one for one in body_of(await ask("/api/v1/overview"))["problems"] if one["code"] == "withheld"]
    assert (concern["type"], concern["sentence"]) == ("fax", FORMER)
    released = await ask("/api/v1/rollout/release", "POST", json={})
    assert (released.code, body_of(released)["withheld"]) == (200, [])
    assert (await ask("/api/v1/rollout/release", "POST", json={})).code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"at_a_time": 0},
        {"at_a_time": 1001},
        {"at_a_time": 2.5},
        {"canary": 1},
        {"x": 1},
        {"without": ["berlin"]},
    ],
)
async def test_a_body_that_is_not_understood_says_what_it_must_be(ask: Ask, house: House, body: Any) -> None:
    await old_pages(house, 1)
    refused = await ask("/api/v1/rollout", "POST", json=body)
    assert refused.code == 422
    assert "a whole number from 1 to 1,000" in body_of(refused)["errors"][0]["detail"]


async def test_pages_are_left_out_by_a_label_or_a_name(browser: Browser, ask: Ask, house: House) -> None:
    await old_pages(house, 3)
    wrong = await browser.post("/rollout/begin", {"at_a_time": "5", "without": "berlin"}, "/rollout")
    assert (wrong.code, "as in site:berlin" in wrong.body.decode()) == (422, True)
    typed = "site:ulm\r\nname:DESK-<0>"
    await browser.post("/rollout/begin", {"at_a_time": "5", "without": typed}, "/rollout")
    told = body_of(await ask("/api/v1/rollout"))["rollout"]
    assert (told["without"], told["left_out"], told["reloading"]) == (
        ["site:ulm", "name:DESK-<0>"], 1, ["DESK-<1>", "DESK-<2>"]
    )  # fmt: skip
    assert "name:DESK-&lt;0&gt;" in await browser.page("/rollout")
    await ask("/api/v1/rollout/stop", "POST", json={})
    all_left = {"without": [f"name:DESK-<{number}>" for number in range(3)]}
    done = body_of(await ask("/api/v1/rollout", "POST", json=all_left))["rollout"]
    assert done["sentence"].replace("\u00a0", " ") == (
        "Done: 0 pages have loaded anew. 3 pages with old tasks are left out."
    )
