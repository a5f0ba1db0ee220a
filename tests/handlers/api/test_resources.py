"""The JSON API: what it takes, what it answers."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House
from tests.support.jobs import NOW
from tests.support.scenes import submit, take

JOBS = "/api/v1/jobs"
AS_JSON = {"Content-Type": "application/json"}
JOB_FIELDS = {
    "id", "type", "data", "state", "reason", "detail", "priority", "number", "errors", "crashes", "max_attempts",
    "max_crashes", "timeout_s", "heartbeat_s", "effects", "requires", "evidence",
    "summary", "tags", "owner", "traceparent", "batch", "callback_url", "doubt_url", "operations",
    "progress", "result", "error", "worker", "worker_name", "created_at", "run_at",
    "expires_at", "offered_at", "started_at", "ended_at", "stopped_at", "ready_at", "waits", "waiting", "attempts",
    "log", "links",
}  # fmt: skip


@pytest.mark.gen_test
async def test_a_submitted_job_is_answered_with_201_its_address_and_itself(ask: Ask) -> None:
    response = await ask(JOBS, "POST", json={"type": "sum", "data": {"a": 1}})
    job = body_of(response)
    assert response.code == 201
    assert response.headers["Location"] == "/api/v1/jobs/job-1"
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert set(job) == JOB_FIELDS
    assert (job["id"], job["type"], job["data"], job["state"]) == ("job-1", "sum", {"a": 1}, "queued")
    assert job["created_at"] == "2026-11-23T21:24:05.123Z"
    assert job["waits"] == "no connected worker offers the type sum"
    assert job["links"]["self"] == "/api/v1/jobs/job-1"


@pytest.mark.gen_test
async def test_every_option_reaches_the_service(ask: Ask, house: House) -> None:
    options = {"priority": -5, "delay_s": 1.5, "timeout_s": 9, "max_attempts": 7, "max_crashes": 0, "expires_s": 60}
    response = await ask(JOBS, "POST", json={"type": "sum", "data": [1], **options})
    assert response.code == 201
    [job] = await house.kept()
    assert (job.terms.priority, job.terms.timeout_s, job.terms.max_attempts, job.terms.max_crashes) == (-5, 9.0, 7, 0)
    assert (job.run_at, job.expires_at) == (NOW + 1.5, NOW + 60)
    assert (job.data, job.key) == ("[1]", None)


@pytest.mark.gen_test
@pytest.mark.parametrize("settings", [Settings(job_timeout_s=11.0, max_attempts=4, max_crashes=2)])
async def test_what_is_not_given_takes_the_servers_default(ask: Ask, house: House) -> None:
    await ask(JOBS, "POST", json={"type": "sum"})
    [job] = await house.kept()
    assert (job.data, job.terms.priority, job.run_at, job.expires_at) == ("null", 0, None, None)
    assert (job.terms.timeout_s, job.terms.max_attempts, job.terms.max_crashes) == (11.0, 4, 2)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "data",
    [
        '{"b": 1.0, "a": 12345678901234567890123, "a" : 1e400}',
        '"\\u0000 \\ud83d\\ude00 \\/ ä\u2028"',
        "[ 1 ,\t2 ]",
        "-0",
    ],
)
async def test_data_is_kept_and_shown_as_the_text_that_came(ask: Ask, house: House, data: str) -> None:
    response = await ask(JOBS, "POST", body=f'{{"type":"x","data":{data}}}', headers=AS_JSON)
    assert (await house.kept())[0].data == data.strip()
    assert f'"data":{data}' in response.body.decode()


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_json"),
        (b"{", "bad_json"),
        (b'{"type": "x", "data": NaN}', "bad_json"),
        (b'{"type": "x", "data": Infinity}', "bad_json"),
        (b'{"type": "x", "data": "\xff"}', "bad_json"),
        (b'{"type": "x", "data": "\xed\xa0\x80"}', "bad_json"),
        (b'{"type": "x", "data": "\\ud800"}', "bad_json"),
        (b'{"type": "x", "data": "\\ud800 "}', "bad_json"),
        (b'{"type": "x", "data": "\x00"}', "bad_json"),
        (b'{"type": "x", "data": [1,]}', "bad_json"),
        (b'{"type": "x", "data": 01}', "bad_json"),
        (b'{"type": "x"} {}', "bad_json"),
        (b'{"type": "x", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "bad_json"),
        (b'{"type": 1, "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "bad_json"),
        (b'{"type": 1, "data": NaN}', "bad_json"),
        (b"[" * 100_000, "bad_json"),
    ],
)
async def test_what_is_not_json_is_a_400(ask: Ask, house: House, body: bytes, code: str) -> None:
    response = await ask(JOBS, "POST", body=body, headers=AS_JSON)
    assert (response.code, body_of(response)["code"]) == (400, code)
    assert await house.kept() == []


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["#/type"]),
        ([], ["#"]),
        ("x", ["#"]),
        ({"type": ""}, ["#/type"]),
        ({"type": "a b"}, ["#/type"]),
        ({"type": "a\n"}, ["#/type"]),
        ({"type": "a" * 101}, ["#/type"]),
        ({"type": 7}, ["#/type"]),
        ({"type": "x", "priority": 1001}, ["#/priority"]),
        ({"type": "x", "priority": 1.5}, ["#/priority"]),
        ({"type": "x", "priority": True}, ["#/priority"]),
        ({"type": "x", "delay_s": -1}, ["#/delay_s"]),
        ({"type": "x", "delay_s": "1"}, ["#/delay_s"]),
        ({"type": "x", "timeout_s": 0.5}, ["#/timeout_s"]),
        ({"type": "x", "timeout_s": 86_401}, ["#/timeout_s"]),
        ({"type": "x", "max_attempts": 0}, ["#/max_attempts"]),
        ({"type": "x", "max_crashes": -1}, ["#/max_crashes"]),
        ({"type": "x", "expires_s": 0}, ["#/expires_s"]),
        ({"type": "x", "expires_s": 5, "delay_s": 5}, ["#/expires_s"]),
        ({"type": "x", "prioirty": 1}, ["#/prioirty"]),
        ({"type": "x", "a/b~c": 1}, ["#/a~1b~0c"]),
        ({"type": "a b", "priority": 9999, "tyype": 1}, ["#/tyype", "#/type", "#/priority"]),
    ],
)
async def test_what_is_out_of_range_is_a_422_that_names_every_place(
    ask: Ask, house: House, body: object, pointers: list[str]
) -> None:
    response = await ask(JOBS, "POST", json=body)
    problem = body_of(response)
    assert (response.code, problem["code"]) == (422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == pointers
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_a_whole_number_may_be_written_with_a_point_for_in_json_it_is_the_same(ask: Ask, house: House) -> None:
    key = {**AS_JSON, "Idempotency-Key": "k"}
    body = '{"type": "x", "priority": 5.0, "max_attempts": 1e1, "data": [ 5.0 ], "requires": {"site": "a"}}'
    made = await ask(JOBS, "POST", body=body, headers=key)
    job = body_of(made)
    assert (made.code, job["priority"], job["max_attempts"]) == (201, 5, 10)
    assert (await house.kept())[0].data == "[ 5.0 ]"
    same = body.replace("5.0,", "5,").replace("1e1", "10")
    assert (await ask(JOBS, "POST", body=same, headers=key)).code == 200
    changed = await ask(f"{JOBS}/{job['id']}", "PATCH", body='{"priority": -3.0}', headers=AS_JSON)
    assert body_of(changed)["priority"] == -3
    batch = await ask(f"{JOBS}/batch", "POST", body='[{"type": "x", "max_crashes": 2.0}]', headers=AS_JSON)
    assert body_of(batch)["items"][0]["max_crashes"] == 2
    for wrong in ("1e400", "5.5", "1001.0", '"5.0"'):
        response = await ask(JOBS, "POST", body=f'{{"type": "x", "priority": {wrong}}}', headers=AS_JSON)
        assert [error["pointer"] for error in body_of(response)["errors"]] == ["#/priority"], wrong


@pytest.mark.gen_test
async def test_a_misspelt_field_is_told_its_name(ask: Ask) -> None:
    problem = body_of(await ask(JOBS, "POST", json={"type": "x", "prioirty": 1}))
    assert problem["errors"] == [{"pointer": "#/prioirty", "detail": "is not a field of a job; did you mean priority?"}]


@pytest.mark.gen_test
async def test_a_field_that_stands_twice_and_is_wrong_once_is_refused(ask: Ask) -> None:
    response = await ask(JOBS, "POST", body='{"type": 1, "type": "x"}', headers=AS_JSON)
    assert response.code == 422


@pytest.mark.gen_test
async def test_a_thousand_unknown_fields_are_refused_at_once(ask: Ask) -> None:
    response = await ask(JOBS, "POST", json={f"prioritt{n}": 1 for n in range(40_000)})
    assert response.code == 422
    assert len(body_of(response)["errors"]) == 11


# The same key, the same job


@pytest.mark.gen_test
async def test_the_same_key_and_body_is_the_same_job(ask: Ask) -> None:
    key = {"Idempotency-Key": "order-7"}
    first = await ask(JOBS, "POST", json={"type": "x", "delay_s": 5}, headers=key)
    again = await ask(JOBS, "POST", body='{"delay_s": 5.0,"type":"x"}', headers=key | AS_JSON)
    assert (first.code, again.code) == (201, 200)
    assert body_of(again)["id"] == body_of(first)["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Location"] == first.headers["Location"]


@pytest.mark.gen_test
@pytest.mark.parametrize("other", [{"type": "y"}, {"type": "x", "data": 1}, {"type": "x", "priority": 1}])
async def test_the_same_key_with_another_body_is_a_422(ask: Ask, other: dict[str, object]) -> None:
    key = {"Idempotency-Key": "order-7"}
    await ask(JOBS, "POST", json={"type": "x"}, headers=key)
    response = await ask(JOBS, "POST", json=other, headers=key)
    assert (response.code, body_of(response)["code"]) == (422, "key_conflict")


@pytest.mark.gen_test
@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "a\tb"])
async def test_a_key_that_is_none_is_a_400(ask: Ask, house: House, key: str) -> None:
    response = await ask(JOBS, "POST", json={"type": "x"}, headers={"Idempotency-Key": key})
    assert (response.code, body_of(response)["code"]) == (400, "bad_key")
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_a_key_of_255_characters_is_taken(ask: Ask, house: House) -> None:
    await ask(JOBS, "POST", json={"type": "x"}, headers={"Idempotency-Key": "~ " * 127 + "k"})
    assert (await house.kept())[0].key == "~ " * 127 + "k"


# Waiting


@pytest.mark.gen_test
async def test_prefer_wait_answers_with_the_finished_job(ask: Ask, house: House, watched: Watched) -> None:
    asked = asyncio.ensure_future(ask(JOBS, "POST", json={"type": "x"}, headers={"Prefer": "respond-async, wait=30"}))
    await watched.somebody_waits.wait()
    await (await take(house, await house.dispatcher.job("job-1"))).result('{"pages": 2}')
    response = await asked
    assert response.code == 201
    assert response.headers["Preference-Applied"] == "wait=30"
    assert body_of(response)["result"] == {"pages": 2}
    assert watched.waited_s == [30.0]


@pytest.mark.gen_test
@pytest.mark.parametrize(("prefer", "waited"), [("wait=600", [60.0]), ("wait=0", []), ("wait=x", []), ("nowait", [])])
async def test_a_preference_is_bounded_and_an_odd_one_ignored(
    ask: Ask, watched: Watched, prefer: str, waited: list[float]
) -> None:
    asked = asyncio.ensure_future(ask(JOBS, "POST", json={"type": "x"}, headers={"Prefer": prefer}))
    if waited:
        await watched.somebody_waits.wait()
        await watched.cancel("job-1", "")
    assert (await asked).code == 201
    assert watched.waited_s == waited


@pytest.mark.gen_test
@pytest.mark.parametrize(("prefer", "reads"), [("", []), ("wait=0", []), ("wait=1", ["job-1"])])
async def test_a_submission_reads_its_job_only_to_wait_and_a_replay_reads_it_once(
    ask: Ask, watched: Watched, prefer: str, reads: list[str]
) -> None:
    headers = {"Prefer": prefer, "Idempotency-Key": "k"}
    asked = asyncio.ensure_future(ask(JOBS, "POST", json={"type": "x"}, headers=headers))
    if reads:
        await watched.somebody_waits.wait()
        await watched.cancel("job-1", "")
    assert ((await asked).code, watched.read_jobs) == (201, reads)
    if not reads:
        await watched.cancel("job-1", "")
    watched.read_jobs.clear()
    assert (await ask(JOBS, "POST", json={"type": "x"}, headers=headers)).code == 200
    assert watched.read_jobs == ["job-1"]


@pytest.mark.gen_test
async def test_get_with_wait_answers_when_the_job_is_final(ask: Ask, house: House, watched: Watched) -> None:
    await submit(house)
    asked = asyncio.ensure_future(ask(f"{JOBS}/j?wait=60"))
    await watched.somebody_waits.wait()
    await watched.cancel("j", "")
    assert body_of(await asked)["state"] == "cancelled"


@pytest.mark.gen_test
@pytest.mark.parametrize("wait", ["61", "-1", "x", "1.5", "²", "9" * 5000])
async def test_a_wait_out_of_range_is_a_400(ask: Ask, house: House, wait: str) -> None:
    await submit(house)
    response = await ask(f"{JOBS}/j?wait={'%C2%B2' if wait == '²' else wait}")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")


@pytest.mark.gen_test
@pytest.mark.usefixtures("app")
async def test_a_client_that_goes_away_ends_its_wait(
    house: House, watched: Watched, http_port: int, http_server: object
) -> None:
    await submit(house)
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(b"GET /api/v1/jobs/j?wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await watched.somebody_waits.wait()
    assert len(watched._waiters) == 1
    writer.close()
    await watched.left.wait()
    assert len(watched._waiters) == 0
