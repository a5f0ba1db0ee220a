"""The JSON API: what a job requires of its worker, why it waits for one, and the lists by label and by worker."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.node.views.waiting import Waiting
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test

JOBS, WORKERS = "/api/v1/jobs", "/api/v1/workers"
BERLIN, ZEBRA = {"site": "berlin"}, {"printer": "zebra", "site": "berlin"}


async def names(ask: Ask, path: str, field: str = "id") -> list[str]:
    return [item[field] for item in body_of(await ask(path))["items"]]


async def test_what_a_job_requires_is_taken_and_shown(ask: Ask, house: House) -> None:
    wanted = {"site": ["bonn", "berlin", "bonn"], "name": "DESK 1", "printer": ["zebra"]}
    job = body_of(await ask(JOBS, "POST", json={"type": "sum", "requires": wanted}))
    shown = {"name": "DESK 1", "printer": "zebra", "site": ["berlin", "bonn"]}
    assert job["requires"] == shown
    assert body_of(await ask(f"{JOBS}/{job['id']}"))["requires"] == shown
    [kept] = await house.kept()
    assert kept.terms.requires == (("name", ("DESK 1",)), ("printer", ("zebra",)), ("site", ("berlin", "bonn")))


WRONG = [
    7,
    [],
    "site:berlin",
    None,
    {"two words": "x"},
    {"": "x"},
    {"a" * 51: "x"},
    {"site": ""},
    {"site": 7},
    {"site": None},
    {"site": []},
    {"site": ["berlin", ""]},
    {"site": [f"{n}" for n in range(21)]},
    {"site": "x" * 201},
    {f"label-{n}": "x" for n in range(21)},
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_no_worker_can_have_is_a_422_at_its_field(ask: Ask, house: House, wrong: Any) -> None:
    response = await ask(JOBS, "POST", json={"type": "sum", "requires": wrong})
    [error] = body_of(response)["errors"]
    assert (response.code, error["pointer"]) == (422, "#/requires")
    assert error["detail"].startswith("must be an object of at most 20 labels (1 to 50 characters of A-Z")
    assert await house.kept() == []


async def test_a_batch_takes_what_each_job_requires_and_names_the_one_that_is_wrong(ask: Ask, house: House) -> None:
    jobs: list[Any] = [{"type": "sum"}, {"type": "sum", "requires": {"site": ""}}]
    response = await ask(f"{JOBS}/batch", "POST", json=jobs)
    assert (response.code, body_of(response)["errors"][0]["pointer"]) == (422, "#/1/requires")
    jobs[1]["requires"] = BERLIN
    taken = body_of(await ask(f"{JOBS}/batch", "POST", json=jobs))["items"]
    assert [job["requires"] for job in taken] == [{}, BERLIN]
    assert [job.terms.requires for job in await house.kept()] == [(), (("site", ("berlin",)),)]


async def test_a_program_reads_why_a_job_waits_in_counts(ask: Ask, house: House) -> None:
    for number in range(3):
        await house.register(f"s{number}", "sum", name=f"DESK-{number}", labels=BERLIN if number else {})
    await house.say("s1", op="pause")
    house.pages.away("s2", house.clock.monotonic())
    job = body_of(await ask(JOBS, "POST", json={"type": "sum", "requires": BERLIN}))
    words = "0 of 2 workers that match are free: 1 is away, 1 is paused"
    assert job["waits"] == words
    assert job["waiting"] == {
        "code": "paused", "offer": 3, "match": 2, "connected": 1, "idle": 0, "busy": 0, "stuck": 0, "paused": 1,
        "away": 1, "aside": 0, "nearest": words, "outlook": None,
    }  # fmt: skip
    assert set(job["waiting"]) == set(Waiting.__struct_fields__)


async def test_a_job_that_does_not_wait_has_no_reason(ask: Ask, house: House) -> None:
    await take(house, await submit(house))
    for job in (body_of(await ask(f"{JOBS}/j")), body_of(await ask(JOBS))["items"][0]):
        assert (job["state"], job["waits"], job["waiting"]) == ("running", None, None)


async def test_a_list_asks_for_each_lane_once_and_says_of_each_its_own(
    ask: Ask, house: House, watched: Watched
) -> None:
    await house.register("s", "sum", name="DESK", labels={"printer": "brother"})
    await house.say("s", op="pause")
    jobs = [{"type": "sum"}, {"type": "sum", "requires": ZEBRA}, {"type": "sum", "requires": {"name": "KIOSK"}}]
    items = body_of(await ask(f"{JOBS}/batch", "POST", json=jobs * 4))["items"]
    assert len(watched.asked_why) == 3
    said = [
        "1 worker offers the type sum, but it is paused",
        "1 worker offers sum, but does not have printer:zebra, site:berlin",
        "no connected worker is called KIOSK",
    ]
    assert [item["waits"] for item in items] == said * 4
    listed = body_of(await ask(JOBS))["items"]
    assert [item["waiting"]["code"] for item in listed] == ["no_match", "no_match", "paused"] * 4
    assert len(watched.asked_why) == 6


async def test_jobs_are_listed_by_what_they_require(ask: Ask, house: House) -> None:
    wanted: dict[str, Any] = {
        "none": {},
        "site": BERLIN,
        "both": ZEBRA,
        "any": {"site": ["berlin", "bonn"]},
        "bonn": {"site": "bonn"},
    }
    for id, requires in wanted.items():
        house.job_ids += [id]
        await ask(JOBS, "POST", json={"type": "sum", "requires": requires})
    assert await names(ask, f"{JOBS}?requires=site:berlin") == ["any", "both", "site"]
    assert await names(ask, f"{JOBS}?requires=site:berlin&requires=printer:zebra") == ["both"]
    first = await ask(f"{JOBS}?requires=site:berlin&requires=site:bonn&limit=1")
    assert [job["id"] for job in body_of(first)["items"]] == ["any"]
    following = await ask(f"{JOBS}?requires=site:berlin&limit=2")
    assert "requires=site%3Aberlin&limit=2&cursor=" in following.headers["Link"]


async def test_jobs_are_listed_by_the_name_of_the_worker_that_runs_them_or_ran_them_last(
    ask: Ask, house: House
) -> None:
    await (await take(house, await submit(house, "one"), "DESK 1", boot="b")).result("1")
    await (await take(house, await submit(house, "two"), "DESK 2", boot="c")).say("accept")
    tried = await take(house, await submit(house, "moved"), "DESK 1", boot="d")
    await tried.error()
    await tried.leave()
    await house.pass_time(6.0)
    assert await names(ask, f"{JOBS}?worker=DESK%201") == ["moved", "one"]
    await (await take(house, await house.dispatcher.job("moved"), "DESK 3", boot="e")).result("1")
    await submit(house, "waits")
    assert await names(ask, f"{JOBS}?worker=DESK%203") == ["moved"]
    assert await names(ask, f"{JOBS}?worker=DESK%201") == ["one"]
    assert await names(ask, f"{JOBS}?worker=DESK%202") == ["two"]
    assert await names(ask, f"{JOBS}?worker=DESK") == []


async def test_workers_show_their_labels_and_are_found_by_one(ask: Ask, house: House) -> None:
    labels: tuple[dict[str, str], ...] = ({"site": "berlin", "printer": "a:b"}, BERLIN, {})
    for number, given in enumerate(labels):
        await house.register(f"s{number}", "sum", name=f"DESK-1{number or ''}", labels=given)
    assert [item["labels"] for item in body_of(await ask(WORKERS))["items"]] == list(labels)
    assert await names(ask, f"{WORKERS}?label=site:berlin", "name") == ["DESK-1", "DESK-11"]
    assert await names(ask, f"{WORKERS}?label=printer:a:b", "name") == ["DESK-1"]
    assert await names(ask, f"{WORKERS}?label=name:DESK-1", "name") == ["DESK-1"], "the whole name"


@pytest.mark.parametrize("path", [f"{JOBS}?requires=", f"{WORKERS}?label="])
@pytest.mark.parametrize("text", ["berlin", ":berlin", "site:"])
async def test_a_label_of_a_query_has_a_value(ask: Ask, path: str, text: str) -> None:
    response = await ask(path + text)
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")
    assert body_of(response)["detail"] == f"{text}: write a label and its value, as in site:berlin."
