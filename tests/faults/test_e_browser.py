"""Faults of worker pages, E2 to E5, in real browsers: killed, frozen, stopped, copied."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.faults.e_support import (
    LONG,
    kept,
    post,
    serve,
    show,
    status,
    until_ready,
    until_started,
    until_state,
    worker,
    workers,
)
from tests.page.browsers import Chromium, PhantomJS, browsing
from tests.support.http import Page
from tests.support.server import Live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Pages whose pongs are overdue in a second; the defaults where all takes its full time.
QUICK_PINGS = {} if LONG else {"ping_interval_s": 0.5, "ping_timeout_s": 0.5}


def _is(server: Live, name: str, state: str) -> bool:
    return worker(server, name).get("state") == state


def test_fault_E02_when_a_browser_is_killed_its_job_goes_to_another_page_after_the_grace(tmp_path: Path) -> None:
    """The closed connection is the sign (S11): away at once, lost after the grace, not before (I8)."""
    with serve(tmp_path, reconnect_grace_s=1) as server, browsing(Chromium()) as browser:
        show(browser, server, "types=wait&name=KILLED")
        name = post(server, "wait", {"ms": 600_000})
        until_started(server, name)
        other = Page(server)
        other.register("wait")
        before = time.monotonic()
        browser.kill()  # returns when all its processes are gone: the connection closed before
        killed = time.monotonic()
        until(lambda: _is(server, "KILLED", "away"), 1, "a worker that is away")
        assert server.job(name)["state"] == "running"
        offer = other.hear("job")
        heard = time.monotonic()
        assert offer["id"] == name
        assert heard - before >= 1, "the grace"
        assert heard - killed <= 2.5, "the grace, and a second at most"
        other.say("result", attempt=offer["attempt"], value="done elsewhere")
        done = server.job(name, wait_s=10)
        assert (done["state"], done["result"]) == ("succeeded", "done elsewhere")
        assert [(each["number"], each["state"]) for each in done["attempts"]] == [(1, "lost"), (2, "succeeded")]
        other.leave()


def test_fault_E03_a_page_frozen_by_its_own_loop_keeps_its_lease_and_its_result_counts(tmp_path: Path) -> None:
    """Ping timeouts pass, the worker is quiet, and nothing ends (S8, S11)."""
    frozen_s = 90 if LONG else 3
    with serve(tmp_path, **QUICK_PINGS, reconnect_grace_s=1) as server, browsing(PhantomJS()) as browser:
        show(browser, server, "types=spin,wait&name=FROZEN")
        name = post(server, "spin", {"ms": frozen_s * 1000}, timeout_s=300)
        began = until_started(server, name)
        until(lambda: _is(server, "FROZEN", "quiet"), frozen_s, "a worker that is quiet")
        waiting = post(server, "wait", {"ms": 0, "value": "after the thaw"})
        done = until_state(server, name, "succeeded", frozen_s + 20)
        assert done["result"] == "spun"
        (attempt,) = done["attempts"]
        assert (attempt["number"], attempt["state"]) == (1, "succeeded")
        assert attempt["started_at"] == began["started_at"], "one attempt, from its start to its result"
        assert server.job(waiting, wait_s=20)["result"] == "after the thaw", "it got no offer while it was quiet"
        until_ready(browser)
        kept(browser, "E03-after-the-freeze")


@pytest.mark.parametrize("other_page", [False, True], ids=["nobody else", "another page"])
def test_fault_E04_a_browser_stopped_and_continued_delivers_late_or_is_told_that_it_is_stale(
    tmp_path: Path, other_page: bool
) -> None:
    """No connection closes while it is stopped, so there is no grace: the lease ends by its timeout (S11), and what
    comes after it is judged by S9."""
    stopped_s, backoff_s = (120, 300) if LONG else (3, 60)
    settings = QUICK_PINGS | {"backoff_base_s": 0.1 if other_page else backoff_s}
    with serve(tmp_path, **settings) as server, browsing(Chromium()) as browser:
        show(browser, server, "types=wait&name=STOPPED")
        name = post(server, "wait", {"ms": 1500, "value": "late", "deaf": True}, timeout_s=stopped_s / 2)
        until_started(server, name)
        browser.stop(True)
        stopped_at = time.monotonic()
        until(lambda: _is(server, "STOPPED", "quiet"), stopped_s, "a worker that is quiet")
        assert server.job(name)["state"] == "running", "a missed pong ends nothing"
        if other_page:
            _answer_elsewhere(server)
        else:
            ended = until_state(server, name, "scheduled", stopped_s)
            assert [each["state"] for each in ended["attempts"]] == ["timed_out"]
        until(lambda: time.monotonic() - stopped_at >= stopped_s, stopped_s + 1, "its full time")
        browser.stop(False)
        verdict = "stale" if other_page else "recorded"
        done = server.job(name, wait_s=20)
        assert (done["state"], done["result"]) == ("succeeded", "elsewhere" if other_page else "late")
        until(lambda: status(browser)["today"] == "0 done, 1 failed", 20, "a page that has its verdict")
        if other_page:
            assert f"verdict {verdict}" in _report(browser)
        kept(browser, f"E04-{verdict}")
        assert server.job(name)["result"] == done["result"], "recorded once"


def _answer_elsewhere(server: Live) -> None:
    other = Page(server)
    other.register("wait")
    offer = other.hear("job")
    other.say("result", attempt=offer["attempt"], value="elsewhere")
    other.hear("recorded")
    other.leave()


def _report(browser: Chromium) -> str:
    browser.click("copy")
    return str(browser.run("document.getElementById('report').value"))


def test_fault_E05_a_copied_tab_becomes_a_worker_of_its_own_and_steals_no_lease(tmp_path: Path) -> None:
    """A tab opened by the page has a copy of its storages, identity included."""
    with serve(tmp_path) as server, browsing(Chromium()) as browser:
        show(browser, server, "types=wait&name=TWIN")
        browser.reload()  # so that it follows another boot: its copy must not claim that
        until_ready(browser)
        name = post(server, "wait", {"ms": 1500, "value": "by the first"})
        until_started(server, name)
        first = json.loads(browser.run("sessionStorage.getItem('pagehand.worker')"))["worker"]
        browser.run("sessionStorage.setItem('copied', 'yes'), window.open(location.href) && null")
        browser.driver.switch_to.window(browser.driver.window_handles[-1])
        until_ready(browser)
        assert browser.run("sessionStorage.getItem('copied')") == "yes", "the storage is a copy"
        second = json.loads(browser.run("sessionStorage.getItem('pagehand.worker')"))["worker"]
        assert second != first
        assert {each["id"] for each in workers(server)} == {first, second}
        done = server.job(name, wait_s=20)
        assert done["result"] == "by the first"
        assert [(each["number"], each["worker"], each["state"]) for each in done["attempts"]] == [
            (1, first, "succeeded")
        ]
        names = [post(server, "wait", {"ms": 50, "value": number}) for number in range(4)]
        assert {server.job(each, wait_s=20)["worker"] for each in names} == {first, second}, "both work"
