"""Faults of worker pages, E12 and E13: no storage, or no room in it; a cached script of another version."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.faults.e_support import kept, post, serve, show, status, until_ready, workers
from tests.page.browsers import Chromium, browsing
from tests.support.http import Page
from tests.support.server import Live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BLOCKED = {"profile.default_content_setting_values.cookies": 2}
FILL = """(function () {
  [sessionStorage, localStorage].forEach(function (store) {
    var size, n = 0;
    for (size = 1048576; size >= 1; size = Math.floor(size / 2)) {
      try { for (;;) { n += 1; store.setItem('full' + n, new Array(size + 1).join('x')); } } catch (e) { }
    }
  });
  try { sessionStorage.setItem('one', 'more'); } catch (e) { return e.name; }
}())"""


@pytest.fixture
def browser(chromium: Chromium) -> Chromium:
    """One for all: each server has its own origin, so its own storages."""
    return chromium


def _does_jobs(server: Live, count: int) -> None:
    names = [post(server, "wait", {"ms": 20, "value": str(n) * 10_000}) for n in range(count)]
    assert [server.job(name, wait_s=20)["result"][:1] for name in names] == [str(n) for n in range(count)]


def test_fault_E12_a_page_that_may_store_nothing_works_and_keeps_its_identity_through_a_reload(tmp_path: Path) -> None:
    """The browser forbids all storage, as a zone or a policy does: reading it throws. Only window.name is left."""
    with serve(tmp_path) as server, browsing(Chromium(preferences=BLOCKED)) as browser:
        show(browser, server, "types=wait&name=BARE")
        assert browser.run("(function () { try { return localStorage.length; } catch (e) { return e.name; } }())") == (
            "SecurityError"
        )
        _does_jobs(server, 3)
        browser.reload()
        until_ready(browser)
        assert [each["name"] for each in workers(server)] == ["BARE"], "the same worker"
        _does_jobs(server, 3)


def test_fault_E12_a_page_whose_storage_is_full_works(tmp_path: Path, browser: Chromium) -> None:
    """No room for the identity or for a stash: both go into the window's name."""
    with serve(tmp_path) as server:
        browser.open(f"{server.url}/livez")
        assert browser.run(FILL) == "QuotaExceededError"
        show(browser, server, "types=wait&name=FULL")
        _does_jobs(server, 3)
        assert browser.run("sessionStorage.getItem('pagehand.worker')") is None, "there was no room for it"
        browser.reload()
        until_ready(browser)
        assert [each["name"] for each in workers(server)] == ["FULL"], "the same worker"
        _does_jobs(server, 3)


class _Cache(BaseHTTPRequestHandler):
    """Passes everything on to the server, but has a worker.js of its own."""

    protocol_version = "HTTP/1.1"
    server: _Stale

    def do_GET(self) -> None:
        self.server.loads += self.path.startswith("/worker")
        if self.path.startswith("/static/worker.js"):
            self._answer(200, "application/javascript", self.server.script)
        else:
            self._pass(None)

    def do_POST(self) -> None:
        self._pass(self.rfile.read(int(self.headers["Content-Length"])))

    def _pass(self, body: bytes | None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        try:
            connection.request(self.command, self.path, body, {"Content-Type": "text/plain"})
            answer = connection.getresponse()
            self._answer(answer.status, answer.headers["Content-Type"], answer.read())
        finally:
            connection.close()

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


class _Stale(ThreadingHTTPServer):
    """A cache with a script of another version."""

    def __init__(self, behind: int, script: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Cache)
        self.behind = behind
        self.script = script
        self.loads = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that is killed hangs up."""


@contextmanager
def _stale(server: Live, version: int) -> Iterator[_Stale]:
    current = server.ask("GET", "/static/worker.js").text
    assert current.count("var PROTOCOL = 1;") == 1
    cache = _Stale(server.port, current.replace("var PROTOCOL = 1;", f"var PROTOCOL = {version};").encode())
    thread = threading.Thread(target=cache.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield cache
    finally:
        cache.shutdown()
        cache.server_close()
        thread.join()


@pytest.mark.parametrize("version", [0, 2], ids=["an old script", "a script newer than the server"])
def test_fault_E13_a_cached_script_of_another_version_is_reloaded_once_and_not_in_a_loop(
    tmp_path: Path, browser: Chromium, version: int
) -> None:
    with serve(tmp_path) as server, _stale(server, version) as cache:
        browser.open(f"http://127.0.0.1:{cache.server_port}/worker?types=wait&name=STALE")
        # One look: a moment later the page asks again, and its words are others.
        seen = until(
            lambda: (now := status(browser))["word"] == "OUT OF DATE" and cache.loads == 2 and now,
            20, "a page loaded anew, once",
        )  # fmt: skip
        assert "Load it again (Ctrl+F5)" in seen["detail"]
        kept(browser, f"E13-version-{version}")
        browser.click("reconnect")  # refused again, and by a person's hand sooner than by itself
        until(lambda: re.search(r"attempt [2-9]", status(browser)["detail"]), 20, "another refusal")
        assert cache.loads == 2, "a cache that gives the same script again does not make a loop"
        assert workers(server) == []
        cache.script = server.ask("GET", "/static/worker.js").body
        browser.reload()
        until_ready(browser)


def test_fault_E13_a_page_that_knows_less_than_the_server_is_served(tmp_path: Path) -> None:
    """An older library sends the least that version 1 asks for, and a message that this server does not know."""
    with serve(tmp_path) as server:
        page = Page(server)
        page.register("wait", a_field_of_later={"colour": "blue"})
        page.say("dance")
        assert page.hear("refused")["code"] == "unknown_op"
        name = post(server, "wait", 1)
        page.say("result", attempt=page.hear("job")["attempt"], value="served")
        assert server.job(name, wait_s=10)["result"] == "served"
        page.leave()
