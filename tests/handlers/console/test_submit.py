"""The form: what it takes, what it keeps, what it says."""

from __future__ import annotations

import base64
import html
import json
import re

import pytest
from msgspec.structs import asdict
from tornado.httpclient import HTTPResponse

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.terms import Terms
from tests.handlers.conftest import Browser, draining
from tests.handlers.rich import PICTURE
from tests.support.forms import xsrf_in
from tests.support.house import House
from tests.support.jobs import NOW
from tests.support.scenes import submit

PNG = base64.b64decode(PICTURE.partition(",")[2])
EVERYTHING = {
    "type": "print label",
    "format": "json",
    "data": "\n{oops\n  <b>'\"&",
    "priority": "x1",
    "delay_s": "-1",
    "timeout_s": "12,5",
    "max_attempts": "0",
}


@pytest.fixture
def settings() -> Settings:
    return Settings(body_limit=20_000)


async def send_file(
    browser: Browser, fields: dict[str, str], body: bytes, *, name: str = "a.png", kind: str = "image/png"
) -> HTTPResponse:
    """Posts the form as a browser does with a file."""
    page = (await browser.get("/submit")).body.decode()
    parts = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in ({"_xsrf": xsrf_in(page)} | fields).items()
    )
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    whole = parts + head.encode() + body + b"\r\n--x--\r\n"
    kind_of_all = {"Content-Type": "multipart/form-data; boundary=x"}
    return await browser._send("POST", "/submit", body=whole, headers=kind_of_all)


def error_beside(body: bytes, name: str) -> str:
    """The message beside a field, which the field points to."""
    text = body.decode()
    match = re.search(f'id="{name}-error">([^<]*)<', text)
    assert match, f"no message beside {name}"
    field = re.search(f'<(?:input|textarea|select)[^>]* id="{name}"[^>]*>', text)
    assert field
    assert f"{name}-error" in field[0]
    assert 'aria-invalid="true"' in field[0]
    return html.unescape(match[1])


@pytest.mark.gen_test
async def test_the_form_submits_and_leads_to_the_job(browser: Browser, house: House) -> None:
    fields = {
        "type": " sum ",
        "data": '{"a": 1.0}',
        "priority": "-5",
        "delay_s": "1.5",
        "timeout_s": "9",
        "max_attempts": "2",
    }
    response = await browser.post("/submit", fields)
    assert (response.code, response.headers["Location"]) == (303, "/jobs/job-1")
    [job] = await house.kept()
    assert (job.type, job.data, job.terms.priority, job.run_at) == ("sum", '{"a": 1.0}', -5, NOW + 1.5)
    assert (job.terms.timeout_s, job.terms.max_attempts) == (9.0, 2)


@pytest.mark.gen_test
async def test_an_empty_field_means_the_default(browser: Browser, house: House, settings: Settings) -> None:
    empty = dict.fromkeys(("data", "priority", "delay_s", "timeout_s", "max_attempts"), " ")
    assert (await browser.post("/submit", {"type": "sum", **empty})).code == 303
    [job] = await house.kept()
    assert (job.data, job.terms.priority, job.run_at) == ("null", 0, None)
    assert (job.terms.timeout_s, job.terms.max_attempts) == (settings.job_timeout_s, settings.max_attempts)


@pytest.mark.gen_test
async def test_the_list_of_types_stands_in_where_none_is_typed(browser: Browser, house: House) -> None:
    await browser.post("/submit", {"type": "", "type_choice": "thumbnail"})
    assert (await house.kept())[0].type == "thumbnail"


@pytest.mark.gen_test
async def test_text_is_taken_as_a_string(browser: Browser, house: House) -> None:
    await browser.post("/submit", {"type": "x", "format": "text", "data": 'Grüße,\r\n"{'})
    assert json.loads((await house.kept())[0].data) == 'Grüße,\n"{'


@pytest.mark.gen_test
async def test_an_error_keeps_everything_that_was_typed_and_stands_beside_its_field(
    browser: Browser, house: House
) -> None:
    response = await browser.post("/submit", EVERYTHING | {"key": "form-1"})
    text = response.body.decode()
    assert response.code == 422
    for name in ("type", "priority", "delay_s", "timeout_s", "max_attempts"):
        assert f'name="{name}"' in text
        assert f'value="{html.escape(EVERYTHING[name])}"' in text
        assert error_beside(response.body, name).startswith("must be")
    area = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", text, re.DOTALL)
    assert area
    assert html.unescape(area[1]) == EVERYTHING["data"]
    assert "line 2, column 2" in error_beside(response.body, "data")
    assert '<input type="hidden" name="key" value="form-1">' in text
    assert await house.kept() == []


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ('{"a": 1,\n "b": oops}', "line 2, column 7"),
        ("NaN", "there is no NaN in JSON"),
        ('"\\ud800"', "is not JSON"),
        ("[" * 50_00, "nested too deeply"),
    ],
)
async def test_data_that_is_not_json_says_where(browser: Browser, data: str, words: str) -> None:
    response = await browser.post("/submit", {"type": "x", "data": data})
    assert response.code == 422
    assert words in error_beside(response.body, "data")


@pytest.mark.gen_test
async def test_a_form_without_a_type_says_so(browser: Browser) -> None:
    assert error_beside((await browser.post("/submit", {})).body, "type") == "is missing"


@pytest.mark.gen_test
async def test_a_double_click_submits_once(browser: Browser, house: House) -> None:
    page = (await browser.get("/submit")).body.decode()
    match = re.search(r'name="key" value="(form-[0-9a-f]{32})"', page)
    assert match
    fields = {"type": "x", "key": match[1]}
    first, second = await browser.post("/submit", fields), await browser.post("/submit", fields)
    assert first.headers["Location"] == second.headers["Location"]
    assert len(await house.kept()) == 1


@pytest.mark.gen_test
async def test_a_form_that_is_sent_again_with_other_content_asks_before_it_makes_a_second_job(
    browser: Browser, house: House
) -> None:
    await browser.post("/submit", {"type": "x", "key": "form-1"})
    response = await browser.post("/submit", {"type": "y", "key": "form-1"})
    assert response.code == 422
    assert b"has already been sent with other content" in response.body
    key = re.search(r'name="key" value="(form-[0-9a-f]{32})"', response.body.decode())
    assert key
    assert (await browser.post("/submit", {"type": "y", "key": key[1]})).code == 303
    assert [spec.type for spec in await house.kept()] == ["x", "y"]


@pytest.mark.gen_test
@pytest.mark.parametrize("scene", [draining])
async def test_a_server_that_takes_no_jobs_keeps_what_was_typed(browser: Browser) -> None:
    response = await browser.post("/submit", {"type": "sum"})
    assert (response.code, response.headers["Retry-After"]) == (503, "5")
    assert b"the server is stopping and takes no new jobs" in response.body
    assert b'value="sum"' in response.body


@pytest.mark.gen_test
async def test_an_expired_form_keeps_what_was_typed(browser: Browser) -> None:
    response = await browser.post("/submit", {"type": "sum", "_xsrf": "x"})
    assert response.code == 403
    assert b'value="sum"' in response.body


@pytest.mark.gen_test
async def test_data_over_the_limit_is_a_413_that_keeps_what_was_typed(browser: Browser, house: House) -> None:
    response = await browser.post("/submit", {"type": "sum", "data": '"' + "d" * 20_000 + '"'})
    assert response.code == 413
    assert "at most 20,000" in error_beside(response.body, "data")
    assert b"d" * 20_000 in response.body
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_a_form_far_over_the_limit_is_a_413_page(browser: Browser, house: House) -> None:
    response = await browser.post("/submit", {"type": "sum", "data": "d" * 300_000})
    assert response.code == 413
    assert b"<h1>" in response.body
    assert await house.kept() == []


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("text/plain", b"type=x", 415),
        ("application/json", b'{"type": "x"}', 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken", 400),
        ("application/x-www-form-urlencoded", b"type=%ff", 400),
    ],
)
async def test_what_is_no_form_is_refused(browser: Browser, house: House, kind: str, body: bytes, code: int) -> None:
    response = await browser._send("POST", "/submit", body=body, headers={"Content-Type": kind})
    assert response.code == code
    assert await house.kept() == []


# Files


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", {"image": PICTURE}),
        ('{"width": 120}', {"width": 120, "image": PICTURE}),
        ('{"image": "", "width": 1.50}', {"image": PICTURE, "width": 1.5}),
    ],
)
async def test_a_picture_goes_into_the_data_as_image(
    browser: Browser, house: House, data: str, expected: dict[str, object]
) -> None:
    response = await send_file(browser, {"type": "thumbnail", "data": data}, PNG)
    assert response.code == 303
    assert json.loads((await house.kept())[0].data) == expected
    assert "1.50" not in data or "1.50" in (await house.kept())[0].data


@pytest.mark.gen_test
async def test_another_file_goes_into_the_data_as_file_with_its_name(browser: Browser, house: House) -> None:
    await send_file(browser, {"type": "x"}, b"a,b", name="ä.csv", kind="text/csv")
    assert json.loads((await house.kept())[0].data) == {"name": "ä.csv", "file": "data:text/csv;base64,YSxi"}


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ['text/html"><script>', "nonsense", "image/../x", ""])
async def test_an_odd_kind_of_file_is_only_bytes(browser: Browser, house: House, kind: str) -> None:
    await send_file(browser, {"type": "x"}, b"a", name="a.bin", kind=kind)
    assert json.loads((await house.kept())[0].data)["file"] == "data:application/octet-stream;base64,YQ=="


@pytest.mark.gen_test
async def test_what_a_picture_is_its_bytes_say(browser: Browser, house: House) -> None:
    await send_file(browser, {"type": "x"}, PNG, name="a.html", kind="text/html")
    assert json.loads((await house.kept())[0].data) == {"image": PICTURE}


@pytest.mark.gen_test
async def test_no_file_is_none(browser: Browser, house: House) -> None:
    await send_file(browser, {"type": "x", "data": "[1]"}, b"", name="", kind="application/octet-stream")
    assert (await house.kept())[0].data == "[1]"


@pytest.mark.gen_test
async def test_a_picture_that_the_page_made_smaller_stands_for_the_file(browser: Browser, house: House) -> None:
    await browser.post("/submit", {"type": "x", "image": PICTURE})
    assert json.loads((await house.kept())[0].data) == {"image": PICTURE}


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"image": "javascript:alert(1)"}, "is not a picture"),
        ({"image": PICTURE, "format": "text"}, "goes into JSON only"),
        ({"image": PICTURE, "data": "[1]"}, "can only go into an object"),
    ],
)
async def test_a_file_that_cannot_go_in_says_why(
    browser: Browser, house: House, fields: dict[str, str], words: str
) -> None:
    response = await browser.post("/submit", {"type": "x"} | fields)
    assert response.code == 422
    assert words in error_beside(response.body, "file")
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_a_file_over_the_limit_is_a_413_beside_the_file(browser: Browser, house: House) -> None:
    response = await send_file(browser, {"type": "kept"}, b"x" * 40_000, name="a.bin", kind="text/plain")
    assert response.code == 413
    assert "is too large" in error_beside(response.body, "file")
    assert b'value="kept"' in response.body


@pytest.mark.gen_test
async def test_another_error_asks_for_the_file_again(browser: Browser) -> None:
    response = await send_file(browser, {"type": "a b"}, PNG)
    assert "has to be chosen again" in error_beside(response.body, "file")


# Its first values


@pytest.mark.gen_test
async def test_the_limit_stands_in_the_labels(browser: Browser) -> None:
    body = (await browser.get("/submit")).body.decode()
    assert "File, at most 13 KiB" in body
    assert 'data-limit="20000"' in body


@pytest.mark.gen_test
async def test_a_task_fills_in_its_example(browser: Browser) -> None:
    body = html.unescape((await browser.get("/submit?type=print-label")).body.decode())
    assert 'name="type" list="types" value="print-label"' in body
    assert '"order": 7' in body


@pytest.mark.gen_test
async def test_an_earlier_job_fills_in_all_of_it(browser: Browser, house: House) -> None:
    await submit(house, data='{"order":  7}', priority=3, timeout_s=12.5, max_attempts=9)
    body = html.unescape((await browser.get("/submit?like=j")).body.decode())
    for value in ('value="print-label"', '{"order":  7}', 'value="3"', 'value="12.5"', 'value="9"'):
        assert value in body
    assert (await browser.get("/submit?like=nope")).code == 200


def typed_in(body: bytes) -> dict[str, str]:
    """What the form would send, as a browser does."""
    text = body.decode()
    found = dict(re.findall(r'<input id="\w+" name="(\w+)"(?: list="\w+")? value="([^"]*)"', text))
    found |= dict(re.findall(r'<textarea id="\w+" name="(\w+)"[^>]*>\n(.*?)</textarea>', text, re.DOTALL))
    for name, inner in re.findall(r'<select id="\w+" name="(\w+)"[^>]*>(.*?)</select>', text):
        found[name] = re.findall(r"<option selected>(.*?)<", inner)[-1] if "selected" in inner else ""
    return {name: html.unescape(value) for name, value in found.items()}


OTHERWISE = Terms(
    priority=-3, timeout_s=12.5, max_attempts=9, max_crashes=0, heartbeat_s=2.5, effects="once",
    requires=requirement_of({"name": "DESK", "site": ["bonn", "berlin"]}),
)  # fmt: skip


def test_no_term_of_the_other_job_is_the_default() -> None:
    assert [name for name in Terms.__struct_fields__ if getattr(OTHERWISE, name) == getattr(Terms(), name)] == []


@pytest.mark.gen_test
async def test_another_job_like_it_has_all_its_terms(browser: Browser, house: House) -> None:
    await submit(house, type="x", expires_s=99.5, **asdict(OTHERWISE))
    response = await browser.post("/submit", typed_in((await browser.get("/submit?like=j")).body))
    assert response.code == 303
    first, second = await house.kept()
    assert (first.terms, first.expires_at) == (OTHERWISE, NOW + 99.5)
    assert (second.terms, second.expires_at) == (first.terms, first.expires_at)


@pytest.mark.gen_test
async def test_an_untouched_form_has_the_servers_terms(browser: Browser, house: House, settings: Settings) -> None:
    await browser.post("/submit", typed_in((await browser.get("/submit?type=x")).body))
    assert [job.terms for job in await house.kept()] == [settings.terms]


@pytest.mark.gen_test
async def test_effects_that_there_are_not_are_refused_beside_their_field(browser: Browser) -> None:
    response = await browser.post("/submit", {"type": "x", "effects": "twice"})
    assert response.code == 422
    assert error_beside(response.body, "effects") == "must be repeat or once"


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["max_attempts", "max_crashes", "heartbeat_s", "effects"])
async def test_an_option_whose_name_says_too_little_has_a_note(browser: Browser, name: str) -> None:
    assert f'<p class="help" id="{name}-help">' in (await browser.get("/submit")).body.decode()
