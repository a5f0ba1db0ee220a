"""A form that a program sends to ``/api/v1/jobs``: the fields of ``/submit``, the answers of the API."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

JOBS = "/api/v1/jobs"
TOKEN = "Ab+/cd9x+Q=="
BY_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BY_PROGRAM = BY_FORM | {"X-Requested-With": "Excel"}
UPLOAD = BY_PROGRAM | {"Content-Type": "Multipart/Form-Data; Boundary=b"}


async def send(ask: Ask, fields: Any, **headers: str) -> Any:
    return await ask(JOBS, "POST", body=urlencode(fields), headers=BY_PROGRAM | headers)


async def test_a_form_becomes_a_job_and_is_answered_as_json_is(ask: Ask, house: House) -> None:
    fields = {
        "type": "sum", "data": '\ufeff{"name": "Müller"}', "priority": "5", "timeout_s": "2.5", "worker": "DESK-1",
        "labels": "site:berlin\r\nprinter:a\r\nprinter:b",
    }  # fmt: skip
    response = await send(ask, fields)
    job = body_of(response)
    assert (response.code, response.headers["Location"]) == (201, f"{JOBS}/{job['id']}")
    assert (job["type"], job["data"], job["priority"], job["timeout_s"]) == ("sum", {"name": "Müller"}, 5, 2.5)
    assert job["requires"] == {"name": "DESK-1", "site": "berlin", "printer": ["a", "b"]}
    assert len(await house.kept()) == 1


async def test_a_form_may_send_a_text_as_it_is(ask: Ask, house: House) -> None:
    assert (await send(ask, {"type": "x", "format": "text", "data": 'C:\\Users "x"'})).code == 201
    assert json.loads((await house.kept())[0].data) == 'C:\\Users "x"'


async def test_a_form_may_bring_a_file(ask: Ask, house: House) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nx\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="C:\\Users\\Me\\report.txt"\r\n'
        b"Content-Type: Text/Plain; charset=x\r\n\r\nhello\r\n--b--\r\n"
    )
    assert (await ask(JOBS, "POST", body=body, headers=UPLOAD)).code == 201
    data = json.loads((await house.kept())[0].data)
    assert data == {"name": "report.txt", "file": "data:text/plain;base64,aGVsbG8="}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Requested-With": ""}, {"Authorization": "Basic eDp5"}, {"Accept": "application/json"}],
    ids=["none", "empty", "what a browser adds by itself", "what a form can send"],
)
async def test_a_form_that_a_foreign_page_can_send_is_refused_in_words(
    ask: Ask, house: House, kind: str, headers: dict[str, str]
) -> None:
    response = await ask(JOBS, "POST", body="type=x", headers=headers | {"Content-Type": kind})
    assert (response.code, body_of(response)["code"]) == (415, "unsupported_media_type")
    assert "X-Requested-With" in body_of(response)["detail"]
    assert await house.kept() == []


@pytest.mark.parametrize("path", ["/batch", "/j/cancel", "/j/decide"])
async def test_only_a_job_may_come_as_a_form(ask: Ask, path: str) -> None:
    assert (await ask(JOBS + path, "POST", body="type=x", headers=BY_PROGRAM)).code == 415


@pytest.mark.parametrize("settings", [Settings(token=TOKEN)])
async def test_where_a_token_is_set_a_form_needs_it_and_nothing_else(ask: Ask, house: House) -> None:
    assert (await ask(JOBS, "POST", body="type=x", headers=BY_PROGRAM)).code == 401
    wrong = BY_FORM | {"Authorization": "Bearer nonsense"}
    assert (await ask(JOBS, "POST", body="type=x", headers=wrong)).code == 401
    right = BY_FORM | {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(JOBS, "POST", body="type=x", headers=right)).code == 201
    assert len(await house.kept()) == 1


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ([], [("type", "is missing")]),
        ([("type", "x"), ("prio", "1")], [("prio", "is not a field of the form; did you mean priority?")]),
        ([("type", "x"), ("type", "y")], [("type", "stands twice")]),
        ([("type", "x"), ("format", "xml")], [("format", "must be json or text")]),
        ([("type", "x"), ("colour", "red"), ("priority", "high")], [("colour", "is not"), ("priority", "must be")]),
        ([("type", "x"), ("data", "{'a': 1}")], [("data", "is not JSON: line 1, column 2: a field's name stands in")]),
        ([("type", "x"), ("labels", "berlin")], [("labels", "line 1: write a label")]),
    ],
)
async def test_what_is_wrong_with_a_form_is_named_by_its_field(
    ask: Ask, house: House, fields: list[tuple[str, str]], errors: list[tuple[str, str]]
) -> None:
    response = await send(ask, fields)
    found = [(error["pointer"], error["detail"]) for error in body_of(response)["errors"]]
    assert response.code == 422
    assert [pointer for pointer, _ in found] == [f"#/{name}" for name, _ in errors]
    assert all(detail.startswith(words) for (_, detail), (_, words) in zip(found, errors, strict=True)), found
    assert await house.kept() == []


@pytest.mark.parametrize(
    ("headers", "body", "code", "words"),
    [
        (BY_PROGRAM, b"type=M%FCller", 400, "The field type is not UTF-8 (line 1, column 2 has the byte 0xFC, ü in"),
        (BY_PROGRAM | {"Content-Type": BY_FORM["Content-Type"] + "; charset=iso-8859-1"}, b"", 415, "charset=utf-8"),
        (UPLOAD, b"nothing", 400, "its body is not what its Content-Type says"),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused_in_words(
    ask: Ask, headers: dict[str, str], body: bytes, code: int, words: str
) -> None:
    response = await ask(JOBS, "POST", body=body, headers=headers)
    assert response.code == code
    assert words in body_of(response)["detail"]


@pytest.mark.parametrize("in_header", [True, False])
async def test_the_same_key_is_the_same_job_wherever_it_stands(ask: Ask, house: House, in_header: bool) -> None:
    fields = {"type": "x"} if in_header else {"type": "x", "key": "k"}
    headers = {"Idempotency-Key": "k"} if in_header else {}
    codes = [(await send(ask, fields, **headers)).code for _ in range(2)]
    assert codes == [201, 200]
    assert [spec.key for spec in await house.kept()] == ["k"]


async def test_two_keys_that_differ_are_refused(ask: Ask) -> None:
    response = await send(ask, {"type": "x", "key": "a"}, **{"Idempotency-Key": "b"})
    assert (response.code, body_of(response)["code"]) == (400, "bad_key")


@pytest.mark.parametrize("settings", [Settings(body_limit=10_000)])
async def test_data_at_the_limit_is_taken_although_a_form_makes_it_longer(ask: Ask) -> None:
    assert (await send(ask, {"type": "x", "data": '"' + "%" * 9_998 + '"'})).code == 201
    assert (await send(ask, {"type": "x", "data": '"' + "%" * 9_999 + '"'})).code == 413
