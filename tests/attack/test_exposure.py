"""Real servers let in only those who may come: binds, token, hosts, origins, forms, pages in real browsers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.support.forms import FORM, xsrf_in
from tests.support.http import JSON, Page, Reply
from tests.support.places import ROOT, environment
from tests.support.polling import HANDSHAKE
from tests.support.server import Live, live
from tests.support.waiting import until

pytestmark = pytest.mark.slow

TOKEN = "canary-token-4f1c"
BEARER: dict[str, Any] = {"Authorization": f"Bearer {TOKEN}"}
EVIL = "http://evil.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that every machine could reach, with a token. It never tells the token, whatever the tests do."""
    with live(tmp_path_factory.mktemp("guarded"), "--token", TOKEN, bind="0.0.0.0") as server:
        yield server
        assert TOKEN.encode() not in server.log_so_far()
        assert TOKEN not in server.banner


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server of the kind that ``python server.py`` starts."""
    with live(tmp_path_factory.mktemp("plain")) as server:
        yield server


def start_and_fail(directory: Path, *flags: str) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "server.py"), "--port", "0", "--store", "memory:", *flags]
    done = subprocess.run(
        command, cwd=directory, env=environment(), capture_output=True, text=True, timeout=20, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_beyond_loopback_nothing_starts_without_a_token(tmp_path: Path, bind: str) -> None:
    status, words = start_and_fail(tmp_path, "--bind", bind)
    assert status == 2, words
    assert "--token" in words
    assert "--insecure" in words
    assert "Traceback" not in words


def test_an_empty_token_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert start_and_fail(tmp_path, "--bind", "0.0.0.0", "--token", "")[0] == 2
    assert start_and_fail(tmp_path, "--bind", "0.0.0.0", "--token-file", str(tmp_path / "empty"))[0] == 2


# The API


def test_the_token_does_not_count_in_an_address(guarded: Live) -> None:
    for name in ("token", "access_token", "authorization"):
        assert guarded.ask("GET", f"/api/v1/jobs?{name}={TOKEN}").status == 401
    # So the token stood in an address after all; the log has no queries.
    assert TOKEN.encode() not in guarded.log_so_far()


def test_a_job_is_submitted_and_read_with_the_token(guarded: Live) -> None:
    job = guarded.submit("nobody", {"n": 1}, **BEARER)
    assert guarded.ask("GET", f"/api/v1/jobs/{job['id']}", headers=BEARER).json()["data"] == {"n": 1}


# The console


def xsrf_of(reply: Reply) -> tuple[str, str]:
    """The cookie and the field of a form."""
    return reply.headers["set-cookie"].partition(";")[0], xsrf_in(reply.text)


def sign_in(server: Live, **more: str) -> str:
    """The Cookie header that the browser sends afterwards."""
    cookie, field = xsrf_of(server.ask("GET", "/login"))
    reply = server.ask("POST", "/login", f"_xsrf={field}&token={TOKEN}&next=/jobs", FORM | {"Cookie": cookie} | more)
    assert (reply.status, reply.headers["location"]) == (303, "/jobs"), reply
    assert TOKEN not in str(reply.headers)
    assert "HttpOnly" in reply.headers["set-cookie"]
    assert "SameSite=Lax" in reply.headers["set-cookie"]
    return f"{cookie}; {reply.headers['set-cookie'].partition(';')[0]}"


def test_after_the_login_the_form_submits(guarded: Live) -> None:
    cookies = {"Cookie": sign_in(guarded)}
    shown = guarded.ask("GET", "/submit", headers=cookies)
    sent = guarded.ask("POST", "/submit", f"_xsrf={xsrf_in(shown.text)}&type=nobody&data=7", FORM | cookies)
    assert sent.status == 303
    job = sent.headers["location"]
    seen = guarded.ask("GET", job, headers=cookies)
    assert "nobody" in seen.text
    assert guarded.ask("GET", f"/api/v1{job}", headers=cookies).json()["data"] == 7
    # The session may read; a change through the API needs the token itself.
    assert guarded.ask("POST", f"/api/v1{job}/cancel", "{}", JSON | cookies).status == 401
    everything = [
        shown,
        sent,
        seen,
        *(guarded.ask("GET", path, headers=cookies) for path in ("/", "/jobs", "/workers")),
    ]
    assert not [reply for reply in everything if TOKEN in reply.text + str(reply.headers)]


# Hosts and origins


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example"]
)
def test_a_name_that_was_pointed_at_us_is_refused(plain: Live, guarded: Live, host: str) -> None:
    for server, more in ((plain, {}), (guarded, BEARER)):
        headers = {"Host": host, "Content-Type": "application/json"} | more
        for path in ("/", "/submit", "/api/v1/jobs", "/worker", "/static/worker.js", "/tasks/index.json", HANDSHAKE):
            assert server.ask("GET", path, headers=headers).status == 403, path
        assert server.ask("POST", "/api/v1/jobs", '{"type":"x"}', headers).status == 403


def test_a_name_in_the_address_itself_counts_and_not_the_header(plain: Live) -> None:
    for path in ("/", "/api/v1/jobs", HANDSHAKE):
        foreign = plain.ask("GET", f"http://evil.example{path}", headers={"Host": "localhost"})
        ours = plain.ask("GET", f"http://localhost:{plain.port}{path}", headers={"Host": "evil.example"})
        assert (foreign.status, ours.status) == (403, 200), path


def test_a_head_that_is_too_large_is_answered_and_logged(plain: Live) -> None:
    assert plain.ask("GET", "/", headers={"Cookie": "x" * 20_000}).status == 431
    assert plain.ask("GET", "/?" + "x" * 20_000).status == 414
    for code in (b"head_too_large at ?: ", b"address_too_long at ?: "):
        assert plain.log_so_far().count(code) == 1


@pytest.mark.parametrize(
    "host", ["[::1", "a@b", "", "127.0.0.1:x", "127.0.0.1,evil.example", "127.0.0.1 x", "\xff", "0x7f.1"]
)
def test_a_host_that_is_none_is_refused(plain: Live, host: str) -> None:
    for path in ("/", HANDSHAKE):
        assert plain.ask("GET", path, headers={"Host": host}).status in (400, 403)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8888", "localhost.", "127.9.9.9"],
)
def test_the_names_of_loopback_are_ours(plain: Live, host: str) -> None:
    for path in ("/", HANDSHAKE):
        assert plain.ask("GET", path, headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://127.0.0.1:1", "https://localhost.evil.example", "file://", "x"]
)
def test_what_a_foreign_page_sends_is_refused(plain: Live, origin: str) -> None:
    given = {"Origin": origin}
    cookie, field = xsrf_of(plain.ask("GET", "/submit"))
    page = Page(plain)
    before = plain.ask("GET", "/api/v1/jobs").json()
    assert plain.ask("POST", "/api/v1/jobs", '{"type":"x"}', JSON | given).status == 403
    assert plain.ask("POST", "/submit", f"_xsrf={field}&type=x", FORM | given | {"Cookie": cookie}).status == 403
    assert plain.ask("POST", page.target, "4{}", {"Content-Type": "text/plain"} | given).status == 403
    for path in (HANDSHAKE, "/api/v1/jobs"):
        reply = plain.ask("OPTIONS", path, headers=given | {"Access-Control-Request-Method": "POST"})
        assert "access-control-allow-origin" not in reply.headers
    assert plain.ask("GET", "/api/v1/jobs").json() == before
    page.register("x")


def test_a_foreign_page_gets_no_session(plain: Live) -> None:
    assert plain.ask("GET", HANDSHAKE, headers={"Origin": EVIL}).status == 403


def test_our_own_pages_may_send(plain: Live) -> None:
    for origin in (plain.url, "http://127.0.0.1"):  # IE leaves the port out
        reply = plain.ask("POST", "/api/v1/jobs", '{"type":"x"}', JSON | {"Origin": origin})
        assert reply.status == 201


def test_no_answer_says_what_runs_here_or_lets_others_read(plain: Live) -> None:
    for path in ("/", "/submit", "/api/v1/jobs", "/worker", "/static/worker.js", "/livez", "/nope", HANDSHAKE):
        headers = plain.ask("GET", path).headers
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
        assert headers["x-content-type-options"] == "nosniff"


# Worker pages


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_a_page_without_the_token_does_not_join(guarded: Live, token: str | None) -> None:
    page = Page(guarded)
    page.say("register", types=["echo"], boot="b", version=1, **({} if token is None else {"token": token}))
    refused = page.hear("refused")
    assert refused["code"] == "bad_token"
    assert ("#token=" in refused["detail"]) is (not token)
    assert TOKEN not in json.dumps(refused)
    page.say("accept", attempt="x")
    assert page.hear("refused")["code"] == "not_registered"
    assert guarded.ask("GET", "/api/v1/workers", headers=BEARER).json()["items"] == []


def test_a_page_with_the_token_joins(guarded: Live) -> None:
    page = Page(guarded)
    assert TOKEN not in json.dumps(page.register("shown", token=TOKEN))
    page.say("bye")
    page.hear_end()


@pytest.fixture(params=["chromium", "phantomjs"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    with browsing(PhantomJS() if request.param == "phantomjs" else Chromium()) as made:
        yield made


@pytest.mark.browser
def test_the_worker_page_says_in_words_that_it_may_not_and_is_ready_with_the_token(
    guarded: Live, browser: Browser
) -> None:
    def shows(word: str) -> dict[str, str]:
        seen = until(lambda: (status := browser.status())["word"] == word and status, 15, f"the word {word}")
        return dict(seen)

    browser.open(f"{guarded.url}/worker?name=STRANGER")
    seen = shows("NOT ALLOWED")
    assert "token" in seen["detail"] + seen["error"]
    browser.open("about:blank")
    browser.open(f"{guarded.url}/worker?name=FRIEND#token={TOKEN}")
    shows("READY")
    assert TOKEN not in browser.run("document.body.textContent")
    workers = guarded.ask("GET", "/api/v1/workers", headers=BEARER)
    assert [worker["name"] for worker in workers.json()["items"] if worker["state"] == "connected"] == ["FRIEND"]
    assert TOKEN not in workers.text


# Pages that join


def join_token(server: Live, uses: int) -> dict[str, Any]:
    """A new token for joining, as the administrator sees it."""
    body = json.dumps({"name": "kiosks", "scopes": ["worker"], "labels": {"site": "berlin"}, "join": {"uses": uses}})
    made = server.ask("POST", "/api/v1/tokens", body, BEARER | JSON)
    assert made.status == 201, made
    return dict(made.json())


def uses_left(server: Live, token: dict[str, Any]) -> int:
    return int(server.ask("GET", f"/api/v1/tokens/{token['id']}", headers=BEARER).json()["join"]["left"])


def labels_of(server: Live, name: str) -> list[dict[str, str]]:
    """The labels of the workers of this name that are here."""
    workers = server.ask("GET", "/api/v1/workers", headers=BEARER).json()["items"]
    return [one["labels"] for one in workers if (one["name"], one["state"]) == (name, "connected")]


@pytest.mark.browser
def test_a_page_joins_by_its_address_and_is_loaded_again_without_another_use(guarded: Live, browser: Browser) -> None:
    token = join_token(guarded, uses=2)

    def shows(word: str) -> dict[str, str]:
        seen = until(lambda: (status := browser.status())["word"] == word and status, 15, f"the word {word}")
        return dict(seen)

    browser.open(f"{guarded.url}/worker?name=KIOSK#join={token['token']}")
    shows("READY")
    assert browser.run("location.hash") == ""
    assert browser.run("location.href").endswith("/worker?name=KIOSK")
    assert (uses_left(guarded, token), labels_of(guarded, "KIOSK")) == (1, [{"site": "berlin"}])
    browser.reload()
    shows("READY")
    assert (uses_left(guarded, token), labels_of(guarded, "KIOSK")) == (1, [{"site": "berlin"}])
    kept = browser.run("JSON.stringify(window.localStorage) + JSON.stringify(window.sessionStorage)")
    assert token["token"] not in kept
    assert token["token"].encode() not in guarded.log_so_far()
    guarded.ask("DELETE", f"/api/v1/tokens/{token['id']}", headers=BEARER)
    assert "revoked or has expired" in shows("NOT ALLOWED")["detail"]


@pytest.mark.browser
def test_a_page_says_in_words_that_its_token_is_used_up(guarded: Live, browser: Browser) -> None:
    token = join_token(guarded, uses=1)
    page = Page(guarded)
    page.say("register", types=["echo"], boot="b", version=1, join=token["token"])
    known = page.hear("identity")
    page.register("echo", join=token["token"], worker=known["worker"], secret=known["secret"])
    browser.open(f"{guarded.url}/worker?name=LATE#join={token['token']}")
    seen = until(lambda: (status := browser.status())["word"] == "NOT ALLOWED" and status, 15, "the word")
    assert "As many pages have joined as may" in seen["detail"]
    assert labels_of(guarded, "LATE") == []
