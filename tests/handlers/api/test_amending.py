"""The JSON API: a job that waits is changed, one that has ended is removed, any is submitted once more."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Amend
from handlers.api.amending import amend_of
from handlers.errors import Invalid
from tests.handlers.conftest import Ask, Watched, body_of
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

JOBS = "/api/v1/jobs"
ONLY = "cannot be changed: only priority, delay_s, expires_s, requires, tags can, while the job waits"
AS_JSON = {"Content-Type": "application/json"}
WAITING = (JobState.SCHEDULED, JobState.QUEUED)
FINAL = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED)


# PATCH


@pytest.mark.gen_test
async def test_a_waiting_job_is_changed_and_shown(ask: Ask, house: House) -> None:
    await submit(house, "j1", expires_s=500.0)
    response = await ask(f"{JOBS}/j1", "PATCH", json={"priority": 7, "requires": {"site": ["rome", "berlin"]}})
    assert response.code == 200
    job = body_of(response)
    assert (job["priority"], job["requires"], job["state"]) == (7, {"site": ["berlin", "rome"]}, "queued")
    later = body_of(await ask(f"{JOBS}/j1", "PATCH", json={"delay_s": 60, "expires_s": None}))
    assert (later["state"], later["expires_at"], later["priority"]) == ("scheduled", None, 7)
    assert later["run_at"] > job["created_at"]
    assert body_of(await ask(f"{JOBS}/j1", "PATCH", json={"delay_s": 0}))["state"] == "queued"
    assert body_of(await ask(f"{JOBS}/j1", "PATCH", json={"tags": ["b", "a", "b"]}))["tags"] == ["b", "a"]
    assert [job["id"] for job in body_of(await ask(f"{JOBS}?tag=a"))["items"]] == ["j1"]
    assert body_of(await ask(f"{JOBS}/j1", "PATCH", json={"tags": []}))["tags"] == []


@pytest.mark.gen_test
@pytest.mark.parametrize("state", [state for state in JobState if state not in WAITING])
async def test_a_job_that_does_not_wait_cannot_be_changed(ask: Ask, house: House, state: JobState) -> None:
    await a_job(house, state, "j1")
    before = body_of(await ask(f"{JOBS}/j1"))
    response = await ask(f"{JOBS}/j1", "PATCH", json={"priority": 7})
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")
    words = f"the job is {state}: only scheduled and queued jobs can be changed"
    assert body_of(response)["detail"] == words
    assert body_of(await ask(f"{JOBS}/j1")) == before


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({}, "#", "must have one of priority, delay_s, expires_s, requires, tags at least"),
        ([], "#", "must be an object with the fields of a job"),
        ({"data": 1}, "#/data", ONLY),
        ({"colour": 1}, "#/colour", ONLY),
        ({"tags": ["x" * 101]}, "#/tags", "must be a list of at most 20 texts"),
        ({"priority": 1001}, "#/priority", "must be a whole number from -1000 to 1000"),
        ({"requires": {"site": []}}, "#/requires", "must be an object of at most 20 labels"),
        ({"delay_s": 9, "expires_s": 9}, "#/expires_s", "must be more than delay_s, or the job would never start"),
        ({"reason": "late"}, "#", "must have one of priority"),
        ({"priority": 1, "reason": "x" * 501}, "#/reason", "must be a text of at most 500 characters"),
        ({"priority": 1, "reason": None}, "#/reason", "must be a text of at most 500 characters"),
        ({"expires_s": 0}, "#/expires_s", "must be a number of seconds from 0.1 to 31536000"),
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_is_refused_with_its_field(
    ask: Ask, house: House, body: Any, pointer: str, words: str
) -> None:
    await submit(house, "j1")
    response = await ask(f"{JOBS}/j1", "PATCH", json=body)
    assert (response.code, body_of(response)["code"]) == (422, "invalid")
    (error,) = body_of(response)["errors"]
    assert error["pointer"] == pointer
    assert error["detail"].startswith(words)
    assert body_of(await ask(f"{JOBS}/j1"))["priority"] == 0


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(Invalid, match="priority: stands twice"):
        amend_of("j1", b'{"priority": 1, "priority": 2}', Actor("api"))
    with pytest.raises(Invalid, match="names the label site twice"):
        amend_of("j1", b'{"requires": {"site": "a", "site": "b"}}', Actor("api"))


def test_what_is_not_given_is_not_changed() -> None:
    assert amend_of("j1", b'{"expires_s": null}', Actor("api")) == Amend(job="j1", expires_s=None, actor=Actor("api"))


def test_a_change_may_say_why() -> None:
    amend = amend_of("j1", b'{"priority": 1, "reason": "a\\u0000b"}', Actor("api"))
    assert amend == Amend(job="j1", priority=1, reason="a\ufffdb", actor=Actor("api"))


@pytest.mark.gen_test
async def test_a_job_that_would_never_start_is_refused_with_its_field(ask: Ask, house: House) -> None:
    await submit(house, "j1", expires_s=5.0)
    response = await ask(f"{JOBS}/j1", "PATCH", json={"delay_s": 6})
    assert response.code == 422
    (error,) = body_of(response)["errors"]
    assert error == {
        "pointer": "#/expires_s",
        "detail": "must be later than the job may start, or it would never start",
    }


@pytest.mark.gen_test
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_job_that_is_not_there_can_neither_be_changed_nor_removed(ask: Ask, method: str) -> None:
    given: dict[str, Any] = {"json": {"priority": 1}} if method == "PATCH" else {}
    response = await ask(f"{JOBS}/nope", method, **given)
    assert (response.code, body_of(response)["code"]) == (404, "not_found")


@pytest.mark.gen_test
async def test_a_change_must_say_that_it_is_json(ask: Ask, house: House) -> None:
    await submit(house, "j1")
    response = await ask(f"{JOBS}/j1", "PATCH", body='{"priority": 1}', headers={"Content-Type": "text/plain"})
    assert (response.code, body_of(response)["code"]) == (415, "unsupported_media_type")


# DELETE


@pytest.mark.gen_test
@pytest.mark.parametrize("state", FINAL)
async def test_a_job_that_has_ended_is_removed(ask: Ask, house: House, state: JobState) -> None:
    await a_job(house, state, "j1")
    response = await ask(f"{JOBS}/j1", "DELETE")
    assert (response.code, response.body) == (204, b"")
    assert (await ask(f"{JOBS}/j1")).code == 404
    assert body_of(await ask("/api/v1/stats"))["jobs"][state] == 0
    assert (await ask(f"{JOBS}/j1", "DELETE")).code == 404


@pytest.mark.gen_test
@pytest.mark.parametrize("state", [state for state in JobState if state not in FINAL])
async def test_an_open_job_is_not_removed(ask: Ask, house: House, state: JobState) -> None:
    await a_job(house, state, "j1")
    response = await ask(f"{JOBS}/j1", "DELETE")
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")
    assert body_of(response)["detail"].startswith(f"the job is {state}: only succeeded, failed")
    assert (await ask(f"{JOBS}/j1")).code == 200


@pytest.mark.gen_test
async def test_a_key_that_is_younger_than_a_day_keeps_its_job_unless_it_may_go(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "j1", key="order-7")
    response = await ask(f"{JOBS}/j1", "DELETE")
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")
    assert "free_key=1" in body_of(response)["detail"]
    assert (await ask(f"{JOBS}/j1", "DELETE")).code == 409
    assert (await ask(f"{JOBS}/j1?free_key=0", "DELETE")).code == 409
    assert (await ask(f"{JOBS}/j1?free_key=1", "DELETE")).code == 204


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?free_key=yes", "free_key must be 1 or 0."),
        ("?wait=5", "wait is not a field of this address. It takes free_key."),
    ],
)
async def test_a_removal_takes_one_field_and_no_other(ask: Ask, house: House, query: str, words: str) -> None:
    await a_job(house, JobState.CANCELLED, "j1")
    response = await ask(f"{JOBS}/j1{query}", "DELETE")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")
    assert body_of(response)["detail"] == words
    assert (await ask(f"{JOBS}/j1?free_key=1")).code == 400, "a GET does not take it"


@pytest.mark.gen_test
async def test_a_removal_has_no_body(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "j1")
    response = await ask(f"{JOBS}/j1", "DELETE", json={"free_key": True})
    assert response.code == 422
    assert (await ask(f"{JOBS}/j1")).code == 200


# duplicate


@pytest.mark.gen_test
async def test_a_duplicate_has_the_type_the_data_and_the_terms_and_is_a_new_job(ask: Ask, house: House) -> None:
    terms = {"priority": 3, "timeout_s": 9.0, "heartbeat_s": 2.0, "effects": "once", "requires": {"site": "rome"}}
    given = {"type": "print-label", "data": {"a": 1.0, "big": 12345678901234567890}, "delay_s": 60, **terms}
    first = body_of(await ask(JOBS, "POST", json=given))
    response = await ask(f"{JOBS}/{first['id']}/duplicate", "POST", headers=AS_JSON)
    assert response.code == 201
    copy = body_of(response)
    assert response.headers["Location"] == f"{JOBS}/{copy['id']}"
    assert copy["id"] != first["id"]
    assert {name: copy[name] for name in terms} == terms
    assert (copy["type"], copy["data"]) == ("print-label", given["data"])
    assert (first["state"], copy["state"], copy["run_at"]) == ("scheduled", "queued", None)


@pytest.mark.gen_test
async def test_a_duplicate_differs_where_the_body_says_so(ask: Ask, house: House) -> None:
    await submit(house, "j1", data='{"order": 7}', priority=3)
    body = {"data": {"order": 8}, "type": "other", "requires": {}, "delay_s": 5}
    copy = body_of(await ask(f"{JOBS}/j1/duplicate", "POST", json=body))
    assert (copy["data"], copy["type"], copy["priority"], copy["state"]) == ({"order": 8}, "other", 3, "scheduled")


@pytest.mark.gen_test
async def test_a_duplicate_with_a_key_is_made_once(ask: Ask, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "j1", key="old")
    headers = AS_JSON | {"Idempotency-Key": "again"}
    one = await ask(f"{JOBS}/j1/duplicate", "POST", headers=headers)
    two = await ask(f"{JOBS}/j1/duplicate", "POST", headers=headers)
    assert (one.code, two.code, two.headers["Idempotency-Replayed"]) == (201, 200, "true")
    assert body_of(one)["id"] == body_of(two)["id"]
    other = await ask(f"{JOBS}/j1/duplicate", "POST", headers=headers, json={"priority": 1})
    assert (other.code, body_of(other)["code"]) == (422, "key_conflict")


@pytest.mark.gen_test
async def test_a_duplicate_may_be_waited_for(ask: Ask, house: House, watched: Watched) -> None:
    await a_job(house, JobState.SUCCEEDED, "j1")
    headers = AS_JSON | {"Prefer": "wait=0"}
    response = await ask(f"{JOBS}/j1/duplicate", "POST", headers=headers)
    assert (response.code, response.headers["Preference-Applied"]) == (201, "wait=0")


@pytest.mark.gen_test
async def test_a_bad_duplicate_names_its_field_and_an_unknown_job_is_a_404(ask: Ask, house: House) -> None:
    await submit(house, "j1")
    response = await ask(f"{JOBS}/j1/duplicate", "POST", json={"priority": 2000, "colour": 1})
    assert response.code == 422
    assert [error["pointer"] for error in body_of(response)["errors"]] == ["#/colour", "#/priority"]
    assert (await ask(f"{JOBS}/nope/duplicate", "POST", headers=AS_JSON)).code == 404


@pytest.mark.gen_test
async def test_a_page_that_works_on_a_removed_job_hears_that_it_is_over(ask: Ask, house: House) -> None:
    tried = await take(house, await submit(house, "j1"))
    await ask(f"{JOBS}/j1/cancel", "POST", headers=AS_JSON)
    assert (await ask(f"{JOBS}/j1", "DELETE")).code == 204
    await tried.result("1")
    assert (await ask(f"{JOBS}/j1")).code == 404
