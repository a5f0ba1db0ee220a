"""The worker page's transports in a real browser: it moves to a WebSocket, and does its jobs where it may have none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser, Chromium, PhantomJS, browsing
from .socket_proxy import socket_proxy
from .test_browsers import run, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: So many take some seconds: what befalls the connection meets the page at its work.
JOBS = 300
#: Where nothing befalls it.
FEW = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    flags = ("--ping-interval-s", "1", "--ping-timeout-s", "2")
    with live(tmp_path_factory.mktemp("site"), *flags) as server:
        yield server


@pytest.fixture(name="chromium")
def emptied(chromium: Chromium) -> Browser:
    chromium.begin_anew()
    return chromium


def connection(browser: Browser) -> str:
    return str(browser.run("document.getElementById('connection').textContent"))


def work_through(site: Live, count: int) -> None:
    """So many jobs, each of which succeeds at its first try."""
    body = json.dumps([{"type": "echo", "data": number} for number in range(count)])
    made = site.ask("POST", "/api/v1/jobs/batch", body, JSON).json()["items"]
    for number, item in enumerate(made):
        job = site.job(item["id"], wait_s=15)
        assert (job["state"], job["result"], job["number"]) == ("succeeded", number, 1)


def test_a_page_moves_to_a_websocket_in_the_middle_of_its_work(site: Live, chromium: Browser) -> None:
    chromium.open(f"{site.url}/worker?name=MOVES")
    work_through(site, JOBS)
    until(lambda: connection(chromium) == "WebSocket")
    work_through(site, FEW)
    assert chromium.errors() == []


def test_a_page_that_was_told_to_poll_polls(site: Live, chromium: Browser) -> None:
    show(chromium, f"{site.url}/worker?name=POLLS&transport=polling")
    work_through(site, FEW)
    assert connection(chromium) == "long-polling, because this page was told so"


def test_a_page_that_was_told_to_use_a_websocket_begins_with_it(site: Live, chromium: Browser) -> None:
    show(chromium, f"{site.url}/worker?name=DIRECT&transport=websocket")
    work_through(site, FEW)
    asked = chromium.run("performance.getEntriesByType('resource').filter(function (e) {"
                         " return e.name.indexOf('/engine.io/') > 0; }).length")  # fmt: skip
    assert (connection(chromium), asked) == ("WebSocket", 0)


def test_a_server_that_takes_no_websocket_is_said_so(tmp_path: Path, chromium: Browser) -> None:
    with live(tmp_path, "--transports", "polling") as site:
        show(chromium, f"{site.url}/worker")
        assert run(site, "echo", 1)["result"] == 1
        assert connection(chromium) == "long-polling, because this server refuses WebSocket"
        chromium.open(f"{site.url}/worker?transport=websocket")
        until(lambda: "this server takes long-polling only" in chromium.status()["error"])


def test_phantomjs_works_by_polling(site: Live) -> None:
    with browsing(PhantomJS()) as browser:
        show(browser, f"{site.url}/worker?name=PHANTOM")
        work_through(site, FEW)
        until(
            lambda: connection(browser).startswith("long-polling, because no WebSocket could be set up (this browser")
        )


def test_a_proxy_that_refuses_websockets_leaves_the_page_with_polling(site: Live, chromium: Browser) -> None:
    with socket_proxy(site.port, refuse=True) as proxy:
        show(chromium, f"http://127.0.0.1:{proxy.port}/worker")
        work_through(site, FEW)
        assert connection(chromium).startswith("long-polling, because no WebSocket could be set up")
        assert proxy.handshakes == 1


@pytest.mark.parametrize("cut_s", [1.0, 5.0])
def test_a_proxy_that_cuts_websockets_loses_nothing(site: Live, chromium: Browser, cut_s: float) -> None:
    with socket_proxy(site.port, cut_s=cut_s) as proxy:
        show(chromium, f"http://127.0.0.1:{proxy.port}/worker")
        until(lambda: connection(chromium) == "WebSocket")
        work_through(site, JOBS)
        until(lambda: connection(chromium).startswith("long-polling, because the last socket failed (E-NET-01"), 20)
        work_through(site, FEW)


#: A task that logs each moment which line it is.
LOGS = """Pagehand.task('logs', function (job, done) {
  var count = 0;
  var timer = setInterval(function () {
    count += 1;
    job.log('line ' + count);
    if (count === 100) { clearInterval(timer); done(null, count); }
  }, 20);
}); null"""


def test_the_lines_of_a_task_come_once_and_in_order_though_its_socket_is_cut(site: Live, chromium: Browser) -> None:
    """It knows of no line that it says in its last second whether that has arrived, and says it again."""
    with socket_proxy(site.port, cut_s=1.5) as proxy:
        show(chromium, f"http://127.0.0.1:{proxy.port}/worker")
        until(lambda: connection(chromium) == "WebSocket")
        chromium.run(LOGS)
        done = run(site, "logs", None)
        assert [line["line"] for line in done["log"]] == [f"line {count}" for count in range(1, 101)]
        assert connection(chromium).startswith("long-polling, because the last socket failed (E-NET-01")


def test_a_proxy_that_swallows_frames_without_a_word_loses_nothing(site: Live, chromium: Browser) -> None:
    """The server misses the pongs; the page hears nothing."""
    with socket_proxy(site.port, swallow_s=1.0) as proxy:
        show(chromium, f"http://127.0.0.1:{proxy.port}/worker")
        until(lambda: connection(chromium) == "WebSocket")
        work_through(site, JOBS)
        until(lambda: connection(chromium).startswith("long-polling, because the last socket failed (E-NET-08"), 30)
        work_through(site, FEW)
