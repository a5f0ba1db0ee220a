"""The JSON API: the ETag of a job, what is not told again, what is meant for one version, and chosen fields."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dispatcher.core.jobs.states import JobState
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.scenes import a_job, submit, take

pytestmark = pytest.mark.gen_test

JOBS = "/api/v1/jobs"


@pytest.fixture
def short_way() -> bool:
    """No new job comes over HTTP here."""
    return True


async def tag(ask: Ask, job: str = "j1") -> str:
    return str((await ask(f"{JOBS}/{job}")).headers["ETag"])


async def test_a_job_that_is_as_it_was_is_not_told_again(ask: Ask, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "j1", result='"' + "x" * 1_000 + '"')
    known = await tag(ask)
    assert known.startswith('W/"')
    for method in ("GET", "HEAD"):
        for named in (known, f'"other", {known}', known.removeprefix("W/"), "*"):
            again = await ask(f"{JOBS}/j1", method, headers={"If-None-Match": named})
            assert (again.code, again.body, again.headers["ETag"]) == (304, b"", known)
            assert "Content-Type" not in again.headers
    assert (await ask(f"{JOBS}/j1", headers={"If-None-Match": 'W/"other"'})).code == 200
    assert await tag(ask) == known


async def test_whatever_an_answer_shows_makes_another_tag(ask: Ask, house: House) -> None:
    job = await submit(house, "j1")
    tags = [await tag(ask)]
    attempt = await take(house, job)
    tags.append(await tag(ask))
    for op, fields in (("accept", {}), ("progress", {"percent": 5.0}), ("log", {"line": "a"}), ("log", {"line": "a"})):
        await attempt.say(op, **fields)
        tags.append(await tag(ask))
    await attempt.error(retry=False)
    tags.append(await tag(ask))
    assert len(set(tags)) == len(tags)


async def test_why_a_job_waits_makes_another_tag_and_forbids_no_change(ask: Ask, house: House) -> None:
    await submit(house, "j1", requires=(("name", ("DESK-9",)),))
    known = await tag(ask)
    await house.register("s1", "print-label", name="DESK-1")
    assert await tag(ask) != known
    changed = await ask(f"{JOBS}/j1", "PATCH", json={"priority": 7}, headers={"If-Match": known})
    assert changed.code == 200
    assert changed.headers["ETag"] == await tag(ask)


async def test_a_change_that_is_meant_for_another_version_is_refused(ask: Ask, house: House) -> None:
    await submit(house, "j1")
    known = await tag(ask)
    assert (await ask(f"{JOBS}/j1", "PATCH", json={"priority": 7}, headers={"If-Match": known})).code == 200
    late = await ask(f"{JOBS}/j1", "PATCH", json={"priority": 8}, headers={"If-Match": known})
    assert (late.code, body_of(late)["code"]) == (412, "version_mismatch")
    assert body_of(late)["detail"] == "the job has changed since you read it: read it again, and decide anew"
    assert body_of(await ask(f"{JOBS}/j1"))["priority"] == 7
    anew = {"If-Match": f'"x", {await tag(ask)}'}
    assert (await ask(f"{JOBS}/j1", "PATCH", json={"priority": 8}, headers=anew)).code == 200
    assert (await ask(f"{JOBS}/j1", "PATCH", json={"priority": 9}, headers={"If-Match": "*"})).code == 200


async def test_a_job_is_removed_only_as_it_was_read(ask: Ask, house: House) -> None:
    await a_job(house, JobState.CANCELLED, "j1")
    known = await tag(ask)
    assert (await ask(f"{JOBS}/j1", "DELETE", headers={"If-Match": 'W/"other"'})).code == 412
    assert (await ask(f"{JOBS}/j1", "DELETE", headers={"If-Match": known})).code == 204


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_header_that_names_no_tag_is_refused_in_words(ask: Ask, house: House, method: str) -> None:
    await a_job(house, JobState.CANCELLED, "j1")
    response = await ask(f"{JOBS}/j1", method, headers={"If-Match": "abc", "Content-Type": "application/json"},
                         body='{"priority":1}' if method == "PATCH" else None)  # fmt: skip
    assert response.code == 400
    assert body_of(response)["detail"].startswith("If-Match must be the ETag of an earlier answer")


async def test_an_answer_has_the_fields_that_were_asked_for_in_their_order(ask: Ask, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, "j1", result='{"b": 1.0}')
    response = await ask(f"{JOBS}/j1?fields=state,id&fields=result,%20id")
    assert response.body == b'{"state":"succeeded","id":"j1","result":{"b": 1.0}}'
    assert response.headers["ETag"] == await tag(ask)


async def test_a_list_has_the_fields_that_were_asked_for_and_so_has_its_next_page(ask: Ask, house: House) -> None:
    await submit(house, "j1")
    await submit(house, "j2", priority=3)
    response = await ask(f"{JOBS}?fields=priority,id&limit=1")
    assert body_of(response)["items"] == [{"priority": 3, "id": "j2"}]
    link = response.headers["Link"].partition(">")[0].lstrip("<")
    assert body_of(await ask(link))["items"] == [{"priority": 0, "id": "j1"}]
    lines = (await ask(f"{JOBS}?fields=id,links&format=ndjson")).body.splitlines()
    assert [list(json.loads(line)) for line in lines] == [["id", "links"]] * 2
    table = (await ask(f"{JOBS}?fields=id,waiting,priority&format=csv")).body.decode("utf-8-sig")
    assert [row[::2] for row in csv.reader(io.StringIO(table))] == [["id", "priority"], ["j2", "3"], ["j1", "0"]]


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/j1", "status", "fields: 'status' is not a field of a job; did you mean state? It has id, type, state, "),
        ("/j1", "id,,state", "fields: '' is not a field of a job. It has id, "),
        ("", "id,result", "fields: a list does not have result; read it of each job, at /api/v1/jobs/<id>."),
        ("", "a%0D%0Ab", "fields: 'a\\r\\nb' is not a field of a job. It has id, "),
    ],
)
async def test_a_field_that_is_none_is_refused_in_words(
    ask: Ask, house: House, path: str, fields: str, words: str
) -> None:
    await submit(house, "j1")
    response = await ask(f"{JOBS}{path}?fields={fields}")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")
    assert body_of(response)["detail"].startswith(words)
