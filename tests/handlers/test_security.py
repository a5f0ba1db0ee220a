"""The token matrix, foreign pages, forms without their secret, headers, the session, files that are not ours."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPResponse
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.states import JobState
from handlers.console.page import local_path
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask, Browser, Scene, body_of
from tests.handlers.matrix import MATRIX, OPEN, PAGE
from tests.handlers.rich import TASKS, rich
from tests.support.forms import FORM, xsrf_in
from tests.support.house import House

TOKEN = "0b6f1c0e-s3cret"
CASES = [
    (path, method.partition(":")[0], int(method.partition(":")[2] or 200), kind)
    for path, methods, kind in MATRIX.values()
    for method in methods.split()
]
PROBES = ("/livez", "/readyz")
TOLD = pytest.mark.expect_log("forbidden_host")
ADDRESSES = [case[:2] for case in CASES]


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    """New jobs come by the short way, and to the handler."""
    return bool(request.param)


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.fixture
def settings() -> Settings:
    return Settings(token=TOKEN, allow_origin=("https://intranet.example",))


def test_the_matrix_names_every_route(house: House, settings: Settings, tasks: TaskDirectory) -> None:
    assert {route.name for route in routes(house.dispatcher, settings, tasks)} == set(MATRIX)


@pytest.mark.gen_test
@pytest.mark.parametrize(("path", "method", "status", "kind"), CASES)
@pytest.mark.parametrize("shown", [None, "wrong", TOKEN])
async def test_the_token_matrix(
    ask: Ask, house: House, path: str, method: str, status: int, kind: str, shown: str | None
) -> None:
    headers = {} if method == "GET" else {"Content-Type": "application/json"}
    headers |= {} if shown is None else {"Authorization": f"Bearer {shown}"}
    before = await house.kept()
    response = await ask(path, method, headers=headers)
    if kind == OPEN or shown == TOKEN:
        assert response.code == status
    else:
        assert response.code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert b"Authorization: Bearer TOKEN" in response.body
        assert (b"The token that came opens nothing here" in response.body) == (shown == "wrong")
        assert TOKEN.encode() not in response.body
        assert await house.kept() == before


@pytest.mark.gen_test
@pytest.mark.parametrize(("path", "method"), [case[:2] for case in CASES if case[3] == PAGE])
async def test_people_without_a_session_are_led_to_the_login(ask: Ask, path: str, method: str) -> None:
    response = await ask(path + "?x=1", method, headers={"Accept": "text/html"})
    if method == "GET":
        assert response.code == 303
        assert response.headers["Location"] == "/login?" + urlencode({"next": path + "?x=1"})
    else:
        assert response.code == 401


# The session


async def sign_in(browser: Browser, token: str = TOKEN, following: str = "/jobs?state=failed") -> HTTPResponse:
    return await browser.post("/login", {"token": token, "next": following}, "/login")


@pytest.mark.gen_test
async def test_the_token_opens_the_console(browser: Browser) -> None:
    response = await sign_in(browser)
    assert (response.code, response.headers["Location"]) == (303, "/jobs?state=failed")
    (cookie,) = [line for line in response.headers.get_list("Set-Cookie") if line.startswith("pagehand_")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    assert (await browser.get("/jobs")).code == 200
    assert b"Sign out" in (await browser.get("/")).body


@pytest.mark.gen_test
async def test_a_wrong_token_opens_nothing(browser: Browser) -> None:
    response = await sign_in(browser, "wrong")
    assert response.code == 401
    assert b"That is not this server&#x27;s token." in response.body or b"not this server&#39;s token" in response.body
    assert (await browser.get("/jobs")).code == 303


@pytest.mark.gen_test
async def test_a_session_reads_the_api_but_changes_nothing_there(browser: Browser, house: House) -> None:
    await sign_in(browser)
    assert (await browser.get("/api/v1/jobs/done-1/result")).code == 200
    before = await house.kept()
    response = await browser._send("POST", "/api/v1/jobs", json={"type": "x"})
    assert response.code == 401
    assert await house.kept() == before


@pytest.mark.gen_test
async def test_a_session_does_not_help_a_wrong_bearer(browser: Browser) -> None:
    await sign_in(browser)
    response = await browser.get("/api/v1/stats", headers={"Authorization": "Bearer wrong"})
    assert response.code == 401


@pytest.mark.gen_test
async def test_signing_out_ends_the_session(browser: Browser) -> None:
    await sign_in(browser)
    assert (await browser.post("/logout", {}, "/")).code == 303
    assert (await browser.get("/jobs")).code == 303


@pytest.mark.gen_test
@pytest.mark.parametrize("secret", ["", "guessed"])
async def test_a_foreign_form_ends_no_session(browser: Browser, secret: str) -> None:
    await sign_in(browser)
    await browser.post("/logout", {"_xsrf": secret}, "/")
    assert (await browser.get("/jobs")).code == 200


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "value", ["", "1", "console", TOKEN, "2|1:0|10:1795469045|17:pagehand_00000000|12:Y29uc29sZQ==|" + "0" * 64]
)
async def test_a_forged_session_opens_nothing(browser: Browser, value: str) -> None:
    await sign_in(browser)
    (name,) = [name for name in browser.cookies.values if name != "pagehand_xsrf"]
    browser.cookies.values[name] = value
    assert (await browser.get("/jobs")).code == 303


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "/\t/evil",
    ],
)
def test_the_login_leads_nowhere_else(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.gen_test
@pytest.mark.parametrize("away", ["//evil.example", "/\\evil.example", "/\t/evil.example"])
async def test_who_has_signed_in_is_led_nowhere_else(browser: Browser, away: str) -> None:
    response = await sign_in(browser, following=away)
    assert (response.code, response.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("text", ["/", "/jobs?state=failed&type=a", "/jobs/%0a"])
def test_the_login_leads_back(text: str) -> None:
    assert local_path(text) == text


def test_where_the_login_leads_back_stands_in_a_header_in_ascii() -> None:
    assert local_path("/jobs?name=B\xe4r\u560a\u560d x") == "/jobs?name=B%C3%A4r%E5%98%8A%E5%98%8D%20x"


# Foreign pages and forged forms


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("path", "method"),
    [case if case[0] in PROBES else pytest.param(*case, marks=TOLD) for case in ADDRESSES],
)
async def test_a_rebound_name_is_refused_everywhere_but_at_the_probes(ask: Ask, path: str, method: str) -> None:
    headers = {"Host": "evil.example", "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    response = await ask(path, method, headers=headers)
    assert response.code == (200 if path in PROBES else 403)
    if path.startswith("/api"):
        assert body_of(response)["code"] == "forbidden_host"


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_origin")
@pytest.mark.parametrize("path", [path for path, method in ADDRESSES if method == "POST"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_a_foreign_origin_changes_nothing(ask: Ask, house: House, path: str, origin: str) -> None:
    before = await house.kept()
    headers = {"Origin": origin, "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    response = await ask(path, "POST", headers=headers, body="{}")
    assert response.code == 403
    assert await house.kept() == before


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/submit", "/jobs/running-1/cancel", "/jobs/failed-1/retry", "/login"])
@pytest.mark.parametrize("forged", ["", "2|00000000|00000000000000000000000000000000|1795469045", "x"])
async def test_a_form_without_its_secret_changes_nothing(
    browser: Browser, house: House, path: str, forged: str
) -> None:
    """The secret is no field of the address, which a foreign page could know."""
    await sign_in(browser)
    await browser.get("/submit")
    before = await house.kept()
    in_address = f"?_xsrf={browser.cookies.values['pagehand_xsrf']}"
    for query, status in (("", 403), (in_address, 400)):
        response = await browser.post(path + query, {"type": "x", "_xsrf": forged})
        assert response.code == status
        assert await house.kept() == before


@pytest.mark.gen_test
async def test_a_form_whose_secret_came_without_its_cookie_changes_nothing(browser: Browser, house: House) -> None:
    await sign_in(browser)
    page = (await browser.get("/submit")).body.decode()
    before = await house.kept()
    session = {name: value for name, value in browser.cookies.values.items() if name != "pagehand_xsrf"}
    headers = FORM | {"Cookie": "; ".join(f"{name}={value}" for name, value in session.items())}
    body = urlencode({"_xsrf": xsrf_in(page), "type": "x"})
    assert (await browser._send("POST", "/submit", headers=headers, body=body)).code == 403
    assert await house.kept() == before


@pytest.mark.gen_test
async def test_a_form_with_its_secret_passes(browser: Browser, house: House) -> None:
    await sign_in(browser)
    response = await browser.post("/jobs/running-1/cancel", {}, "/jobs/running-1")
    assert (response.code, response.headers["Location"]) == (303, "/jobs/running-1")
    assert (await house.dispatcher.job("running-1")).state is JobState.CANCELLED


# Headers


@pytest.mark.gen_test
@pytest.mark.parametrize(("path", "method"), ADDRESSES)
async def test_every_answer_carries_the_security_headers(ask: Ask, path: str, method: str) -> None:
    response = await ask(path, method, headers={"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"})
    headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-UA-Compatible"] == "IE=edge"
    assert "Server" not in headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    if path == "/worker":
        assert policy.endswith("frame-ancestors 'self' https://intranet.example")
        assert headers["X-Frame-Options"] == "ALLOW-FROM https://intranet.example"
    else:
        assert policy.endswith("frame-ancestors 'none'")
        assert headers["X-Frame-Options"] == "DENY"
    shared = path == "/worker" or path.startswith(("/static", "/tasks"))
    assert headers["Cache-Control"] == ("no-cache" if shared else "no-store")
    if headers.get("Content-Type", "").startswith("text/"):
        assert headers["Content-Type"].lower().endswith("charset=utf-8")


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_origin")
@pytest.mark.parametrize("path", ["/static/console.css", "/tasks/index.json", "/tasks/plain.js", "/worker"])
async def test_only_pages_of_an_allowed_origin_may_load_the_workers_files(ask: Ask, path: str) -> None:
    allowed = await ask(path, headers={"Origin": "https://intranet.example"})
    foreign = await ask(path, headers={"Origin": "https://evil.example"})
    plain = await ask(path)
    assert (allowed.code, foreign.code, plain.code) == (200, 403, 200)
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://intranet.example"
    assert "Origin" in allowed.headers["Vary"]
    assert "Access-Control-Allow-Origin" not in plain.headers
    assert foreign.headers["Access-Control-Allow-Origin"] == "*", "it may read why"
    assert foreign.body.startswith(b"403 Forbidden: ")


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/", "/jobs", "/livez"])
async def test_no_other_origin_may_read_the_rest(ask: Ask, path: str) -> None:
    response = await ask(path, headers={"Origin": "https://intranet.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.gen_test
async def test_a_static_file_with_its_version_may_be_kept_for_ever(ask: Ask) -> None:
    page = (await ask("/login")).body.decode()
    match = re.search(r'href="(/static/console\.css\?v=[0-9a-f]{12})"', page)
    assert match
    kept = await ask(match[1])
    assert "max-age=315360000" in kept.headers["Cache-Control"]
    again = await ask("/static/console.css", headers={"If-None-Match": kept.headers["Etag"]})
    assert again.code == 304


@pytest.mark.gen_test
async def test_a_task_that_has_not_changed_is_not_sent_again(ask: Ask) -> None:
    first = await ask("/tasks/plain.js")
    again = await ask("/tasks/plain.js", headers={"If-None-Match": first.headers["Etag"]})
    assert (first.body.decode(), again.code) == (TASKS["plain"], 304)
    assert first.headers["Content-Type"] == "application/javascript; charset=utf-8"


def test_the_application_shows_no_trace_of_errors(app: Application) -> None:
    assert app.settings["serve_traceback"] is False
    assert not app.settings.get("debug")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("settings", "ancestors", "option"),
    [
        (Settings(), "'self'", "SAMEORIGIN"),
        (Settings(allow_origin=("https://a", "https://b")), "'self' https://a https://b", None),
        (Settings(allow_origin=("null",)), "'self'", "SAMEORIGIN"),
        (Settings(allow_origin=("null", "https://a")), "'self' https://a", "ALLOW-FROM https://a"),
        (Settings(allow_origin=("app://desk", "file://")), "'self' app://desk file:", None),
    ],
)
@pytest.mark.parametrize("path", ["/worker", "/static/worker.html"])
async def test_the_worker_page_may_be_framed_by_allowed_origins_only(
    ask: Ask, path: str, ancestors: str, option: str | None
) -> None:
    response = await ask(path)
    assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {ancestors}")
    assert response.headers.get("X-Frame-Options") == option
