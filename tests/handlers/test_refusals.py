"""What a refused request is told, what the log says of it, and who may read the answer."""

from __future__ import annotations

import pytest

from dispatcher.config.settings import Settings
from handlers.guard import Guard
from handlers.refusals import RefusalLog
from tests.handlers.conftest import Ask, body_of
from tests.support.clock import ManualClock
from tests.support.jobs import NOW

HTTP_HOST = "nginx: proxy_set_header Host $http_host"


def told(origin: str, host: str, **settings: object) -> str:
    refusal = Guard(Settings(**settings)).admit({"Host": host, "Origin": origin}, "POST")  # type: ignore[arg-type]
    assert refusal is not None
    assert refusal.detail.isascii()
    assert not set(refusal.detail) & set("\"'\\<>\r\n")
    return refusal.detail


def test_a_port_that_a_proxy_has_dropped_is_named_with_both_values() -> None:
    words = told("http://localhost:8081", "localhost")
    assert "http://localhost:8081 (its Origin)" in words
    assert "localhost (its Host)" in words
    assert "the ports differ. A proxy on the way has probably dropped the port" in words
    assert HTTP_HOST in words


def test_a_port_that_is_another_one_may_be_a_proxy_s_or_another_server_s() -> None:
    words = told("http://127.0.0.1:9999", "127.0.0.1:8888")
    assert "A proxy on the way has probably changed the port" in words
    assert "start the server with --allow-origin http://127.0.0.1:9999." in words


def test_a_proxy_that_names_the_server_its_own_way_is_told_with_both_values() -> None:
    words = told("http://jobs.example:8081", "127.0.0.1:8888")
    assert "http://jobs.example:8081 (its Origin)" in words
    assert "127.0.0.1:8888 (its Host)" in words
    assert "a proxy on the way has changed the Host" in words
    assert HTTP_HOST in words
    assert "--allow-origin http://jobs.example:8081" in words


@pytest.mark.parametrize("origin", ["http://jobs.example", "https://jobs.example:8443"])
def test_another_scheme_or_port_than_the_public_one_is_named_with_both_values(origin: str) -> None:
    words = told(origin, "jobs.example", public_url="https://jobs.example", token="s3cret")
    assert f"{origin} (its Origin)" in words
    assert "https://jobs.example (--public-url)" in words


def test_a_page_that_was_opened_at_another_name_than_the_public_one_hears_that_name() -> None:
    words = told("https://jobs", "127.0.0.1:8888", public_url="https://jobs.example", token="s3cret")
    assert "opened at another address than that of --public-url, https://jobs.example" in words


def test_a_page_without_an_origin_is_told_what_that_is() -> None:
    assert "Origin: null: a file, or a frame in a sandbox" in told("null", "127.0.0.1:8888")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("jobs.example:81", "names the host jobs.example:81 in its Host header"),
        ("jobs.example:81", "start it with --allow-host jobs.example."),
        ("a b", "start it with --allow-host NAME."),
        ("", "names the host (nothing)"),
        ("\"><script>'\\\r\n\xe9", "names the host ???script??????"),
        ("x" * 300, "x" * 100 + "... in"),
    ],
)
def test_a_refused_host_is_named_and_cannot_break_an_answer_or_a_line(host: str, words: str) -> None:
    refusal = Guard(Settings()).admit({"Host": host}, "GET")
    assert refusal is not None
    assert words in refusal.detail
    assert not set(refusal.detail) & set("\"'\\<>\r\n")


@pytest.mark.expect_log(r"forbidden_host at /x: no \(from 10\.0\.0\.9; 1 since the last such line\)")
@pytest.mark.expect_log(r"forbidden_origin at /x: no \(from 10\.0\.0\.9; 1 since")
@pytest.mark.expect_log(r"forbidden_host at /y\\nz: no \(from 10\.0\.0\.9; 9 since")
def test_the_log_has_the_first_refusal_of_each_kind_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock(100.0, NOW)
    log = RefusalLog(clock)
    for code in ("forbidden_host", "forbidden_origin"):
        log.note(code, "no", path="/x", remote="10.0.0.9")
    for _ in range(8):
        log.note("forbidden_host", "no", path="/x", remote="10.0.0.9")
    clock.advance(59.9)
    assert len(caplog.records) == 2
    clock.advance(0.1)
    log.note("forbidden_host", "no", path="/y\nz", remote="10.0.0.9")
    assert len(caplog.records) == 3


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_origin at /.*https://evil.example")
@pytest.mark.parametrize("path", ["/engine", "/tasks/index.json", "/static/worker.js", "/worker", "/api/v1/stats", "/"])
async def test_a_foreign_page_may_read_why_it_is_refused_and_nothing_else(ask: Ask, path: str) -> None:
    refused = await ask(path, headers={"Origin": "https://evil.example"})
    assert (refused.code, refused.headers["Access-Control-Allow-Origin"]) == (403, "*")
    assert b"--allow-origin https://evil.example" in refused.body
    assert "Access-Control-Allow-Credentials" not in refused.headers
    ours = await ask(path, headers={"Origin": "http://localhost"})
    assert "Access-Control-Allow-Origin" not in ours.headers


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_host at /api/v1/jobs: .*evil.example")
async def test_a_refused_host_is_logged_and_may_be_read(ask: Ask) -> None:
    refused = await ask("/api/v1/jobs", headers={"Host": "evil.example"})
    assert (body_of(refused)["code"], refused.headers["Access-Control-Allow-Origin"]) == ("forbidden_host", "*")


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_origin")
async def test_a_preflight_of_a_foreign_page_is_refused(ask: Ask) -> None:
    """In the words that let nobody in."""
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    refused = await ask("/api/v1/jobs", "OPTIONS", headers=asked)
    assert refused.code == 403
    assert not [name for name in refused.headers if name.startswith("Access-Control")]


@pytest.mark.gen_test
@pytest.mark.expect_log("forbidden_origin")
async def test_a_page_for_people_is_for_no_other_origin_even_if_it_is_a_refusal(ask: Ask) -> None:
    refused = await ask("/", headers={"Origin": "https://evil.example", "Accept": "text/html"})
    assert refused.code == 403
    assert "Access-Control-Allow-Origin" not in refused.headers
