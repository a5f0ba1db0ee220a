"""A page whose work an operator has ended: it says so, and comes back when somebody there presses a button."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser
from .harness import REGISTERED, Message, Page, joined
from .test_browsers import show
from .test_worker import running

SINCE = 1_795_000_000_123
DRAINED = {"op": "hold", "paused": True, "by": "ann", "reason": "moving", "leave": True, "since_ms": SINCE}


def stopped() -> Page:
    page = joined()
    page.push(DRAINED)
    assert page.state == "stopped"
    return page


def started_again(page: Page, *told: Message) -> None:
    """Somebody has pressed Reconnect now; the server says this."""
    page.run("worker.reconnect();")
    page.open(sid="s2")
    page.push(*told)


def standing(page: Page) -> Any:
    found = page.status()["standing"]
    return found and (found["code"], found["text"], found["since"])


def test_a_drained_page_says_goodbye_and_has_a_code_to_tell_the_helpdesk() -> None:
    page = stopped()
    assert {"op": "bye"} in page.take()
    assert page.status()["hold"]["again"] is None
    now = page.run("return Date.UTC(2026, 10, 23, 12) + fakeWindow.now();")
    assert standing(page) == ("E-DRN-01", "An operator of the server has ended the work of this page.", now)
    page.advance(3_600_000)
    assert page.requests("GET") == [], "it does not come back by itself"
    assert standing(page)[2] == now


def test_a_page_that_works_finishes_its_job_before_it_stops() -> None:
    page = running()
    page.push(DRAINED)
    assert (page.state, standing(page)) == ("working", None)
    page.run("end(null, 1);")
    page.take()
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    page.advance(1_000)
    assert (page.state, standing(page)[0]) == ("stopped", "E-DRN-01")


def test_it_works_again_when_an_operator_has_ended_that_and_somebody_reconnects() -> None:
    page = stopped()
    page.take_all()
    started_again(page, REGISTERED)
    assert (page.state, page.status()["hold"], standing(page)) == ("ready", None, None)
    page.push({**DRAINED, "since_ms": SINCE + 1})
    assert page.status()["hold"]["again"] is None, "that is another order"


def test_if_the_order_still_stands_it_stops_again_and_says_when_it_has_heard_so() -> None:
    page = stopped()
    page.take_all()
    first = standing(page)
    page.advance(60_000)
    started_again(page, REGISTERED, DRAINED)
    assert (page.state, standing(page)) == ("stopped", first), "it has taken no job since then"
    assert page.status()["hold"]["again"] == page.run("return Date.UTC(2026, 10, 23, 12) + fakeWindow.now();")


def test_a_stopped_page_that_was_blocked_meanwhile_says_that() -> None:
    page = stopped()
    page.take_all()
    started_again(page, {"op": "refused", "code": "blocked", "detail": "this worker was blocked by ann: stolen"})
    assert (page.state, standing(page)[0], page.status()["hold"]) == ("not_allowed", "E-BLK-01", None)


def test_a_page_that_its_own_program_has_stopped_blames_nobody_and_starts_again() -> None:
    page = joined()
    page.run("worker.stop();")
    page.take_all()
    assert (page.state, standing(page)) == ("stopped", None)
    started_again(page, REGISTERED)
    assert page.state == "ready"


def test_a_page_that_is_out_of_date_loads_itself_anew_once_more_when_somebody_reconnects() -> None:
    refused = {"op": "refused", "code": "bad_version", "detail": "reload"}
    page = Page().load()
    for sid in ("s1", "s2"):
        page.open(sid=sid)
        page.push(refused)
        page.take_all()
        page.advance(61_000)
        page.load()
    page.open(sid="s3")
    page.push(refused)
    assert page.run("return fakeWindow.reloads();") == 1
    page.take_all()
    page.run("worker.reconnect();")
    page.open(sid="s4")
    page.push(refused)
    assert page.run("return fakeWindow.reloads();") == 2


BROKEN = "Pagehand.tusk('label');"
WORKING = "Pagehand.task('label', function () {});"


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tasks")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, tasks: Path) -> Iterator[Live]:
    (tasks / "echo.js").write_text("Pagehand.task('echo', function () {});", encoding="utf-8")
    with live(tmp_path_factory.mktemp("stopped"), "--tasks", str(tasks)) as server:
        yield server


@pytest.mark.browser
@pytest.mark.slow
def test_a_drained_page_comes_back_by_its_button_after_an_operator_and_not_before(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?types=echo")
    [worker] = [one["id"] for one in site.ask("GET", "/api/v1/workers?state=connected").json()["items"]]
    site.ask("POST", f"/api/v1/workers/{worker}/drain", '{"reason": "moving"}', JSON)
    until(lambda: browser.status()["word"] == "STOPPED", 15, "it stops")
    assert "its work was ended by api: moving" in browser.status()["detail"]
    assert "E-DRN-01" in browser.run("document.getElementById('aloud').textContent")
    assert browser.run("document.getElementById('pause').disabled"), "there is nothing to pause"
    browser.click("reconnect")
    until(lambda: "that still holds" in browser.status()["detail"], 15, "it has heard so again")
    site.ask("POST", f"/api/v1/workers/{worker}/resume", "{}", JSON)
    browser.click("reconnect")
    until(lambda: browser.status()["word"] == "READY", 15, "it is back")
    assert not browser.run("document.getElementById('pause').disabled")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("file", [BROKEN, None], ids=["a file that does not work", "no such file"])
def test_a_page_that_lacks_its_tasks_is_loaded_anew_by_its_button(
    site: Live, browser: Browser, tasks: Path, file: str | None
) -> None:
    place = tasks / "label.js"
    place.unlink(missing_ok=True)
    if file is not None:
        place.write_text(file, encoding="utf-8")
    show(browser, f"{site.url}/worker?types=label", "stopped")
    place.write_text(WORKING, encoding="utf-8")
    until(lambda: pressed(browser) == "READY", 15, "it has its task")


def pressed(browser: Browser) -> str:
    """The word of a page whose button has been pressed, if it can be: it may load just now."""
    browser.run("(function () { var one = document.getElementById('reconnect'); return one && one.click(); }())")
    return browser.status()["word"]
