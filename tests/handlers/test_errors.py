"""Errors as answers: their shape, their statuses, bodies that are too large, secrets that must never show."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dispatcher import errors as ours
from dispatcher.config.settings import Settings
from handlers.errors import Invalid, field_error, problem_of
from tests.handlers.conftest import Ask, body_of, draining
from tests.support.house import House

AS_JSON = {"Content-Type": "application/json"}
Talk = Callable[[bytes], Awaitable[bytes]]


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    """New jobs come by the short way, and to the handler."""
    return bool(request.param)


def _all_errors(kind: type[ours.PagehandError]) -> list[type[ours.PagehandError]]:
    return [kind, *(leaf for sub in kind.__subclasses__() for leaf in _all_errors(sub))]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ours.BadRequest("x"), 400, "bad_request"),
        (ours.BadRequest("x", semantic=True, code="invalid"), 422, "invalid"),
        (Invalid([field_error("type", "is missing")]), 422, "invalid"),
        (ours.BadParameter("x", parameter="limit"), 400, "bad_parameter"),
        (ours.Unauthorized("x"), 401, "bad_token"),
        (ours.Forbidden("x"), 403, "forbidden"),
        (ours.JobNotFound("x"), 404, "not_found"),
        (ours.WrongState("x"), 409, "wrong_state"),
        (ours.VersionMismatch("x"), 412, "version_mismatch"),
        (ours.KeyConflict("x"), 422, "key_conflict"),
        (ours.Unsupported("x"), 415, "unsupported_media_type"),
        (ours.TooLarge("x"), 413, "too_large"),
        (ours.QueueFull("x"), 503, "queue_full"),
        (ours.TooManyTypes("x"), 503, "too_many_types"),
        (ours.TooManyGuesses("x", retry_after_s=3), 429, "too_many_wrong_tokens"),
        (ours.TooManyJobs("x", retry_after_s=3), 429, "too_many_jobs"),
        (ours.Draining("x"), 503, "draining"),
        (ours.StorageTrouble("x"), 503, "storage_trouble"),
        (ours.SettingError("a secret path"), 500, "internal"),
        (ValueError("a secret path"), 500, "internal"),
    ],
)
def test_each_error_has_one_status_and_code(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "secret" not in problem.detail


#: What an error needs besides its words.
_ALSO: dict[type, dict[str, Any]] = {kind: {"retry_after_s": 3} for kind in (ours.TooManyGuesses, ours.TooManyJobs)}


def test_every_error_of_a_request_has_a_status_below_500() -> None:
    for kind in _all_errors(ours.RequestError):
        error = kind([]) if kind is Invalid else kind("x", **_ALSO.get(kind, {}))
        assert 400 <= problem_of(error).status < 500, kind


def test_a_bad_field_that_the_service_found_is_pointed_at() -> None:
    problem = problem_of(ours.BadRequest("is too long", pointer="/key", semantic=True))
    assert problem.errors == [{"pointer": "#/key", "detail": "is too long"}]


@pytest.mark.gen_test
async def test_a_problem_has_exactly_these_members(ask: Ask) -> None:
    response = await ask("/api/v1/jobs/nope", headers={"X-Request-Id": "abc.1"})
    assert response.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert response.headers["X-Request-Id"] == "abc.1"
    assert body_of(response) == {
        "type": "urn:pagehand:error:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no job 'nope': it was never accepted here, or it ended long ago and is no longer kept",
        "instance": "/api/v1/jobs/nope",
        "code": "not_found",
        "request_id": "abc.1",
        "errors": [],
    }


@pytest.mark.gen_test
@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ä", "<script>"])
async def test_an_odd_request_id_is_replaced(ask: Ask, given: str) -> None:
    response = await ask("/livez", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-Id"])


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/job/", "/api/v2/jobs", "/api/v1/jobs/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_address_of_the_api_is_a_problem(ask: Ask, path: str, method: str) -> None:
    response = await ask(path, method)
    assert (response.code, body_of(response)["code"]) == (404, "not_found")
    assert body_of(response)["detail"] == "There is nothing at this address: /docs has them all."


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ["job", "batch", "operation", "worker", "token", "webhook", "backup"])
async def test_an_id_of_another_form_is_told_what_is_not_there(ask: Ask, kind: str) -> None:
    plural = f"{kind}es" if kind == "batch" else f"{kind}s"
    response = await ask(f"/api/v1/{plural}/zzz")
    assert (response.code, kind in body_of(response)["detail"]) == (404, True)


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/nope", "/nope/", "/jobs/a/b", "/jobs/%0a", "/x.html", "//evil.example", "/static"])
async def test_an_unknown_address_elsewhere_is_a_page(ask: Ask, path: str) -> None:
    response = await ask(path, headers={"Accept": "text/html"})
    assert response.code == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"There is nothing at this address." in response.body


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/api/v1/jobs", "DELETE", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/jobs", "PATCH", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/jobs/j", "POST", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/api/v1/jobs/j/duplicate", "GET", "OPTIONS, POST"),
        ("/api/v1/jobs/j/cancel", "GET", "OPTIONS, POST"),
        ("/api/v1/stats", "PUT", "GET, HEAD, OPTIONS"),
        ("/api/v1/jobs", "BREW", "GET, HEAD, OPTIONS, POST"),
    ],
)
async def test_another_method_is_a_405_that_says_what_is_allowed(ask: Ask, path: str, method: str, allow: str) -> None:
    response = await ask(path, method)
    assert (response.code, body_of(response)["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == allow


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/jobs", "/jobs/j/cancel", "/worker", "/livez", "/static/console.css"])
async def test_a_405_of_a_page_says_what_is_allowed(ask: Ask, path: str) -> None:
    response = await ask(path, "GET" if path.endswith("cancel") else "POST", headers={"Accept": "text/html"})
    assert response.code == 405
    assert "OPTIONS" in response.headers["Allow"]


@pytest.mark.gen_test
async def test_options_says_what_is_allowed(ask: Ask) -> None:
    response = await ask("/api/v1/jobs", "OPTIONS")
    assert (response.code, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/json",
        "application/jsonx",
        "text/plain; application/json",
        "application/json; charset=utf-16",
    ],
)
@pytest.mark.parametrize("path", ["", "/j/cancel", "/j/retry"])
async def test_what_a_foreign_page_can_send_unasked_is_a_415(
    ask: Ask, house: House, kind: str | None, path: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = await ask(f"/api/v1/jobs{path}", "POST", body='{"type":"x"}', headers=headers)
    assert (response.code, body_of(response)["code"]) == (415, "unsupported_media_type")
    assert await house.kept() == []


async def queue_full(house: House) -> None:
    for _ in range(house.settings.queue_depth):
        await house.submit()


async def storage_full(house: House) -> None:
    house.store.trouble = ours.StorageFull("the disk is full")


async def storage_is_away(house: House) -> None:
    house.store.trouble = ours.StorageAway("the database restarts")


async def storage_fails(house: House) -> None:
    house.store.trouble = ours.StorageTrouble("the disk answers no more")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_json_may_name_its_charset(ask: Ask, kind: str) -> None:
    response = await ask("/api/v1/jobs", "POST", body='{"type":"x"}', headers={"Content-Type": kind})
    assert response.code == 201


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("scene", "code", "retry_after"),
    [
        (queue_full, "queue_full", "5"),
        (draining, "draining", "5"),
        pytest.param(storage_full, "storage_full", "30", marks=pytest.mark.expect_log("what pages say waits")),
        pytest.param(storage_is_away, "storage_away", "5", marks=pytest.mark.expect_log("what pages say waits")),
        pytest.param(storage_fails, "storage_trouble", "5", marks=pytest.mark.expect_log("the disk answers no more")),
    ],
)
async def test_what_is_ours_is_a_503_that_says_when_to_come_back(ask: Ask, code: str, retry_after: str) -> None:
    response = await ask("/api/v1/jobs", "POST", json={"type": "x"})
    assert (response.code, body_of(response)["code"]) == (503, code)
    assert response.headers["Retry-After"] == retry_after


@pytest.mark.gen_test
@pytest.mark.expect_log("a fault in GET")
@pytest.mark.expect_log("500 GET")
@pytest.mark.parametrize("path", ["/api/v1/types", "/"])
async def test_a_fault_of_ours_shows_no_trace(ask: Ask, house: House, path: str) -> None:
    house.store.rows = None
    response = await ask(path, headers={"Accept": "text/html"})
    assert response.code == 500
    for secret in (b"Traceback", b"TypeError", b"NoneType", b"handlers", b"Tornado"):
        assert secret not in response.body
    assert response.headers["X-Request-Id"].encode() in response.body


# Bodies that are too large


@pytest.fixture
def settings() -> Settings:
    return Settings(body_limit=10_000, queue_depth=5)


@pytest.fixture
def talk(app: object, http_server: object, http_port: int) -> Talk:
    """Sends bytes on a connection of its own and reads until the server closes it."""

    async def exchange(sent: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
        writer.write(sent)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        return answer

    return exchange


HEAD = b"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"


@pytest.mark.gen_test
@pytest.mark.parametrize("length", [17 << 20, 1 << 40])
async def test_a_body_far_over_the_limit_is_a_413_before_it_is_read(talk: Talk, length: int) -> None:
    answer = await talk(HEAD + b"Content-Length: %d\r\n\r\n" % length)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.gen_test
async def test_a_client_that_asks_first_is_told_413_at_once(talk: Talk, house: House) -> None:
    answer = await talk(HEAD + b"Expect: 100-continue\r\nContent-Length: 30000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_the_413_reaches_a_client_that_sends_all_first(talk: Talk) -> None:
    body = b"x" * 3_000_000
    answer = await talk(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"too_large"' in answer
    assert b"26,384 bytes" in answer
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("chunks", [6, 3000])
async def test_a_chunked_body_over_the_limit_is_a_413(talk: Talk, house: House, chunks: int) -> None:
    chunk = b"1388\r\n" + b"x" * 5000 + b"\r\n"
    answer = await talk(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * chunks + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_data_over_the_limit_in_a_body_that_is_not_is_a_413(ask: Ask, house: House) -> None:
    fitting = await ask("/api/v1/jobs", "POST", json={"type": "x", "data": "d" * 9_998})
    over = await ask("/api/v1/jobs", "POST", json={"type": "x", "data": "d" * 9_999})
    assert fitting.code == 201
    assert (over.code, body_of(over)["code"]) == (413, "too_large")
    assert len(await house.kept()) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/livez", "/nope", "/api/v1/jobs", "/static/console.css", "/tasks/plain.js"])
async def test_no_address_takes_a_large_body(talk: Talk, path: str) -> None:
    body = b"x" * 200_000
    start = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (
        path.encode(),
        len(body),
    )
    answer = await talk(start + body)
    assert answer[9:12] in (b"413", b"404")


@pytest.mark.gen_test
@pytest.mark.parametrize("length", [b"x", b"-1", b"1, 2", b"9" * 40])
async def test_a_length_that_is_none_is_a_400(talk: Talk, length: bytes) -> None:
    assert (await talk(HEAD + b"Content-Length: " + length + b"\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
