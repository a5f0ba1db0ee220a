"""The worker page in real browsers, against a real server: Chromium, Chromium without what IE 11 lacks, PhantomJS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser, Chromium, browsing

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PIXELS = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U"
    "1AAAAABJRU5ErkJggg=="
)
SIZES = [(1024, 700), (375, 600), (320, 200)]


def run(site: Live, type_: str, data: Any) -> dict[str, Any]:
    """A job, submitted and waited for."""
    body = json.dumps({"type": type_, "data": data})
    return dict(site.ask("POST", "/api/v1/jobs", body, JSON | {"Prefer": "wait=15"}).json())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(directory: Path) -> Iterator[Live]:
    with live(directory) as server:
        yield server


def show(browser: Browser, address: str, state: str = "ready") -> None:
    browser.open(address)
    until(lambda: browser.status()["state"] == state, 15, f"the state {state}")


def test_the_page_gets_ready_and_runs_every_task_that_it_offers(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=FRONT-DESK-07")
    text = "w\u00f6rld \u2713 \U0001f600"
    assert run(site, "echo", {"text": text})["result"] == {"text": text}
    assert run(site, "word-count", "to be or not to be")["result"]["words"] == 6
    small = run(site, "thumbnail", {"image": PIXELS, "width": 1})["result"]
    assert (small["width"], small["height"]) == (1, 1)
    assert small["image"].startswith("data:image/png;base64,")
    unchanged = run(site, "thumbnail", {"image": PIXELS, "width": 500, "height": 400})["result"]
    assert (unchanged["width"], unchanged["height"]) == (2, 2)
    broken = run(site, "thumbnail", {"image": "data:image/png;base64,AAAA", "width": 1})
    assert (broken["state"], broken["reason"]) == ("failed", "no_retry")
    seen = until(lambda: (status := browser.status())["today"] == "4 done, 1 failed" and status)
    assert seen["name"] == "FRONT-DESK-07"
    assert seen["title"] == "READY - FRONT-DESK-07 - Pagehand"
    assert "E-JOB-01" in seen["error"]
    assert browser.errors() == []


def test_the_button_of_a_page_that_an_operator_has_paused_ends_that_and_its_last_jobs_stay(
    site: Live, browser: Browser
) -> None:
    show(browser, f"{site.url}/worker?name=BACK-DESK-09")
    assert run(site, "echo", 1)["state"] == "succeeded"
    listed = site.ask("GET", "/api/v1/workers?state=connected").json()["items"]
    [worker] = [one["id"] for one in listed if one["name"] == "BACK-DESK-09"]
    site.ask("POST", f"/api/v1/workers/{worker}/pause", json.dumps({"reason": "printer broken"}), JSON)
    seen = until(lambda: (status := browser.status())["state"] == "paused" and status)
    assert seen["detail"].endswith(": printer broken. Resume ends that, and is noted under the name of this page.")
    browser.click("pause")
    until(lambda: browser.status()["state"] == "ready")
    [act] = site.ask("GET", f"/api/v1/audit?action=worker.resume&target={worker}").json()["items"]
    assert (act["actor"], act["detail"]) == ("worker BACK-DESK-09", "by the person at the page")
    show(browser, f"{site.url}/worker?name=BACK-DESK-09")
    past = browser.run("document.getElementById('past').textContent")
    assert re.match(r"\d\d:\d\d:\d\d echo \u2026[0-9a-f]{8}: done", past), past


def test_a_reload_brings_the_same_worker_back_with_its_counts(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=ROUND")
    run(site, "echo", 1)
    before = browser.run("sessionStorage.getItem('pagehand.worker')")
    browser.reload()
    until(lambda: browser.status()["state"] == "ready", 15, "ready after the reload")
    after = browser.run("sessionStorage.getItem('pagehand.worker')")
    assert json.loads(before)["worker"] == json.loads(after)["worker"]
    assert browser.status()["today"].startswith("1 done")
    assert run(site, "echo", 2)["result"] == 2


def test_pause_and_resume_are_buttons(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    browser.run("document.getElementById('pause').focus()")
    browser.click("pause")
    until(lambda: browser.status()["state"] == "paused")
    assert browser.run("document.activeElement.id") == "pause", "the button is there still, and has the focus"
    assert browser.run("document.getElementById('pause').textContent") == "Resume"
    browser.click("pause")
    until(lambda: browser.status()["state"] == "ready")


def test_the_report_can_be_copied_and_names_what_matters(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=DESK")
    browser.click("copy")
    report = browser.run("document.getElementById('report').value")
    for words in ("State: READY", "Name: DESK", site.url, "Browser: Mozilla", "connected"):
        assert words in report


#: Fails with the order's number as its error, and draws something beside what the page shows of itself.
DRAWS = """Pagehand.task('draws', function (job) {
  var place = document.createElement('p');
  place.textContent = 'Host says: paper jam';
  document.body.appendChild(place);
  throw Pagehand.fatal('no such order ' + job.data);
}, {snapshot: true}) && null"""


def test_a_snapshot_has_what_tasks_draw_and_no_word_of_the_page_itself(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=DESK")
    browser.run(DRAWS)
    run(site, "draws", 4712)
    until(lambda: "4712" in browser.status()["error"])
    assert [line["line"] for line in run(site, "draws", 4713)["log"]] == [
        "the page showed (1 of 1): Host says: paper jam | Host says: paper jam"
    ]


def test_host_call_is_offered_only_when_it_is_asked_for(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?types=host-call,echo,nonsense")
    seen = browser.status()
    assert "no such task: nonsense. (E-TYP-02)" in seen["error"]
    refused = run(site, "host-call", {"method": "Beep"})
    assert refused["error"]["code"] == "not_allowed"


def test_the_page_shows_its_labels_and_those_that_it_does_not_send(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?labels=site:berlin,printer:zebra,two%20words:x")
    seen = browser.status()
    bad = '"two words" (a name has 1 to 50 letters, digits, dots, - and _)'
    assert seen["labels"] == f"printer:zebra, site:berlin \u00b7 not sent: {bad}"
    assert f"not sent: {bad} (E-LBL-01, " in seen["error"]
    show(browser, f"{site.url}/worker")
    assert browser.status()["labels"] == "none"


def test_a_mark_that_turns_text_is_shown_in_a_name_and_not_obeyed(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=DESK%E2%80%AE7")
    until(lambda: browser.run("document.getElementById('name').textContent") == "DESK[U+202E]7", 10, "the name")
    assert browser.status()["title"] == "READY - DESK[U+202E]7 - Pagehand"
    browser.click("copy")
    report = browser.run("document.getElementById('report').value")
    assert "Name: DESK[U+202E]7 " in report
    assert "\u202e" not in report


def test_a_page_that_asks_only_for_tasks_that_are_not_there_says_so(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?types=nonsense", "stopped")
    until(lambda: "no such task: nonsense" in browser.status()["detail"])
    browser.click("copy")
    assert "State: STOPPED" in browser.run("document.getElementById('report').value")


def test_an_unknown_part_of_the_address_is_named_and_the_page_works(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?type=echo&slots=65")
    seen = browser.status()["error"]
    assert '"type" is not a parameter (did you mean types?)' in seen
    assert "slots is a whole number from 1 to 64, so 1 is taken" in seen
    assert "(E-ADR-01). The fault lies with the address of this page" in seen
    line = browser.run("document.getElementById('aloud').textContent")
    assert re.fullmatch(r"Tell the helpdesk: .*, E-ADR-01, since \d\d:\d\d\. Or just: \w{3}-\w{3}\.", line), line


def test_the_status_is_seen_without_scrolling_at_every_size(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=FRONT-DESK-07")
    for width, height in SIZES:
        browser.resize(width, height)
        box = browser.run(
            "(function () { var b = document.getElementById('board').getBoundingClientRect();"
            " return {bottom: b.bottom, right: b.right, wide: document.documentElement.scrollWidth}; }())"
        )
        assert box["bottom"] <= height
        assert box["wide"] <= width


def test_a_server_that_goes_away_is_said_so_and_the_page_comes_back_by_itself(tmp_path: Path, browser: Browser) -> None:
    site = Live(tmp_path)
    show(browser, f"{site.url}/worker?name=DESK")
    site.stop()
    seen = until(lambda: (status := browser.status())["state"] in ("reconnecting", "maintenance") and status)
    assert seen["word"] in ("RECONNECTING", "SERVER MAINTENANCE")
    site = Live(tmp_path, port=site.port)
    try:
        until(lambda: browser.status()["state"] == "ready", 30, "ready again")
        assert run(site, "echo", "back")["result"] == "back"
    finally:
        site.stop()


def test_a_token_stands_in_the_address_as_it_is_and_a_wrong_one_says_what_must_be_encoded(
    tmp_path: Path, browser: Browser
) -> None:
    with live(tmp_path, "--token", "Ab+/cd9x+Q==") as site:
        show(browser, f"{site.url}/worker#token=Ab+/cd9x+Q==")
        browser.open(f"{site.url}/worker?again#token=Ab%20/cd9x%20Q==")
        seen = until(lambda: (status := browser.status())["state"] == "not_allowed" and status, 15)
        assert seen["word"] == "NOT ALLOWED"
        assert "Write % as %25, & as %26 and # as %23 there; all else as it is." in seen["detail"]


def test_a_browser_without_javascript_reads_a_sentence_and_not_that_it_starts(site: Live) -> None:
    off = {"profile.managed_default_content_settings.javascript": 2}
    with browsing(Chromium(preferences=off)) as browser:
        browser.open(f"{site.url}/worker")
        seen = browser.run("document.getElementById('board').innerText")  # as it is shown
    assert "NO JAVASCRIPT" in seen
    assert "JavaScript is switched off in this browser" in seen
    assert "STARTING" not in seen
