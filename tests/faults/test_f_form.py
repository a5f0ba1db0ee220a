"""Fault F9 in a real browser against a real server: the form is sent more than once, and there is one job."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from selenium.webdriver import ActionChains

from tests.page.browsers import Chromium
from tests.support.server import Live, live
from tests.support.waiting import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("form")) as running:
        yield running


@pytest.fixture
def browser(chromium: Chromium) -> Chromium:
    return chromium


def jobs(server: Live, job_type: str) -> list[str]:
    return [job["id"] for job in server.ask("GET", f"/api/v1/jobs?type={job_type}").json()["items"]]


def fill(browser: Chromium, server: Live, job_type: str) -> None:
    browser.open(f"{server.url}/submit")
    browser.driver.find_element("id", "type").send_keys(job_type)
    browser.driver.find_element("id", "data").send_keys("[7]")


def press(browser: Chromium) -> None:
    """Presses the button; returns when the next page is there."""
    browser.run("(window.before = true)")
    browser.driver.find_element("css selector", "button.main").click()
    arrive(browser)


def arrive(browser: Chromium) -> None:
    until(lambda: not browser.run("window.before") and browser.run("document.readyState") == "complete")


def shown_job(browser: Chromium) -> str:
    found = re.fullmatch(r"/jobs/([\w-]+)", str(browser.run("location.pathname")))
    assert found, browser.run("location.href")
    return found[1]


def test_fault_F09_a_double_click_makes_one_job(server: Live, browser: Chromium) -> None:
    fill(browser, server, "double")
    browser.run("(window.before = true)")
    ActionChains(browser.driver).double_click(browser.driver.find_element("css selector", "button.main")).perform()
    arrive(browser)
    job = shown_job(browser)
    assert jobs(server, "double") == [job]


def test_fault_F09_the_same_form_posted_five_times_at_once_makes_one_job(server: Live, browser: Chromium) -> None:
    fill(browser, server, "posted")
    script = """
      var done = arguments[0], form = document.getElementById('submit-form'), paths = [];
      for (var i = 0; i < 5; i++) {
        fetch(form.action, {method: 'POST', body: new FormData(form)}).then(function (answer) {
          paths.push(new URL(answer.url).pathname);
          if (paths.length === 5) { done(paths); }
        });
      }
    """
    paths = browser.driver.execute_async_script(script)
    (job,) = jobs(server, "posted")
    assert paths == [f"/jobs/{job}"] * 5


def test_fault_F09_a_reload_after_the_submit_posts_nothing(server: Live, browser: Chromium) -> None:
    fill(browser, server, "reloaded")
    press(browser)
    job = shown_job(browser)
    for _ in range(2):
        browser.run("(window.before = true)")
        browser.reload()
        arrive(browser)
        assert shown_job(browser) == job
    assert jobs(server, "reloaded") == [job]


def test_fault_F09_back_and_the_button_again_lead_to_the_same_job(server: Live, browser: Chromium) -> None:
    """Chromium keeps a page for a while after it was left, with its texts and its key."""
    fill(browser, server, "back")
    press(browser)
    job = shown_job(browser)
    for _ in range(2):
        browser.driver.back()
        until(lambda: browser.run("location.pathname") == "/submit")
        assert browser.run("document.getElementById('type').value") == "back"
        browser.run("(window.before = true)")
        browser.driver.find_element("css selector", "button.main").click()
        arrive(browser)
        assert shown_job(browser) == job
    assert jobs(server, "back") == [job]


def test_fault_F09_back_to_a_form_that_was_loaded_anew_and_the_button_make_no_second_job(server: Live) -> None:
    """If the page was not kept, the form is new and has a new key. A person must fill it in again: a
    press of the button alone submits nothing."""
    chromium = Chromium(flags=("--disable-features=BackForwardCache",))
    try:
        fill(chromium, server, "anew")
        first_key = chromium.run("document.querySelector('input[name=key]').value")
        press(chromium)
        job = shown_job(chromium)
        chromium.driver.back()
        until(lambda: chromium.run("location.pathname") == "/submit")
        assert chromium.run("document.querySelector('input[name=key]').value") != first_key
        press(chromium)
        assert "was not submitted" in chromium.run("document.querySelector('[role=alert]').textContent")
        assert jobs(server, "anew") == [job]
    finally:
        chromium.close()
