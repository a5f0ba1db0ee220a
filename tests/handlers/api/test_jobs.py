"""The JSON API: reading jobs, acting on them, and what is going on."""

from __future__ import annotations

import json

import msgspec
import pytest

from dispatcher.core.jobs.model import LogLine
from dispatcher.core.jobs.states import JobState
from handlers.api.jobjson import job_json
from tests.handlers.api.test_resources import JOB_FIELDS
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.jobs import attempt_view, job_view
from tests.support.scenes import a_job, a_late_answer, submit

JOBS = "/api/v1/jobs"
AS_JSON = {"Content-Type": "application/json"}


def test_a_job_shows_its_attempts_its_log_and_its_texts_as_they_came() -> None:
    log = [LogLine(line_no=7, at=1_795_469_037.456, line="page 1", number=2)]
    attempts = [attempt_view(state="error", error='{"z":  1}')]
    job = job_view(data='{"a":1.0}', error='{"message" : "x"}', attempts=attempts, log=log)
    text = msgspec.json.encode(job_json(job, None)).decode()
    assert '"data":{"a":1.0}' in text
    assert '"error":{"message" : "x"}' in text
    assert '"error":{"z":  1}' in text
    assert '"log":[{"line_no":7,"at":"2026-11-23T21:23:57.456Z","line":"page 1","number":2}]' in text


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["", "/cancel", "/retry", "/result"])
async def test_an_unknown_job_is_a_404(ask: Ask, path: str) -> None:
    method = {"/cancel": "POST", "/retry": "POST"}.get(path, "GET")
    response = await ask(f"{JOBS}/nope{path}", method, headers=AS_JSON)
    assert (response.code, body_of(response)["code"]) == (404, "not_found")


@pytest.mark.gen_test
async def test_the_list_is_filtered_cut_and_linked(ask: Ask, house: House) -> None:
    for n in range(5):
        await a_job(house, JobState.FAILED, f"a{n}", type="a.b" if n % 2 else "a")
    response = await ask(f"{JOBS}?state=failed&type=a&limit=2")
    page = body_of(response)
    assert [job["id"] for job in page["items"]] == ["a4", "a2"]
    following = f"/api/v1/jobs?state=failed&type=a&limit=2&cursor={page['next_cursor']}"
    assert response.headers["Link"] == f'<{following}>; rel="next"'
    assert set(page["items"][0]) == JOB_FIELDS - {
        "data",
        "result",
        "evidence",
        "attempts",
        "callback_url",
        "doubt_url",
        "log",
        "operations",
    }
    last = await ask(following)
    assert [job["id"] for job in body_of(last)["items"]] == ["a0"]
    assert body_of(last)["next_cursor"] is None
    assert "Link" not in last.headers


@pytest.mark.gen_test
@pytest.mark.parametrize("query", ["state=lost", "limit=0", "limit=101", "limit=x", "limit=%C2%B2", "cursor=x"])
async def test_a_bad_filter_is_a_400(ask: Ask, query: str) -> None:
    response = await ask(f"{JOBS}?{query}")
    assert (response.code, body_of(response)["code"]) == (400, "bad_parameter")


@pytest.mark.gen_test
async def test_the_result_is_the_text_that_the_page_sent(ask: Ask, house: House) -> None:
    await a_job(house, JobState.SUCCEEDED, result='{"n": 1.0, "n" : 2}')
    response = await ask(f"{JOBS}/j/result")
    assert (response.code, response.body) == (200, b'{"n": 1.0, "n" : 2}')


@pytest.mark.gen_test
@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SCHEDULED, JobState.RUNNING, JobState.IN_DOUBT])
async def test_the_result_of_an_open_job_is_a_202(ask: Ask, house: House, state: JobState) -> None:
    await a_job(house, state)
    response = await ask(f"{JOBS}/j/result")
    assert (response.code, response.headers["Retry-After"]) == (202, "1")
    assert body_of(response)["state"] == state


@pytest.mark.gen_test
@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED])
async def test_the_result_of_a_job_without_one_is_a_409(ask: Ask, house: House, state: JobState) -> None:
    await a_job(house, state)
    response = await ask(f"{JOBS}/j/result")
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")


@pytest.mark.gen_test
async def test_head_answers_as_get_without_a_body(ask: Ask, house: House) -> None:
    await submit(house)
    got, head = await ask(f"{JOBS}/j"), await ask(f"{JOBS}/j", "HEAD")
    assert (head.code, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.body))


# Acting


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("state", "code"), [(JobState.QUEUED, 200), (JobState.SCHEDULED, 200), (JobState.RUNNING, 202)]
)
async def test_cancel_says_whether_the_job_was_running(ask: Ask, house: House, state: JobState, code: int) -> None:
    await a_job(house, state)
    response = await ask(f"{JOBS}/j/cancel", "POST", json={"reason": "wrong printer"})
    job = body_of(response)
    assert (response.code, job["state"], job["detail"]) == (code, "cancelled", "wrong printer")


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
@pytest.mark.parametrize("sender", [{"X-Requested-With": "Invoke-RestMethod"}, {"Authorization": "Bearer any"}])
async def test_an_order_without_a_body_needs_no_type_from_a_program(
    ask: Ask, house: House, kind: dict[str, str], sender: dict[str, str]
) -> None:
    await a_job(house, JobState.QUEUED)
    assert (await ask(f"{JOBS}/j/cancel", "POST", body="{}", headers=kind | sender)).code == 415
    assert (await ask(f"{JOBS}/j/cancel", "POST", body="", headers=kind | sender)).code == 200
    assert (await ask(JOBS, "POST", body="", headers=sender)).code == 422
    assert (await ask(f"{JOBS}/batch", "POST", body="", headers=sender)).code == 400


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["cancel", "retry"])
async def test_cancel_and_retry_take_an_empty_body_but_not_another_type(ask: Ask, house: House, path: str) -> None:
    for state in (JobState.FAILED, JobState.QUEUED):
        await a_job(house, state, state)
        refused = await ask(f"{JOBS}/{state}/{path}", "POST", body="")
        assert (refused.code, "there is no body" in body_of(refused)["detail"]) == (415, True)
        assert (await house.dispatcher.job(state)).state is state
    job = JobState.QUEUED if path == "cancel" else JobState.FAILED
    response = await ask(f"{JOBS}/{job}/{path}", "POST", body="", headers=AS_JSON)
    assert response.code == 200


@pytest.mark.gen_test
async def test_retry_queues_a_failed_job_again(ask: Ask, house: House) -> None:
    await a_job(house, JobState.FAILED)
    assert body_of(await ask(f"{JOBS}/j/retry", "POST", json={"reason": "new toner"}))["state"] == "queued"
    assert body_of(await ask("/api/v1/audit?target=j"))["items"][0]["detail"] == "new toner"


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["cancel", "retry"])
async def test_a_state_that_does_not_allow_it_is_a_409(ask: Ask, house: House, path: str) -> None:
    await a_job(house, JobState.SUCCEEDED)
    response = await ask(f"{JOBS}/j/{path}", "POST", json={})
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")


@pytest.mark.gen_test
@pytest.mark.parametrize("body", ['{"reason": 1}', json.dumps({"reason": "x" * 501}), '{"why": ""}', "[]"])
async def test_a_bad_reason_is_a_422(ask: Ask, house: House, body: str) -> None:
    for path, state in (("retry", JobState.FAILED), ("cancel", JobState.QUEUED)):
        await a_job(house, state, path)
        response = await ask(f"{JOBS}/{path}/{path}", "POST", body=body, headers=AS_JSON)
        assert response.code == 422
        assert (await house.dispatcher.job(path)).state is state


# What is going on


@pytest.mark.gen_test
async def test_workers_types_and_stats_show_what_the_console_shows(ask: Ask, house: House) -> None:
    desk, kiosk = await house.register("s1", "sum", name="DESK"), await house.register("s2", "scan", name="KIOSK")
    house.pages.quiet("s2", house.clock.monotonic())
    for _ in range(3):
        await house.submit("sum")
    workers = body_of(await ask("/api/v1/workers"))["items"]
    types = body_of(await ask("/api/v1/types"))["items"]
    stats = body_of(await ask("/api/v1/stats"))
    assert [(item["id"], item["name"], item["state"]) for item in workers] == [
        (desk["worker"], "DESK", "connected"),
        (kiosk["worker"], "KIOSK", "quiet"),
    ]
    counts = {"queued": 2, "running": 1}
    known = {"offered_at": "2026-11-23T21:24:05.123Z", "workers": 1, "paused": None, "defaults": {}, "unloaded": None}
    assert types[1] == {"type": "sum", "counts": counts} | known
    assert (stats["jobs"]["queued"], stats["jobs"]["running"]) == (2, 1)
    assert stats["workers"] == {"connected": 1, "quiet": 1}
    assert stats["draining"] is False


def test_no_field_of_a_job_is_encoded_twice() -> None:
    """A result that is a string of JSON stays a string."""
    text = msgspec.json.encode(job_json(job_view(result='"{\\"a\\": 1}"'), None))
    assert json.loads(text)["result"] == '{"a": 1}'


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("body", "state", "result"),
    [
        ({"outcome": "succeeded", "value": {"pages": 2}}, "succeeded", {"pages": 2}),
        ({"outcome": "succeeded"}, "succeeded", None),
        ({"outcome": "failed", "reason": "the printer was off"}, "failed", None),
    ],
)
async def test_a_person_decides_about_a_job_in_doubt(ask: Ask, house: House, body, state, result) -> None:
    await a_job(house, JobState.IN_DOUBT)
    job = body_of(await ask(f"{JOBS}/j/decide", "POST", json=body))
    assert (job["state"], job["result"], job["reason"]) == (state, result, "decided")
    assert (await ask(f"{JOBS}/j/decide", "POST", json=body)).code == 409


@pytest.mark.gen_test
async def test_a_person_takes_a_decision_back(ask: Ask, house: House) -> None:
    await a_job(house, JobState.IN_DOUBT)
    back = {"outcome": "in_doubt", "reason": "it came out"}
    assert (await ask(f"{JOBS}/j/decide", "POST", json=back)).code == 409
    success = {"outcome": "succeeded", "value": "a guess"}
    for verb, body in (("decide", {"outcome": "failed"}), ("decide", success), ("retry", {})):
        assert body_of(await ask(f"{JOBS}/j/{verb}", "POST", json=body))["reason"] == "decided"
        job = body_of(await ask(f"{JOBS}/j/decide", "POST", json=back))
        assert (job["state"], job["reason"], job["result"]) == ("in_doubt", "lost", None)
    assert (await ask(f"{JOBS}/j/result")).code == 202, "as of any job that is open"


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [{}, {"outcome": "maybe"}, {"outcome": "failed", "reason": "x" * 501}, {"outcom": 1}])
async def test_a_decision_that_says_nothing_is_refused(ask: Ask, house: House, body) -> None:
    await a_job(house, JobState.IN_DOUBT)
    assert (await ask(f"{JOBS}/j/decide", "POST", json=body)).code == 422
    assert (await house.dispatcher.job("j")).state is JobState.IN_DOUBT


@pytest.mark.gen_test
async def test_a_late_answer_is_shown_and_may_be_adopted(ask: Ask, house: House) -> None:
    await a_late_answer(house, value='{"late": 1.0}')
    assert body_of(await ask(f"{JOBS}/j"))["evidence"] == {"late": 1.0}
    job = body_of(await ask(f"{JOBS}/j/adopt", "POST", json={}))
    assert (job["state"], job["result"]) == ("succeeded", {"late": 1.0})
    assert (await ask(f"{JOBS}/j/adopt", "POST", json={})).code == 409


@pytest.mark.gen_test
@pytest.mark.parametrize(("field", "value"), [("effects", "twice"), ("heartbeat_s", 0), ("heartbeat_s", "soon")])
async def test_effects_and_heartbeat_have_their_ranges(ask: Ask, field, value) -> None:
    response = await ask(JOBS, "POST", json={"type": "echo", field: value})
    assert response.code == 422
    assert body_of(response)["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.gen_test
async def test_effects_and_heartbeat_are_taken_and_shown(ask: Ask) -> None:
    job = body_of(await ask(JOBS, "POST", json={"type": "echo", "effects": "once", "heartbeat_s": 2.5}))
    assert (job["effects"], job["heartbeat_s"]) == ("once", 2.5)
