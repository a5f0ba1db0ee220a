"""``/api/v1/jobs/batch``: what it takes, what it answers."""

from __future__ import annotations

import json

import pytest

from dispatcher.config.settings import Settings
from dispatcher.node.turns.turns import MOST_ITEMS
from handlers.api.batch import MOST_JOBS
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House

BATCH = "/api/v1/jobs/batch"
AS_JSON = {"Content-Type": "application/json"}
AS_LINES = {"Content-Type": "application/x-ndjson"}
JOBS = [{"type": "sum", "data": [1]}, {"type": "echo", "priority": 3}, {"type": "sum", "data": 1.50}]


def test_the_largest_batch_fits_into_one_turn() -> None:
    assert MOST_JOBS <= MOST_ITEMS


@pytest.mark.gen_test
async def test_a_batch_is_answered_with_201_and_its_jobs_in_order(ask: Ask, house: House) -> None:
    response = await ask(BATCH, "POST", json=JOBS)
    items = body_of(response)["items"]
    assert response.code == 201
    assert [(item["id"], item["type"], item["priority"]) for item in items] == [
        ("job-1", "sum", 0), ("job-2", "echo", 3), ("job-3", "sum", 0),
    ]  # fmt: skip
    assert items[0]["waits"] == "no connected worker offers the type sum"
    assert [(spec.data, spec.key) for spec in await house.kept()] == [("[1]", None), ("null", None), ("1.5", None)]


@pytest.mark.gen_test
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n  \n"])
@pytest.mark.parametrize("kind", ["application/x-ndjson", "Application/X-NDJSON; charset=utf-8"])
async def test_a_batch_may_come_as_lines(ask: Ask, house: House, end: str, kind: str) -> None:
    body = "".join(json.dumps(job) + end for job in JOBS)
    response = await ask(BATCH, "POST", body=body, headers={"Content-Type": kind})
    assert response.code == 201
    assert [spec.type for spec in await house.kept()] == ["sum", "echo", "sum"]


@pytest.mark.gen_test
async def test_data_is_kept_as_the_text_that_came(ask: Ask, house: House) -> None:
    body = '[{"type":"a","data":{"n" : 1.50, "big":123456789012345678901234567890}}]'
    await ask(BATCH, "POST", body=body, headers=AS_JSON)
    assert (await house.kept())[0].data == '{"n" : 1.50, "big":123456789012345678901234567890}'


@pytest.mark.gen_test
async def test_the_same_key_and_batch_are_the_same_jobs(ask: Ask, house: House) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await ask(BATCH, "POST", json=JOBS, headers=headers)
    again = await ask(BATCH, "POST", json=JOBS, headers=headers)
    assert (first.code, again.code) == (201, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert body_of(again) == body_of(first)
    assert len(await house.kept()) == 3


@pytest.mark.gen_test
@pytest.mark.parametrize("other", [JOBS[:2], [*JOBS, JOBS[0]], [JOBS[1], JOBS[0], JOBS[2]]])
async def test_the_same_key_with_another_batch_is_a_422(ask: Ask, house: House, other: list[object]) -> None:
    headers = {"Idempotency-Key": "k"}
    await ask(BATCH, "POST", json=JOBS, headers=headers)
    response = await ask(BATCH, "POST", json=other, headers=headers)
    assert (response.code, body_of(response)["code"]) == (422, "key_conflict")
    assert len(await house.kept()) == 3


@pytest.mark.gen_test
async def test_a_batch_and_a_job_alone_do_not_share_a_key(ask: Ask, house: House) -> None:
    for key in ("k", "k0", "k[0]"):
        alone = await ask("/api/v1/jobs", "POST", json=JOBS[0], headers={"Idempotency-Key": key})
        assert alone.code == 201
    response = await ask(BATCH, "POST", json=[JOBS[0]], headers={"Idempotency-Key": "k"})
    assert response.code == 201
    assert len(await house.kept()) == 4


@pytest.mark.gen_test
async def test_what_is_wrong_is_said_with_the_place_of_the_job_and_nothing_is_taken(ask: Ask, house: House) -> None:
    bad = [{"type": "a"}, {"type": "a b", "priorty": 1}, {"type": "a"}, 7, {"type": "a", "delay_s": 5, "expires_s": 5}]
    response = await ask(BATCH, "POST", json=bad)
    pointers = [error["pointer"] for error in body_of(response)["errors"]]
    assert (response.code, pointers) == (422, ["#/1/priorty", "#/1/type", "#/3"])
    response = await ask(BATCH, "POST", json=[bad[0], bad[4]])
    assert (response.code, body_of(response)["errors"][0]["pointer"]) == (422, "#/1/expires_s")
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_of_very_many_errors_the_first_are_said(ask: Ask, house: House) -> None:
    response = await ask(BATCH, "POST", json=[{}] * 1_000)
    assert response.code == 422
    assert 20 <= len(body_of(response)["errors"]) <= 40


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "headers", "status", "word"),
    [
        ("[]", AS_JSON, 422, "1 to 1,000"),
        ("", AS_LINES, 422, "1 to 1,000"),
        ("\n \n", AS_LINES, 422, "1 to 1,000"),
        ("[" + ",".join(['{"type":"a"}'] * 1_001) + "]", AS_JSON, 422, "holds 1,001"),
        ('{"type":"a"}\n' * 1_001, AS_LINES, 422, "holds 1,001"),
        ("[" + "1," * 400_000 + "1]", AS_JSON, 422, "holds 400,001"),
        ('{"type":"a"}', AS_JSON, 422, "array"),
        ("null", AS_JSON, 422, "array"),
        ("[", AS_JSON, 400, "not JSON"),
        ("", AS_JSON, 400, "not JSON"),
        ('{"type":"a"}\n{', AS_LINES, 400, "Job 1"),
        ('[{"type":"a"}]', AS_LINES, 422, "an object"),
        ('{"type":"a"}', {"Content-Type": "text/plain"}, 415, "application/x-ndjson"),
        ("[]", {"Content-Type": "application/json; charset=latin-1"}, 415, "charset=utf-8"),
        ("x" * (1 << 20) + "x", AS_LINES, 413, "1,048,576"),
    ],
    ids=range(15),
)
async def test_what_is_no_batch_is_refused(
    ask: Ask, house: House, body: str, headers: dict[str, str], status: int, word: str
) -> None:
    response = await ask(BATCH, "POST", body=body, headers=headers)
    problem = body_of(response)
    assert response.code == status
    assert word in problem["detail"]
    assert await house.kept() == []


@pytest.mark.gen_test
@pytest.mark.parametrize("settings", [Settings(body_limit=1_024)])
async def test_a_job_whose_data_is_over_the_limit_is_named(ask: Ask, house: House) -> None:
    response = await ask(BATCH, "POST", json=[JOBS[0], {"type": "a", "data": "x" * 2_000}])
    assert response.code == 413
    assert "Job 1" in body_of(response)["detail"]
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_lines_are_taken_for_batches_only(ask: Ask, house: House) -> None:
    response = await ask("/api/v1/jobs", "POST", body='{"type":"a"}', headers=AS_LINES)
    assert response.code == 415


@pytest.mark.gen_test
async def test_there_is_nothing_to_read_at_its_address(ask: Ask) -> None:
    response = await ask(BATCH)
    assert (response.code, response.headers["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.gen_test
async def test_why_they_wait_is_asked_for_once_for_each_type(ask: Ask, watched: Watched) -> None:
    items = body_of(await ask(BATCH, "POST", json=JOBS * 50))["items"]
    assert watched.asked_why == ["job-1", "job-2"]
    of_sum, of_echo = (f"no connected worker offers the type {name}" for name in ("sum", "echo"))
    assert [item["waits"] for item in items[:3]] == [of_sum, of_echo, of_sum]
