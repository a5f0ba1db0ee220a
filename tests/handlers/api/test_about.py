"""What a job carries for people and programs: its tags, its summary, the trace that it belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from handlers.routes import TaskDirectory
from handlers.worker.tasks import LISTING_S
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

JOBS = "/api/v1/jobs"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LINE = "one line without control characters, and without blanks at its ends"
TAGS = f"must be a list of at most 20 texts of 1 to 100 characters, each {LINE}"
SUMMARY = f"must be a text of 1 to 200 characters, {LINE}"


@pytest.fixture
def tasks(tmp_path: Path, house: House) -> TaskDirectory:
    call_orders(tmp_path, "order {data.number}")
    return TaskDirectory(tmp_path, clock=house.clock)


def call_orders(directory: Path, summary: str) -> None:
    (directory / "order.js").write_text(f'// pagehand: {{"summary": "{summary}"}}\n', "utf-8")


async def submitted(ask: Ask, job: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = await ask(
        JOBS, "POST", json=job, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    assert response.code in (200, 201), response.body
    return dict(body_of(response))


@pytest.mark.gen_test
async def test_a_job_and_its_list_show_tags_and_summary(ask: Ask) -> None:
    job = await submitted(ask, {"type": "echo", "tags": ["b", "a", "b"], "summary": "order 4711"})
    assert (job["tags"], job["summary"], job["owner"], job["traceparent"]) == (["b", "a"], "order 4711", None, None)
    [listed] = body_of(await ask(JOBS))["items"]
    assert (listed["tags"], listed["summary"]) == (["b", "a"], "order 4711")
    plain = await submitted(ask, {"type": "echo", "summary": None})
    assert (plain["tags"], plain["summary"]) == ([], None)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tags", "a", TAGS),
        ("tags", ["a "], TAGS),
        ("tags", ["x"] * 21, TAGS),
        ("tags", None, TAGS),
        ("summary", "", SUMMARY),
        ("summary", "two\nlines", SUMMARY),
        ("summary", 7, SUMMARY),
        ("owner", "me", "is not a field of a job"),
        ("traceparent", TRACEPARENT, "is not a field of a job"),
    ],
)
async def test_what_is_wrong_is_said_in_words(ask: Ask, field: str, value: object, words: str) -> None:
    response = await ask(JOBS, "POST", json={"type": "echo", field: value})
    assert (response.code, body_of(response)["errors"]) == (422, [{"pointer": f"#/{field}", "detail": words}])


@pytest.mark.gen_test
@pytest.mark.parametrize("field", ["tags", "summary"])
async def test_the_key_stands_for_tags_and_summary_but_for_no_trace(ask: Ask, field: str) -> None:
    job = {"type": "echo", "tags": ["a"], "summary": "one"}
    first = await submitted(ask, job, Idempotency_Key="k", Traceparent=TRACEPARENT)
    again = await submitted(ask, job, Idempotency_Key="k", Traceparent=TRACEPARENT.replace("-01", "-00"))
    assert (again["id"], again["traceparent"]) == (first["id"], TRACEPARENT)
    other = {"tags": ["b"], "summary": "two"}[field]
    response = await ask(JOBS, "POST", json=job | {field: other}, headers={"Idempotency-Key": "k"})
    assert (response.code, body_of(response)["code"]) == (422, "key_conflict")


@pytest.mark.gen_test
async def test_a_trace_comes_with_the_request_and_a_wrong_one_is_ignored(ask: Ask) -> None:
    assert (await submitted(ask, {"type": "echo"}, traceparent=TRACEPARENT))["traceparent"] == TRACEPARENT
    assert (await submitted(ask, {"type": "echo"}, traceparent="00-0-0-00"))["traceparent"] is None
    batch = await ask(f"{JOBS}/batch", "POST", json=[{"type": "echo"}] * 2, headers={"Traceparent": TRACEPARENT})
    assert [job["traceparent"] for job in body_of(batch)["items"]] == [TRACEPARENT] * 2


@pytest.mark.gen_test
async def test_a_job_is_called_what_its_task_says_unless_its_submitter_says_better(ask: Ask, house: House) -> None:
    job = {"type": "order", "data": {"number": 7}}
    assert (await submitted(ask, job))["summary"] == "order 7"
    assert (await submitted(ask, job | {"summary": "mine"}))["summary"] == "mine"
    assert (await submitted(ask, job | {"data": 7}))["summary"] is None
    batch = await ask(f"{JOBS}/batch", "POST", json=[job, {"type": "echo", "data": {"number": 7}}])
    assert [item["summary"] for item in body_of(batch)["items"]] == ["order 7", None]
    assert [spec.about.summary for spec in await house.kept()][:2] == ["order 7", "mine"]


@pytest.mark.gen_test
async def test_the_key_stands_for_what_was_sent_and_not_for_what_the_task_adds(
    ask: Ask, house: House, tmp_path: Path
) -> None:
    job = {"type": "order", "data": {"number": 7}}
    first = await submitted(ask, job, Idempotency_Key="k")
    call_orders(tmp_path, "number {data.number}")
    house.clock.advance(LISTING_S)
    assert (await submitted(ask, job))["summary"] == "number 7"
    again = await submitted(ask, job, Idempotency_Key="k")
    assert (again["id"], again["summary"]) == (first["id"], "order 7")


@pytest.mark.gen_test
async def test_a_job_once_more_has_the_same_tags_and_a_summary_that_is_true(ask: Ask) -> None:
    first = await submitted(ask, {"type": "order", "data": {"number": 7}, "tags": ["a"]}, Traceparent=TRACEPARENT)
    once_more = f"{JOBS}/{first['id']}/duplicate"
    for body, tags, summary in [
        ({}, ["a"], "order 7"),
        ({"data": {"number": 8}}, ["a"], "order 8"),
        ({"data": {}}, ["a"], None),
        ({"tags": [], "summary": "mine"}, [], "mine"),
        ({"type": "echo"}, ["a"], None),
    ]:
        job = body_of(await ask(once_more, "POST", json=body))
        assert (job["tags"], job["summary"], job["traceparent"]) == (tags, summary, None)
