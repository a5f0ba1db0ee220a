"""Changes page by page; and what is refused, of these and of the stream."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.telling import RollEvent
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)

TOKEN = "s3cret"
OVERVIEW = "/api/v1/overview"


async def submitted(house: House, *types: str) -> list[str]:
    """Jobs of one turn; their ids."""
    taken = await house.dispatcher.submit_batch([spec(type) for type in types])
    return [one.job.id for one in taken if one.job is not None]


async def test_a_page_of_changes(ask: Ask, house: House) -> None:
    jobs = await submitted(house, "a", "b")
    page = body_of(await ask("/api/v1/changes?after=oldest"))
    assert [(one["job"], one["from"], one["to"]) for one in page["items"]] == [(job, None, "queued") for job in jobs]
    assert (page["after"], page["gap"]) == (page["items"][1]["id"], None)
    waiting = asyncio.ensure_future(ask(f"/api/v1/changes?after={page['after']}&wait=60"))
    await eventually(lambda: house.dispatcher.feed._asleep)
    [third] = await submitted(house, "c")
    assert [one["job"] for one in body_of(await waiting)["items"]] == [third]
    assert body_of(await ask(f"/api/v1/changes?after={page['after']}&type=a")) == {
        "items": [], "after": page["after"].replace("-2", "-3"), "gap": None,
    }  # fmt: skip


async def test_a_page_after_an_earlier_life_has_a_gap(ask: Ask, house: House) -> None:
    page = body_of(await ask("/api/v1/changes?after=0123456789ab-7"))
    assert (page["items"], page["gap"]["reason"], page["gap"]["catch_up"]) == ([], "other_life", "/api/v1/jobs")


async def test_a_page_has_roll_events_for_who_asks_and_says_where_to_read_who_is_missed(ask: Ask, house: House) -> None:
    [job] = await submitted(house, "a")
    house.dispatcher.feed.told([RollEvent("workers.missed", 0.0, 3, 2, 1, [MissingWorker("DESK-1", 0.0)])])
    page = body_of(await ask("/api/v1/changes?after=oldest"))
    assert [one["job"] for one in page["items"]] == [job]
    assert page["after"].endswith("-2"), "whoever asks for jobs alone has passed it, too"
    mixed = body_of(await ask("/api/v1/changes?after=oldest&event=job,workers.missed&type=a"))["items"]
    assert [one.get("event", "job") for one in mixed] == ["job", "workers.missed"]
    alone = body_of(await ask("/api/v1/changes?after=0123456789ab-7&event=workers.missed&event=workers.complete"))
    assert ([one["event"] for one in alone["items"]], alone["gap"]["catch_up"]) == (["workers.missed"], OVERVIEW)


REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("state=queued,done", {}, "state must be one or more of scheduled, queued, "),
    ("event=job,gap", {}, "event must be one or more of job, workers.missed, workers.complete."),
    (
        "requires=site:a",
        {},
        "requires is not a field of this address. It takes job, worker, type, state, owner, event,",
    ),
    ("type=a,,b", {}, "type has a comma too many: one stands between two values."),
    ("job=" + ",".join(map(str, range(101))), {}, "job has 101 values; at most 100 go."),
    ("after=seven", {}, "'seven' is not the id of a change: take it unchanged from an earlier answer, or say oldest."),
    ("", {"Last-Event-ID": "<script>"}, "'<script>' is not the id of a change: "),
    ("after=oldest&after=oldest", {}, "after stands there 2 times; it can be given once."),
]


@pytest.mark.parametrize("address", ["events", "changes"])
@pytest.mark.parametrize(("query", "headers", "words"), REFUSED)
async def test_what_cannot_be_judged_is_refused_in_words(
    ask: Ask, address: str, query: str, headers: dict[str, str], words: str
) -> None:
    answer = await ask(f"/api/v1/{address}?{query}", headers=headers)
    said: Any = body_of(answer)
    assert (answer.code, said["code"]) == (400, "bad_parameter")
    assert words in said["detail"]


@pytest.mark.parametrize("address", ["events", "changes"])
async def test_other_methods_are_refused_with_those_that_go(ask: Ask, address: str) -> None:
    answer = await ask(f"/api/v1/{address}", "POST", json={})
    assert (answer.code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.expect_log("forbidden_(host|origin)")
@pytest.mark.parametrize("address", ["events", "changes"])
@pytest.mark.parametrize("lie", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
async def test_foreign_pages_are_refused(ask: Ask, address: str, lie: dict[str, str]) -> None:
    assert (await ask(f"/api/v1/{address}", headers=lie)).code == 403


class TestWithAToken:
    """Reading needs the token, or the console's session."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token=TOKEN)

    @pytest.mark.parametrize("address", ["events", "changes"])
    async def test_without_it_nothing_is_told(self, ask: Ask, address: str) -> None:
        assert (await ask(f"/api/v1/{address}")).code == 401

    async def test_with_it_changes_are_told(self, ask: Ask) -> None:
        assert (await ask("/api/v1/changes", headers={"Authorization": f"Bearer {TOKEN}"})).code == 200
        assert (await ask("/api/v1/events", "HEAD", headers={"Authorization": f"Bearer {TOKEN}"})).code == 200

    async def test_a_browser_that_signed_in_may_follow(self, browser: Browser) -> None:
        await browser.post("/login", {"token": TOKEN}, from_page="/login")
        assert (await browser.get("/api/v1/changes")).code == 200
