"""Faults of worker pages, E6: more polls than the browser has connections to one host."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.e_support import post, serve, show, workers
from tests.page.browsers import Chromium, browsing
from tests.page.harness import HANDSHAKE, REGISTERED, Page
from tests.page.harness import job as offer
from tests.support.waiting import until

CONNECTIONS = 2
#: Chromium's own limit for one host, of all its tabs together.
TABS = 6
WAIT = "Pagehand.task('wait', function (job, done) { worker.later = done; });"


class Host:
    """A browser of two connections with pages in it, and the server that they talk to. The first that asks is served
    first; a poll holds its connection until there is something to say."""

    def __init__(self, pages: int) -> None:
        self.pages = [Page(tasks=WAIT).load() for _ in range(pages)]
        self.said: list[list[str]] = [[] for _ in self.pages]
        self._outbox: list[list[str]] = [["0" + json.dumps(HANDSHAKE)] for _ in self.pages]
        #: (page, request) in the order in which they were made.
        self._line: list[tuple[int, int]] = []

    def push(self, page: int, message: dict[str, Any]) -> None:
        """The server has a message for a page."""
        self._outbox[page].append("4" + json.dumps(message))

    def pass_s(self, seconds: float) -> None:
        """Lets time pass in all pages, and serves each request that has a connection."""
        for _ in range(round(seconds * 10)):
            for page in self.pages:
                page.advance(100)
            while self._serve():
                pass

    def _serve(self) -> bool:
        open_now = {(n, r["id"]): r for n, page in enumerate(self.pages) for m in ("GET", "POST")
                    for r in page.requests(m)}  # fmt: skip
        self._line = [each for each in self._line if each in open_now]
        self._line += sorted(set(open_now) - set(self._line))
        return any(self._answered(page, open_now[page, request]) for page, request in self._line[:CONNECTIONS])

    def _answered(self, number: int, request: dict[str, Any]) -> bool:
        page = self.pages[number]
        if request["method"] == "GET":
            packets, self._outbox[number] = self._outbox[number], []
            if packets:
                page.answer(request, 200, "\x1e".join(packets))
            return bool(packets)
        messages = [json.loads(packet[1:]) for packet in request["body"].split("\x1e") if packet[0] == "4"]
        self.said[number] += [message["op"] for message in messages]
        if "register" in self.said[number][-len(messages) :]:
            self.push(number, REGISTERED)
        page.answer(request, 200, "ok")
        return True


def test_fault_E06_two_pages_on_two_connections_get_their_accepts_and_results_through() -> None:
    """Both connections carry polls; unless one makes room, a POST would wait for the next ping."""
    host = Host(2)
    host.pass_s(5)
    assert [page.state for page in host.pages] == ["ready", "ready"]
    host.push(0, offer(type_="wait"))
    host.push(1, offer("b1", type_="wait"))
    host.pass_s(3)
    assert [said[-1] for said in host.said] == ["accept", "accept"]
    for page in host.pages:
        page.run("worker.later(null, 1);")
    host.pass_s(3)
    assert [said[-1] for said in host.said] == ["result", "result"]
    assert host.said[0].count("register") == 1, "in the same session"


@pytest.mark.browser
@pytest.mark.slow
def test_fault_E06_six_worker_pages_in_one_chromium_work_though_their_polls_take_all_connections(
    tmp_path: Path,
) -> None:
    """Here pings, which would free a connection, come only once a minute."""
    pings = {"ping_interval_s": 60, "ping_timeout_s": 60}
    with serve(tmp_path, **pings) as server, browsing(Chromium()) as browser:
        show(browser, server, "types=wait&name=TAB")
        for _ in range(TABS - 1):
            browser.driver.switch_to.new_window("tab")
            browser.open(f"{server.url}/worker?types=wait&name=TAB&transport=polling")
        until(lambda: len(workers(server)) == TABS, 30, "all pages")
        began = time.monotonic()
        names = [post(server, "wait", {"ms": 10, "value": number}) for number in range(TABS)]
        done = [server.job(name, wait_s=30) for name in names]
        took_s = time.monotonic() - began
        assert [each["result"] for each in done] == list(range(TABS))
        assert {len(each["attempts"]) for each in done} == {1}, "no offer lapsed"
        assert took_s < 14, "nobody waited until a POST was given up (15 s)"
