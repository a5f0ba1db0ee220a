"""What stands wrong with a page at a moment: its code, since when, and whose fault it is."""

from __future__ import annotations

import pytest

from .harness import REGISTERED, Message, Page, job, joined
from .test_worker import running


def standing(page: Page) -> Message | None:
    found = page.status()["standing"]
    return None if found is None else {"code": found["code"], "since": found["since"]}


def cut(page: Page, after_ms: int, status: int = 0) -> None:
    """Something ends the waiting poll; the page comes back."""
    page.advance(after_ms)
    page.answer(page.poll, status, "")
    page.run("worker.reconnect();")
    page.open()
    page.push(REGISTERED)


def test_a_server_that_stopped_is_in_maintenance_for_two_minutes_and_away_from_then_on() -> None:
    page = joined()
    page.push({"op": "drain"})
    page.answer(page.poll, 0, "")
    began = page.run("return fakeWindow.now();")
    while page.run("return fakeWindow.now();") < began + 119_000:
        assert page.state == "maintenance"
        page.advance(1_000)
        for request in page.requests("GET"):
            page.answer(request, 0, "")
    assert standing(page) == {"code": "E-SRV-01", "since": page.status()["standing"]["since"]}
    page.advance(2_000)
    assert page.state == "reconnecting"
    found = standing(page)
    assert found is not None
    assert (found["code"], found["since"]) == ("E-NET-01", page.run("return Date.UTC(2026, 10, 23, 12);") + began)
    page.run("worker.reconnect();")
    page.open(sid="s2")
    page.push(REGISTERED)
    assert (page.state, standing(page)) == ("ready", None)


@pytest.mark.parametrize(("token", "code"), [(None, "E-TOK-01"), ("wrong", "E-TOK-02")])
def test_a_missing_token_and_a_wrong_one_have_codes_of_their_own(token: str | None, code: str) -> None:
    page = Page(options={"token": token}).load()
    page.open()
    page.push({"op": "refused", "code": "bad_token", "detail": "no"})
    assert (page.state, page.error) == ("not_allowed", code)
    found = standing(page)
    assert found is not None
    assert found["code"] == code


@pytest.mark.parametrize("status", [0, 502, 504])
def test_polls_that_are_cut_at_the_same_age_again_and_again_are_named_as_that(status: int) -> None:
    page = joined()
    cut(page, 5_000, status)
    cut(page, 5_300, status)
    assert page.error != "E-NET-12"
    page.advance(4_900)
    page.answer(page.poll, status, "")
    error = page.status()["error"]
    assert (error["code"], error["detail"]) == ("E-NET-12", "after about 5 s; jobs still come, some seconds late")
    assert "between this PC and the server" in error["whose"]
    assert page.status()["retryMs"] <= 2_000, "the server is well: no need to come back slowly"
    page.advance(2_000)
    page.open()
    page.push(REGISTERED)
    found = standing(page)
    assert found is not None
    assert (page.state, found["code"]) == ("ready", "E-NET-12")
    page.push_packets("2")
    page.advance(600_000)
    assert standing(page) is None or standing(page) != found, "ten minutes later it is over"


@pytest.mark.parametrize("ages_s", [(5, 9, 5), (3, 3.5, 4.5), (0.5, 0.5, 0.5)])
def test_polls_that_end_at_odd_ages_or_at_once_are_no_proxy_s_cuts(ages_s: tuple[float, ...]) -> None:
    page = joined()
    for age_s in ages_s:
        cut(page, round(age_s * 1_000))
    assert page.error == "E-NET-01"


def test_polls_that_fail_while_no_session_opens_are_no_cuts() -> None:
    page = Page().load()
    for _ in range(5):
        page.advance(5_000)
        page.answer(page.poll, 0, "")
        page.run("worker.reconnect();")
    assert page.error == "E-NET-01"


def test_a_cancelled_task_that_goes_on_says_when_the_page_will_be_loaded_again() -> None:
    page = running()
    page.run("worker._settings.reload_after_ms = 60000;")
    page.push({"op": "cancel", "attempt": "a1", "reason": "enough"})
    (shown,) = page.status()["jobs"]
    assert shown["reloadAt"] == shown["cancelledAt"] + 60_000
    assert (page.state, standing(page)) == ("stuck", {"code": "E-JOB-05", "since": shown["cancelledAt"]})
    assert shown["over"] == "cancelled"
    assert "The fault lies with the task" in page.status()["standing"]["whose"]
    page.run("end(null, 1);")
    assert (page.state, standing(page)) == ("ready", None)


def test_a_task_that_goes_on_after_its_time_was_not_cancelled() -> None:
    page = running()
    page.push({"op": "cancel", "attempt": "a1", "reason": "timed_out"})
    assert page.status()["jobs"][0]["over"] == "timed out"
    page.push({"op": "cancel", "attempt": "a1", "reason": "enough"})
    assert page.status()["jobs"][0]["over"] == "cancelled"


def test_the_server_tells_when_it_asks_for_the_reload() -> None:
    page = Page(tasks="Pagehand.task('echo', function (job, done) {});").load()
    page.join(reload_after_ms=90_000)
    page.push(job())
    page.take()
    page.push({"op": "cancel", "attempt": "a1", "reason": "enough"})
    (shown,) = page.status()["jobs"]
    assert shown["reloadAt"] == shown["cancelledAt"] + 90_000


def test_a_second_window_of_the_browser_knows_the_first_one_by_name() -> None:
    page = joined()
    page.advance(5_000)
    assert page.status()["otherWindow"] is None
    page.js.eval("fakeWindow.otherWindow();")
    page.load()
    page.open()
    page.push({**REGISTERED, "worker": "w2", "name": "DESK-2"})
    assert page.status()["otherWindow"] == "DESK"
    page.js.eval("fakeWindow.stepDate(60000);")
    assert page.status()["otherWindow"] is None, "the first one has not been seen for a while"


def test_a_window_that_comes_when_the_other_has_gone_is_that_worker_and_alone() -> None:
    page = joined()
    page.advance(5_000)
    page.js.eval("fakeWindow.otherWindow(); fakeWindow.unload(); fakeWindow.stepDate(60000);")
    page.load()
    assert page.join()["worker"] == "w1", "it is that worker now"
    assert page.status()["otherWindow"] is None
