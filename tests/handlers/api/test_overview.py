"""``GET /api/v1/overview``: what the overview shows, for programs."""

from __future__ import annotations

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House, run_one
from tests.support.scenes import submit

pytestmark = pytest.mark.gen_test(timeout=30)


async def test_a_server_that_is_well_says_so(ask: Ask, house: House) -> None:
    await house.register("s1", "sum")
    told = body_of(await ask("/api/v1/overview"))
    assert (told["well"], told["problems"], told["types"], told["more_types"]) == (True, [], [], False)
    assert told["sentence"] == "All is well. 1 worker ready, no job was done in the last hour, no job waits."
    assert told["counters"] == dict.fromkeys(("waiting", "running", "in_doubt", "succeeded", "failed", "gone"), 0) | {
        "ready": 1
    }
    assert told["workers"] == {"ready": 1, "busy": 0, "paused": 0, "aside": 0, "away": 0}


async def test_problems_are_sentences_with_a_code_and_the_age_of_the_oldest(ask: Ask, house: House) -> None:
    await submit(house, type="fax")
    await house.pass_time(120.0)
    told = body_of(await ask("/api/v1/overview"))
    assert (told["well"], told["sentence"]) == (False, "1 thing to look at")
    assert told["problems"] == [
        {
            "code": "never_offered", "type": "fax", "since": "2026-11-23T21:24:05.123Z",
            "sentence": "1 job of type fax waits for 2 min: no worker has ever offered it.",
            "links": {"console": "/jobs?state=queued&type=fax"},
        }
    ]  # fmt: skip
    [line] = told["types"]
    assert (line["type"], line["counts"]["queued"], line["waits_since"]) == ("fax", 1, "2026-11-23T21:24:05.123Z")


async def test_each_busy_type_has_its_last_hour_and_its_workers(ask: Ask, house: House) -> None:
    await house.register("s1", "sum")
    await house.submit("sum")
    await run_one(house)
    [line] = body_of(await ask("/api/v1/overview"))["types"]
    assert (line["type"], line["workers"], line["present"]["ready"], line["waits_since"]) == ("sum", 1, 1, None)
    assert (line["ended"]["succeeded"], line["ended"]["window_ms"], len(line["ended"]["points"])) == (1, 3_600_000, 1)


@pytest.mark.parametrize("settings", [Settings(public_url="https://example.org/hand/")])
async def test_links_have_the_path_under_which_a_proxy_shows_the_server(ask: Ask, house: House) -> None:
    await submit(house, type="fax")
    [problem] = body_of(await ask("/api/v1/overview", headers={"Host": "example.org"}))["problems"]
    assert problem["links"] == {"console": "/hand/jobs?state=queued&type=fax"}


async def test_who_is_missed_at_this_hour_is_told_by_name(ask: Ask, house: House) -> None:
    for name in ("DESK-1", "DESK-2"):
        await house.register(name, "sum", name=name)
    house.clock.step_wall(1.0 - house.clock.utc() % 3_600.0)
    for _ in range(30):
        await house.pass_time(3_600.0)
    assert body_of(await ask("/api/v1/overview"))["roll_call"] == {"usual": 0, "here": 0, "missed": []}, (
        "not looked yet"
    )
    await house.say("DESK-2", op="bye")
    for seconds in (house.settings.store_check_s, 130.0, 60.0):
        await house.pass_time(seconds)
    told = body_of(await ask("/api/v1/overview"))
    assert told["roll_call"]["missed"] == [{"name": "DESK-2", "gone_at": told["problems"][0]["since"]}]
    assert (told["roll_call"]["usual"], told["roll_call"]["here"]) == (2, 1)
    [problem] = told["problems"]
    assert (problem["code"], problem["links"]) == ("workers_missed", {"console": "/workers?state=gone"})
    words = "1 of 2 workers that are usually here at this hour is here. Missing: DESK-2 (for 3 min)."
    assert problem["sentence"] == words
