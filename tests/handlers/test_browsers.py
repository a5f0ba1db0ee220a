"""The pages in real browsers: Chromium, and PhantomJS, which knows nothing newer than ES5."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import threading
import zlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tornado.httpserver import HTTPServer

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobView
from handlers.routes import TaskDirectory, make_app
from tests.handlers.conftest import Scene, nothing, open_house
from tests.handlers.rich import PICTURE, rich
from tests.page.browsers import Browser, Chromium, PhantomJS, browsing
from tests.support.house import House
from tests.support.scenes import submit
from tests.support.waiting import until

pytestmark = pytest.mark.browser

T = TypeVar("T")


class Site:
    """A server on a loop of its own, in a thread: a browser's driver blocks."""

    def __init__(self, scene: Scene, settings: Settings, tasks: TaskDirectory) -> None:
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._given = scene, settings, tasks
        self.house: House
        self._thread = threading.Thread(target=self._run)
        self.url = ""
        self._thread.start()
        assert self._started.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()
        self._loop.run_until_complete(self._stop())
        self._loop.close()

    async def _serve(self) -> None:
        scene, settings, tasks = self._given
        self.house = await open_house(settings, scene)
        self._server = HTTPServer(make_app(self.house.dispatcher, settings, tasks, self.house.clock))
        self._server.listen(0, "127.0.0.1")
        (socket,) = self._server._sockets.values()
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self._started.set()

    async def _stop(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
        await self.house.dispatcher.close()

    def jobs(self) -> list[JobView]:
        """All jobs, oldest first."""
        return self.do(self.house.kept())

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Does it on the loop of the server."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


Start = Callable[..., Site]


@pytest.fixture
def start(tasks: TaskDirectory) -> Iterator[Start]:
    sites: list[Site] = []

    def begin(scene: Scene = nothing, **settings: Any) -> Site:
        sites.append(Site(scene, Settings(**settings), tasks))
        return sites[-1]

    yield begin
    for site in sites:
        site.stop()


@pytest.fixture(scope="module")
def phantom() -> Iterator[PhantomJS]:
    with browsing(PhantomJS()) as browser:
        yield browser


@pytest.fixture(params=["chromium", "phantom"])
def browser(request: pytest.FixtureRequest) -> Browser:
    return request.getfixturevalue(request.param)


def fill(browser: Browser, **fields: str) -> None:
    for name, value in fields.items():
        browser.run(f"(document.getElementById({json.dumps(name)}).value = {json.dumps(value)})")


def send(browser: Browser, form: str = "form.sheet") -> None:
    """Presses the button; returns when the next page is there."""
    browser.run("(window.before = true)")
    browser.run(f"document.querySelector('{form} button').click()")
    until(lambda: not browser.run("window.before") and browser.run("document.readyState") == "complete")


def address(browser: Browser) -> str:
    return str(browser.run("location.pathname"))


def test_the_form_submits_and_its_error_keeps_what_was_typed(browser: Browser, start: Start) -> None:
    site = start()
    browser.open(site.url + "/submit")
    fill(browser, type="print-label", data='{"order": oops}', priority="7")
    send(browser)
    assert address(browser) == "/submit"
    assert browser.run("document.getElementById('data').value") == '{"order": oops}'
    assert browser.run("document.getElementById('priority').value") == "7"
    assert "line 1, column 11" in browser.run("document.getElementById('data-error').textContent")
    fill(browser, data='{"order": 7}')
    send(browser)
    assert address(browser) == "/jobs/job-1"
    [job] = site.jobs()
    assert (job.data, job.terms.priority) == ('{"order": 7}', 7)


def test_the_form_takes_a_worker_and_labels_and_fills_them_in_again(browser: Browser, start: Start) -> None:
    site = start()
    browser.open(site.url + "/submit?type=print-label")
    fill(browser, worker="FRONT-DESK-07", labels="site:berlin\nprinter zebra\nsite:bonn")
    send(browser)
    assert browser.run("document.getElementById('labels').value") == "site:berlin\nprinter zebra\nsite:bonn"
    assert "line 2: write" in browser.run("document.getElementById('labels-error').textContent")
    fill(browser, labels="site:berlin\nsite:bonn")
    send(browser)
    assert address(browser) == "/jobs/job-1"
    assert site.jobs()[0].terms.requires == (("name", ("FRONT-DESK-07",)), ("site", ("berlin", "bonn")))
    browser.open(site.url + "/submit?like=job-1")
    filled = [browser.run(f"document.getElementById('{name}').value") for name in ("worker", "labels")]
    assert filled == ["FRONT-DESK-07", "site:berlin\nsite:bonn"]


def test_the_jobs_buttons_work(browser: Browser, start: Start) -> None:
    site = start(submit)
    browser.open(site.url + "/jobs/j?refresh=0")
    send(browser, ".actions form")
    assert [job.state for job in site.jobs()] == ["cancelled"]
    assert "Cancelled" in browser.run("document.querySelector('h1').textContent")


def test_a_job_that_waits_is_changed_and_an_error_keeps_what_was_typed(browser: Browser, start: Start) -> None:
    site = start(submit)
    browser.open(site.url + "/jobs/j?refresh=0")
    browser.run("document.querySelector('a[href*=change]').click()")
    until(lambda: browser.run("!!document.getElementById('tags')"))
    fill(browser, priority="high", labels="site:berlin\nsite:bonn", tags="a\nb")
    send(browser, ".sheet form")
    assert "whole number" in browser.run("document.getElementById('priority-error').textContent")
    fill(browser, priority="7")
    send(browser, ".sheet form")
    assert address(browser) == "/jobs/j"
    [job] = site.jobs()
    assert (job.terms.priority, job.about.tags) == (7, ("a", "b"))
    assert job.terms.requires == (("site", ("berlin", "bonn")),)
    assert "have done to it" in browser.run("document.body.textContent")


def test_the_token_opens_the_console(browser: Browser, start: Start) -> None:
    url = start(rich, token="s3cret").url
    browser.open(url + "/jobs?state=failed")
    assert address(browser) == "/login"
    fill(browser, token="wrong", person="anna")
    send(browser)
    assert "not this server" in browser.run("document.getElementById('token-error').textContent")
    fill(browser, token="s3cret")
    send(browser)
    assert browser.run("location.pathname + location.search") == "/jobs?state=failed"
    assert browser.run("document.querySelector('#me strong').textContent") == "anna"


def test_an_open_job_follows_itself_until_it_has_ended(browser: Browser, start: Start) -> None:
    site = start(submit)
    browser.open(site.url + "/jobs/j")
    site.do(site.house.dispatcher.cancel("j", ""))
    until(lambda: "Cancelled" in browser.run("document.title"))
    assert "refreshes" not in browser.run("document.body.textContent")


# The form's script


def choose(chromium: Chromium, path: Path) -> None:
    chromium.driver.find_element("id", "file").send_keys(str(path))


def noise_png(path: Path, side: int) -> None:
    """A picture that does not compress."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def note(chromium: Chromium) -> Any:
    return chromium.run("document.getElementById('file-note').textContent")


def test_a_picture_that_is_too_large_is_made_smaller_before_it_is_sent(
    chromium: Chromium, start: Start, tmp_path: Path
) -> None:
    noise_png(tmp_path / "noise.png", 400)
    site = start(body_limit=100_000)
    chromium.open(site.url + "/submit")
    fill(chromium, type="thumbnail", data='{"width": 120}')
    choose(chromium, tmp_path / "noise.png")
    until(lambda: "has been made smaller" in note(chromium))
    send(chromium)
    assert address(chromium) == "/jobs/job-1"
    data = json.loads(site.jobs()[0].data)
    assert data["width"] == 120
    assert data["image"].startswith("data:image/jpeg;base64,")
    assert 20_000 < len(site.jobs()[0].data) <= 100_000
    assert chromium.run("document.querySelector('img.picture').naturalWidth") > 100


def test_a_small_picture_is_sent_as_it_is(chromium: Chromium, start: Start, tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(base64.b64decode(PICTURE.partition(",")[2]))
    site = start()
    chromium.open(site.url + "/submit")
    fill(chromium, type="thumbnail")
    choose(chromium, tmp_path / "small.png")
    send(chromium)
    assert json.loads(site.jobs()[0].data) == {"image": PICTURE}


def test_another_file_that_is_too_large_is_refused_before_it_is_sent(
    chromium: Chromium, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "large.bin").write_bytes(bytes(200_000))
    site = start(body_limit=100_000)
    chromium.open(site.url + "/submit")
    fill(chromium, type="x")
    choose(chromium, tmp_path / "large.bin")
    assert "This file is too large: it has 196 KiB" in note(chromium)
    chromium.driver.find_element("css selector", "button.main").click()
    assert chromium.run("document.activeElement.id") == "file"
    assert (address(chromium), site.jobs()) == ("/submit", [])


def test_the_slider_says_which_instant_it_means_and_leads_there(browser: Browser, start: Start) -> None:
    browser.open(start().url + "/")
    said = "document.querySelector('.lookback .instant').textContent"
    assert browser.run(said) == "now"
    browser.run("""(function (slider) {
      var event = document.createEvent('Event');
      slider.value = '-8';
      event.initEvent('change', true, true);
      slider.dispatchEvent(event);
    }(document.getElementById('back')))""")
    words = browser.run(said)
    assert words.startswith("2026-11-23 19:15 UTC")
    assert browser.run("document.getElementById('back').getAttribute('aria-valuetext')") == words
    browser.run("document.querySelector('.lookback button').click()")
    until(lambda: browser.run("location.search") == "?at=2026-11-23T19%3A15%3A00Z")
