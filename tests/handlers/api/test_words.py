"""What the API says of a body that it cannot read: what is wrong, where, and what to do."""

from __future__ import annotations

import gzip

import pytest

from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

JOBS = "/api/v1/jobs"
BATCH = "/api/v1/jobs/batch"
AS_JSON = {"Content-Type": "application/json"}
AS_LINES = {"Content-Type": "application/x-ndjson"}
HOW = "send it as UTF-8 (in PowerShell: -Body ([Text.Encoding]::UTF8.GetBytes($text)))"
MARK = b"\xef\xbb\xbf"
ONE = b'{"type":"x","data":"M\xc3\xbcller"}'


@pytest.mark.parametrize(
    ("path", "headers", "body", "jobs"),
    [
        (JOBS, AS_JSON, MARK + ONE, 1),
        (BATCH, AS_JSON, MARK + b"[" + ONE + b"]", 1),
        (BATCH, AS_LINES, MARK + ONE + b"\r\n" + ONE, 2),
        (BATCH, AS_LINES, MARK + ONE + b"\n" + MARK + ONE + b"\n" + MARK, 2),
    ],
    ids=["job", "array", "lines", "files that were joined"],
)
async def test_a_byte_order_mark_is_skipped(
    ask: Ask, house: House, path: str, headers: dict[str, str], body: bytes, jobs: int
) -> None:
    assert (await ask(path, "POST", body=body, headers=headers)).code == 201
    assert [spec.data for spec in await house.kept()] == ['"Müller"'] * jobs


@pytest.mark.parametrize(
    ("path", "headers", "body"),
    [(JOBS, AS_JSON, ONE), (JOBS, AS_JSON, b'{"no":1}'), (BATCH, AS_JSON, b"[" + ONE + b"]"), (BATCH, AS_LINES, ONE)],
    ids=["job", "no job", "array", "line"],
)
async def test_a_second_byte_order_mark_is_named_and_no_fault_of_ours(
    ask: Ask, house: House, path: str, headers: dict[str, str], body: bytes
) -> None:
    response = await ask(path, "POST", body=MARK + MARK + body, headers=headers)
    assert (response.code, body_of(response)["code"]) == (400, "bad_json")
    assert (
        "line 1, column 1: a byte order mark (U+FEFF) stands at the very start alone, once"
        in body_of(response)["detail"]
    )
    assert await house.kept() == []


async def test_a_byte_order_mark_before_the_body_of_an_action_is_skipped(ask: Ask, house: House) -> None:
    job = body_of(await ask(JOBS, "POST", json={"type": "x"}))["id"]
    response = await ask(f"{JOBS}/{job}/cancel", "POST", body=MARK + b'{"reason":"late"}', headers=AS_JSON)
    assert (response.code, body_of(response)["detail"]) == (200, "late")


@pytest.mark.parametrize(("path", "headers"), [(JOBS, AS_JSON), (BATCH, AS_LINES)])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (ONE.decode().encode("utf-16"), f"is in UTF-16, not in UTF-8: {HOW}."),
        (
            ONE.decode().encode("cp1252"),
            f"is not UTF-8 (line 1, column 22 has the byte 0xFC, ü in Windows-1252 and Latin-1): {HOW}.",
        ),
        (gzip.compress(ONE), "is compressed (gzip), not UTF-8: send it as UTF-8"),
        (b'{"type":"x","data":NaN}', "line 1, column 20: there is no NaN in JSON: send null, or a text."),
        (b'{"type":"x","data":"\\ud83d"}', "line 1, column 21: \\ud83d is half a character"),
    ],
    ids=["UTF-16", "Windows-1252", "gzip", "NaN", "half a pair"],
)
async def test_what_cannot_be_read_is_named_with_its_place(
    ask: Ask, house: House, path: str, headers: dict[str, str], body: bytes, words: str
) -> None:
    response = await ask(path, "POST", body=body, headers=headers)
    assert (response.code, body_of(response)["code"]) == (400, "bad_json")
    assert words in body_of(response)["detail"]
    assert await house.kept() == []


async def test_a_place_in_a_batch_that_is_an_array_is_one_of_the_whole_body(ask: Ask) -> None:
    response = await ask(BATCH, "POST", body=b"[\n" + ONE + b",\n{'type': 'x'}]", headers=AS_JSON)
    assert "line 3, column 2: a field's name stands in quotation marks" in body_of(response)["detail"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b'{"type":"a\tb"}', "line 4, column 11: a text may not hold a tab, write it as \\t"),
        (b'"M\xfcller"', "line 4, column 3 has the byte 0xFC"),
    ],
)
async def test_a_line_of_a_batch_is_named_by_its_number(ask: Ask, bad: bytes, words: str) -> None:
    response = await ask(BATCH, "POST", body=ONE + b"\n\n\r\n" + bad, headers=AS_LINES)
    assert response.code == 400
    assert words in body_of(response)["detail"]
    assert body_of(response)["detail"].startswith("Job 1 (the first is 0): The body ")


async def test_an_empty_body_is_called_empty(ask: Ask) -> None:
    response = await ask(JOBS, "POST", body=b"", headers=AS_JSON)
    assert body_of(response)["detail"] == "The body is not JSON: it is empty."


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br"])
@pytest.mark.parametrize(("path", "kind"), [(JOBS, "application/json"), ("/submit", "multipart/form-data")])
async def test_a_compressed_body_is_a_415_that_names_it(ask: Ask, path: str, kind: str, coding: str) -> None:
    headers = {"Content-Type": kind, "Content-Encoding": coding}
    response = await ask(path, "POST", body=gzip.compress(ONE), headers=headers)
    assert response.code == 415
    assert f"The body comes as Content-Encoding: {coding}: send it as it is, uncompressed." in response.body.decode()


@pytest.mark.parametrize("coding", ["identity", "Identity", ""])
async def test_a_body_that_says_it_is_not_compressed_is_taken(ask: Ask, coding: str) -> None:
    headers = AS_JSON | {"Content-Encoding": coding}
    assert (await ask(JOBS, "POST", body=ONE, headers=headers)).code == 201


@pytest.mark.parametrize("path", [f"{JOBS}?type=%FC", f"{JOBS}/j?wait=%FC", "/submit?type=%FC", "/login?next=%FC"])
async def test_a_field_of_an_address_that_is_not_utf_8_is_told_how_to_be_written(ask: Ask, path: str) -> None:
    response = await ask(path)
    assert response.code == 400
    assert "is not UTF-8 (character 1 is %FC, ü in Windows-1252 and Latin-1): write ü as %C3%BC." in (
        response.body.decode()
    )


@pytest.mark.parametrize(
    "kind",
    [
        "Application/JSON",
        "application/json; odata=verbose",
        "application/json;charset=us-ascii; v=2",
        "application/json;",
    ],
)
async def test_parameters_and_case_of_the_media_type_do_not_matter(ask: Ask, kind: str) -> None:
    assert (await ask(JOBS, "POST", body=ONE, headers={"Content-Type": kind})).code == 201


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "text/json",
            "The Content-Type is text/json. Send JSON in UTF-8, and say so: 'Content-Type: application/json'.",
        ),
        ("text/plain;charset=UTF-8", "The Content-Type is text/plain;charset=UTF-8. Send JSON in UTF-8"),
        ("", "The Content-Type is missing. Send JSON in UTF-8"),
        ("application/json; charset=iso-8859-1", "The Content-Type says charset=iso-8859-1: send the body in UTF-8"),
    ],
)
async def test_a_wrong_media_type_is_told_what_it_said(ask: Ask, kind: str, words: str) -> None:
    response = await ask(JOBS, "POST", body=ONE, headers={"Content-Type": kind})
    assert (response.code, body_of(response)["code"]) == (415, "unsupported_media_type")
    assert words in body_of(response)["detail"]


@pytest.mark.parametrize(
    "path", ["/api/v1/stats", "/api/v1/jobs", "/api/v1/jobs/none", "/api/nope", "/tasks/index.json"]
)
async def test_every_answer_in_json_says_its_charset(ask: Ask, path: str) -> None:
    response = await ask(path)
    assert response.headers["Content-Type"] in (
        "application/json; charset=utf-8", "application/problem+json; charset=utf-8",
    )  # fmt: skip


# A field that stands twice


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ('{"type":"x","priority":1,"priority":5}', "#/priority", "stands twice"),
        ('{"type":"x","type":"x"}', "#/type", "stands twice"),
        ('{"type":"x","\\u0074ype":"y"}', "#/type", "stands twice"),
        ('{"type":"x","data":{"type":1},"data":2}', "#/data", "stands twice"),
        ('{"type":"x","priority":"no","priority":5}', "#/priority", "stands twice"),
        ('{"type":"x","requires":{"site":"a","site":"b"}}', "#/requires", "names the label site twice"),
    ],
)
async def test_a_field_that_stands_twice_is_refused(
    ask: Ask, house: House, body: str, pointer: str, words: str
) -> None:
    response = await ask(JOBS, "POST", body=body, headers=AS_JSON)
    assert (response.code, body_of(response)["errors"]) == (422, [{"pointer": pointer, "detail": words}])
    response = await ask(BATCH, "POST", body=f'[{{"type":"x"}},{body}]', headers=AS_JSON)
    assert body_of(response)["errors"] == [{"pointer": f"#/1{pointer[1:]}", "detail": words}]
    assert await house.kept() == []


async def test_a_name_that_stands_twice_in_the_data_is_kept_as_it_came(ask: Ask, house: House) -> None:
    body = '{"type":"x","data":{"type":1,"type":2}}'
    assert (await ask(JOBS, "POST", body=body, headers=AS_JSON)).code == 201
    assert (await house.kept())[0].data == '{"type":1,"type":2}'


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("cancel", '{"reason":"a","reason":"b"}'),
        ("decide", '{"outcome":"failed","outcome":"succeeded"}'),
    ],
)
async def test_a_field_of_an_action_that_stands_twice_is_refused(ask: Ask, action: str, body: str) -> None:
    job = body_of(await ask(JOBS, "POST", json={"type": "x"}))["id"]
    response = await ask(f"{JOBS}/{job}/{action}", "POST", body=body, headers=AS_JSON)
    assert (response.code, body_of(response)["errors"][0]["detail"]) == (422, "stands twice")
