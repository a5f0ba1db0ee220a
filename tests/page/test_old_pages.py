"""A page with an old library, or a task that replaces what the browser has, in real browsers: results arrive whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser, Chromium, PhantomJS, browsing
from .test_browsers import run, show
from .test_spoiled import EVERYTHING, LIBRARIES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RESULT = {"list": [1, "a", None, [2.5]], "at": "2026-11-03T04:05:06.007Z", "text": 'ü "\\ 😀'}
TASK = """
Pagehand.task('list', function (job) {
  job.log('a line');
  return {list: job.data.list, at: new Day(Day.UTC(2026, 10, 3, 4, 5, 6, 7)), text: job.data.text};
});
Pagehand.task('again', function () { worker.reconnect(); return 'again'; });
"""
#: What a browser alone has; a task of an office may put its own in the place of any.
HOST = """
window.XMLHttpRequest = function () { throw new Error('no requests'); };
window.setTimeout = window.clearTimeout = function () { throw new Error('no timers'); };
XHR.prototype.open = XHR.prototype.send = XHR.prototype.abort = function () { throw new Error('no open'); };
if (WS) {
  window.WebSocket = function () { throw new Error('no sockets'); };
  WS.prototype.send = WS.prototype.close = function () { throw new Error('no send'); };
}
if (window.Storage) {
  Storage.prototype.setItem = Storage.prototype.getItem = function () { throw new Error('full'); };
}
"""
LATE = f"Pagehand.task('spoil', function () {{ {HOST} {EVERYTHING}; return 1; }});"


@pytest.fixture(params=["chromium", "chromium as ie11", "phantomjs"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """One for each test: with a page that is spoiled so, none can go on."""
    phantomjs = request.param == "phantomjs"
    with browsing(PhantomJS() if phantomjs else Chromium(caged="ie11" in request.param)) as made:
        yield made


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The log of the test's own pages is of no use."""


@contextmanager
def office(directory: Path) -> Iterator[str]:
    """Pages of somebody else: their origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def page_with(site: Live, before: str, after: str) -> str:
    """A page of somebody's own that is a worker."""
    start = f"var worker = Pagehand.start({{url: '{site.url}', name: 'OFFICE'}});"
    scripts = [
        f"<script>var Day = Date, XHR = XMLHttpRequest, WS = window.WebSocket; {before}</script>",
        f"<script src='{site.url}/static/worker.js'></script>",
    ]
    return "".join(["<!doctype html><meta charset='utf-8'>", *scripts, f"<script>{after}{TASK}{start}</script>"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_page_with_an_old_library_sends_what_its_tasks_return(tmp_path: Path, browser: Browser, when: str) -> None:
    with office(tmp_path) as origin, live(tmp_path, "--allow-origin", origin) as site:
        spoilt = {"before": EVERYTHING, "after": EVERYTHING + LIBRARIES["lists of its own"] + HOST}[when]
        page = page_with(site, **{"before": "", "after": "", when: spoilt})
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        browser.open(f"{origin}/page.html")
        # Not by the driver: what is done to the page is too much for a driver's own scripts.
        for type_, result in [("list", RESULT), ("again", "again"), ("list", RESULT)]:
            assert run(site, type_, RESULT)["result"] == result
        (worker,) = site.ask("GET", "/api/v1/workers").json()["items"]
        assert worker["types"] == ["again", "list"]
        has_none = worker["page"].get("transport_reason") == "this browser has no WebSocket"
        wanted = "polling" if has_none else "websocket"
        until(lambda: site.ask("GET", "/api/v1/workers").json()["items"][0]["transport"] == wanted)
        assert run(site, "list", RESULT)["result"] == RESULT


def test_a_task_that_replaces_what_the_browser_has_harms_no_later_job(tmp_path: Path, browser: Browser) -> None:
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    first = '// pagehand: {"title": "x", "example": 1}\n'
    (tasks / "list.js").write_text(
        f"{first}var Day = Date, XHR = XMLHttpRequest, WS = window.WebSocket;{TASK}", encoding="utf-8"
    )
    (tasks / "spoil.js").write_text(first + LATE, encoding="utf-8")
    with live(tmp_path, "--tasks", str(tasks)) as site:
        show(browser, f"{site.url}/worker")
        for type_, result in [("list", RESULT), ("spoil", 1), ("list", RESULT), ("list", RESULT)]:
            assert run(site, type_, RESULT)["result"] == result
