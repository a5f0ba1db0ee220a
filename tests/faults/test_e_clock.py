"""Faults of worker pages, E10, E11 and E16: throttled timers, a PC that slept, a PC's clock that is wrong.

The page's own library in an engine on a fake window; for E16 also in Chromium, against a real server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.e_support import post, serve, show, until_ready
from tests.page.browsers import Chromium, browsing
from tests.page.harness import Page, joined, ops
from tests.page.harness import job as offer

SLOW = "Pagehand.task('slow', function (job, done) { worker.later = done; });"
HOUR_MS = 3_600_000
YEARS_MS = 30 * 365 * 24 * HOUR_MS


def _freeze(page: Page, ms: int) -> None:
    """Lets time pass without any timer firing."""
    page.js.eval(f"fakeWindow.freeze({ms}); null;")


def test_fault_E10_a_page_whose_timers_fire_once_a_minute_answers_pings_and_does_jobs_at_once() -> None:
    """Pongs, accepts and results ride on the answers of polls and POSTs, not on timers."""
    page = joined(SLOW)
    for minute in range(60):
        for _ in range(3):
            _freeze(page, 20_000)
            page.push_packets("2")
            assert page.packets() == ["3"], "a pong without a timer"
            page.take()
        name = f"a{minute}"
        page.push(offer(name, "slow"))
        assert ops(page.take()) == ["accept"]
        page.run("worker.later(null, 1);")
        assert ops(page.take()) == ["result"]
        page.push({"op": "recorded", "attempt": name, "verdict": "recorded"})
        page.advance(0)  # the timers' minute
        page.take_all()
    assert page.error is None, "one session all the time"
    assert page.status()["done"] == 60


@pytest.mark.parametrize("clock_sleeps", [False, True], ids=["its clock went on", "its clock slept, too"])
def test_fault_E11_a_pc_that_slept_for_an_hour_resumes_as_the_same_boot_and_makes_no_storm(clock_sleeps: bool) -> None:
    """In some browsers the monotonic clock counts the sleep, in others only the wall clock does."""
    page = joined(SLOW)
    first = page.run("return worker.status().worker;")
    page.push(offer(type_="slow"))
    page.take()
    if clock_sleeps:
        page.js.eval(f"fakeWindow.stepDate({HOUR_MS}); null;")
        page.answer(page.poll, 0, "")  # the system tells that the connection is dead
    else:
        _freeze(page, HOUR_MS)  # and the poll is never answered
    requests, register = _wake(page)
    assert requests <= 2, "a handshake and a poll"
    assert (register["worker"], register["boot"]) == (first, page.run("return worker._boot;"))
    assert [held["attempt"] for held in register["holding"]] == ["a1"], "the server decides about it"
    page.run("worker.later(null, 'after the sleep');")
    page.push({"op": "registered", "worker": first, "secret": "x1", "name": "DESK", "settings": {}})
    stood_still = [] if clock_sleeps else ["log"]
    assert ops(page.take_all()) == [*stood_still, "result"], "the server takes lines of an attempt until its result"


def _wake(page: Page) -> tuple[int, dict[str, Any]]:
    """Runs the first seconds after a sleep; returns the number of requests, and the page's register."""
    made = 0
    for _ in range(40):
        page.advance(100)
        if made == 0 and any("sid=" not in request["url"] for request in page.requests("GET")):
            made = len(page.requests("GET")) + len(page.requests("POST"))
            register = page.open(sid="s2")
            return made + len(page.requests("POST")), register
    raise AssertionError("no new session within 4 s")


@pytest.mark.parametrize("step_ms", [YEARS_MS, -YEARS_MS])
def test_fault_E16_a_wall_clock_that_jumps_by_years_changes_nothing(step_ms: int) -> None:
    page = joined(SLOW)
    page.push(offer(type_="slow"))
    page.take()
    page.advance(7_000)
    page.js.eval(f"fakeWindow.stepDate({step_ms}); null;")
    page.advance(2_000)
    page.push_packets("2")
    assert page.packets() == ["3"]
    page.take()
    (held,) = page.reconnect()["holding"]
    assert 9_000 <= held["elapsed_ms"] <= 11_001, "durations are the monotonic clock's"
    page.run("worker.later(null, 1);")
    page.advance(1)
    assert ops(page.take_all()) == ["result"]
    page.fire("pagehide")
    page.load()
    assert page.join()["worker"] == "w1", "the identity outlives it"


@contextmanager
def _dated(browser: Chromium, year: int) -> Iterator[None]:
    """All pages loaded meanwhile believe that it is this year."""
    source = f"""(function () {{
      var Real = Date, shift = Real.UTC({year}, 5, 1) - Real.now();
      window.Date = function (ms) {{ return new Real(arguments.length ? ms : Real.now() + shift); }};
      window.Date.UTC = Real.UTC;
      window.Date.now = function () {{ return Real.now() + shift; }};
      window.Date.prototype = Real.prototype;
    }}())"""
    made = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    yield
    browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", made)


@pytest.mark.browser
@pytest.mark.slow
def test_fault_E16_a_page_on_a_pc_with_a_wrong_clock_works_and_the_servers_instants_are_its_own(tmp_path: Path) -> None:
    """1970 and 2099; each page finds notes of the other clock after a reload."""
    with serve(tmp_path) as server, browsing(Chromium()) as browser:
        for year in (1970, 2099, 1970):
            with _dated(browser, year):
                show(browser, server, "types=wait&name=DESK")
                assert browser.run("new Date().getFullYear()") == year
                done = server.job(post(server, "wait", {"ms": 50, "value": year}), wait_s=20)
            assert done["result"] == year
            started = datetime.fromisoformat(done["started_at"])
            assert abs((datetime.now(UTC) - started).total_seconds()) < 60
            until_ready(browser)
        assert len(server.ask("GET", "/api/v1/workers").json()["items"]) == 1, "the same worker in all years"
