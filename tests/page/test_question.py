"""The strip that asks about a job in doubt, in real browsers on a real server: seen, answered by mouse and keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys

from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

from .axe import violations
from .browsers import Browser, Chromium
from .test_browsers import SIZES, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TASK = """Pagehand.task('label', function (job, done) { job.progress(50); }, {
  doubt: 'ask',
  ask: function (data) { return 'Did the label for order ' + data.order + ' come out?'; }
});"""
QUESTION = "Did the label for order 4711 come out?"
STRIP = """(function () {
  function shown(id) { return document.getElementById(id).offsetHeight > 0; }
  function text(id) { return document.getElementById(id).textContent; }
  return {shown: shown('doubt'), question: text('question'), help: text('question-help'), buttons: shown('answers')};
}())"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    directory = tmp_path_factory.mktemp("desk")
    (directory / "tasks").mkdir()
    (directory / "tasks" / "label.js").write_text(TASK, encoding="utf-8")
    with live(directory, "--tasks", str(directory / "tasks")) as server:
        yield server


def strip(browser: Browser) -> dict[str, Any]:
    return dict(browser.run(STRIP))


def submitted(site: Live) -> str:
    body = json.dumps({"type": "label", "data": {"order": 4711}, "effects": "once"})
    return str(site.ask("POST", "/api/v1/jobs", body, JSON).json()["id"])


def state(site: Live, job_id: str) -> str:
    return str(site.job(job_id)["state"])


def half_done(site: Live, job_id: str) -> bool:
    return (site.job(job_id)["progress"] or {}).get("percent") == 50


def in_doubt(site: Live, browser: Browser) -> str:
    """A job that the page has lost; it has come back and asks."""
    show(browser, f"{site.url}/worker?name=FRONT-DESK-07&types=label")
    job_id = submitted(site)
    until(
        lambda: browser.status()["state"] == "working" and half_done(site, job_id),
        15,
        "the job runs",
    )
    browser.reload()
    # In PhantomJS the old page, which may thank for an earlier answer, is there for a moment yet.
    until(lambda: state(site, job_id) == "in_doubt" and strip(browser)["buttons"], 15, "the question")
    return job_id


def may_answer(browser: Browser) -> None:
    """Buttons that have just come cannot be pressed: somebody may have meant another one."""
    until(lambda: not browser.run("document.getElementById('yes').disabled"), 15, "the buttons can be pressed")


def test_the_person_says_yes_and_the_job_has_succeeded_by_their_word(site: Live, browser: Browser) -> None:
    job_id = in_doubt(site, browser)
    seen = strip(browser)
    assert (seen["question"], seen["buttons"]) == (QUESTION, True)
    assert "Yes: it counts as done. No: it is done again." in seen["help"]
    assert browser.run("document.activeElement === document.body"), "the strip takes no focus"
    may_answer(browser)
    browser.click("yes")
    until(lambda: state(site, job_id) == "succeeded", 15, "the answer counts")
    until(lambda: strip(browser)["help"] == "Thank you. It counts as done.", 15, "thanks")
    assert not strip(browser)["buttons"]
    page = site.ask("GET", f"/jobs/{job_id}").text
    assert "worker FRONT-DESK-07" in page
    assert f"{QUESTION} Yes" in page
    assert browser.errors() == []


def test_the_person_says_no_and_it_runs_again_on_the_same_page(site: Live, browser: Browser) -> None:
    job_id = in_doubt(site, browser)
    may_answer(browser)
    browser.click("no")
    until(lambda: browser.status()["state"] == "working", 15, "it runs again")
    until(lambda: (site.job(job_id)["state"], site.job(job_id)["number"]) == ("running", 2), 15, "the second try")
    acts = site.ask("GET", f"/api/v1/audit?target={job_id}").json()["items"]
    assert [(act["actor"], act["action"], act["detail"]) for act in acts] == [
        ("worker FRONT-DESK-07", "job.retry", f"{QUESTION} No")
    ]
    site.ask("POST", f"/api/v1/jobs/{job_id}/cancel", "{}", JSON)


def test_an_operator_who_decides_first_takes_the_question_away(site: Live, browser: Browser) -> None:
    job_id = in_doubt(site, browser)
    body = json.dumps({"outcome": "failed", "reason": "nothing came out"})
    assert site.ask("POST", f"/api/v1/jobs/{job_id}/decide", body, JSON).status == 200
    browser.click("reconnect")  # it asks at once, and not only after 15 s (test_doubts.py)
    until(lambda: not strip(browser)["shown"], 30, "the strip goes away")
    assert state(site, job_id) == "failed"


def test_a_button_that_has_just_come_cannot_be_pressed(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?types=label")
    answers = """(function () {
      var said = [], at = new Date().getTime(), doubt = {attempt: 'a1', state: 'asked', question: 'x', happened: null};
      var show = window.pagehandQuestion(function () {}, function (attempt) { said.push(attempt); });
      function press() { document.getElementById('yes').click(); }
      var RealDate = Date;
      window.Date = function () { return {getTime: function () { return at; }}; };
      show(doubt); press();
      at += 699; show(doubt); press();
      at += 1; show(doubt); press();
      window.Date = RealDate;
      show({attempt: 'a1', state: 'noted', question: 'x', happened: true, more: 0});
      press();
      return said; }())"""
    assert browser.run(answers) == ["a1"]


def test_what_somebody_types_or_selects_elsewhere_is_left_alone_and_the_keyboard_reaches_the_answer(
    site: Live, chromium: Chromium
) -> None:
    show(chromium, f"{site.url}/worker?name=FRONT-DESK-07&types=label")
    job_id = submitted(site)
    until(lambda: half_done(site, job_id), 15, "the job runs")
    chromium.reload()
    chromium.run("document.getElementById('copy').focus()")
    until(lambda: strip(chromium)["shown"], 15, "the question")
    assert chromium.run("document.activeElement.id") == "copy"
    may_answer(chromium)
    chromium.run("document.activeElement.blur()")
    for _ in range(5):
        ActionChains(chromium.driver).send_keys(Keys.TAB).perform()
        if chromium.run("document.activeElement.id") == "yes":
            break
    ActionChains(chromium.driver).send_keys(Keys.ENTER).perform()
    until(lambda: state(site, job_id) == "succeeded", 15, "the answer counts")
    assert chromium.run("document.activeElement.id") == "question", "the button has gone: the thanks stand here"


FOCUS = """(function () {
  var places = [], at = 0, RealDate = Date;
  var show = window.pagehandQuestion(function (element, text) { element.textContent = text; }, function () {});
  function told(attempt, state) {
    show(attempt && {attempt: attempt, state: state, question: attempt, happened: null, more: 0});
    places.push(document.activeElement.id || document.activeElement.tagName);
  }
  window.Date = function () { return {getTime: function () { return at; }}; };
  document.activeElement.blur();
  told('a1', 'asked'); at += 700; told('a1', 'asked');
  document.getElementById('no').focus(); told('a1', 'asked');
  told('a1', 'telling'); told('a1', 'noted'); told('a2', 'asked'); at += 700; told('a2', 'asked');
  document.getElementById('yes').focus(); told('a2', 'noted'); told(null);
  document.getElementById('copy').focus(); told('a3', 'asked'); told(null);
  window.Date = RealDate;
  return places; }())"""


def test_who_answers_by_keyboard_is_led_on_and_nobody_else(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?types=label")
    assert browser.run(FOCUS) == [
        *("page", "page", "no"),
        *("question", "question", "question", "question"),
        *("question", "word", "copy", "copy"),
    ]


def test_the_question_is_seen_without_scrolling_and_can_be_read_light_and_dark(
    site: Live, chromium: Chromium, tmp_path: Path
) -> None:
    job_id = in_doubt(site, chromium)
    try:
        for width, height in SIZES:
            chromium.resize(width, height)
            low = chromium.run("document.getElementById('yes').getBoundingClientRect().bottom")
            wide = chromium.run("document.documentElement.scrollWidth")
            assert (low <= height, wide <= width) == (True, True), (width, height, low, wide)
            for colours in ("light", "dark"):
                chromium.prefer(colours)
                chromium.screenshot(tmp_path / f"question-{width}-{colours}.png")
                assert violations(chromium) == []
    finally:
        chromium.prefer("")
        chromium.resize(1024, 700)
    may_answer(chromium)
    chromium.click("no")
    until(lambda: state(site, job_id) in ("queued", "running"), 15, "the answer counts")
    site.ask("POST", f"/api/v1/jobs/{job_id}/cancel", "{}", JSON)
