"""What a task does that nobody expected, in real browsers against the real server: the job says it at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import PATIENCE_S, until

from .browsers import Browser
from .test_browsers import run, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = '// pagehand: {"title": "x", "example": 1}\n'
TASKS = {
    "callback": "Pagehand.task('callback', function (job, done) {\n  setTimeout(function () { nothere(); }, 0);\n});",
    "fatal": (
        "Pagehand.task('fatal', function (job, done) {"
        " setTimeout(function () { throw Pagehand.fatal('no label', 'no_label'); }, 0); });"
    ),
    "slow": (
        "Pagehand.task('slow', function (job, done) {"
        " job.log('begun'); job.onCancel(function (why) { job.log('stopped: ' + why); }); });"
    ),
    # PhantomJS has no Promise: there its stand-in is tried.
    "promised": (
        "function Later(ok, value) {"
        "  this.then = function (good, bad) { setTimeout(function () { (ok ? good : bad)(value); }, 0); }; }"
        "Pagehand.task('promised', function (job) {"
        "  if (typeof Promise === 'undefined') { return new Later(job.data.ok, job.data.value); }"
        "  return job.data.ok ? Promise.resolve(job.data.value) : Promise.reject(job.data.value); });"
    ),
    "exact": "Pagehand.task('exact', function (job) { return [job.text, job.data.order > 1]; });",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    directory = tmp_path_factory.mktemp("site")
    tasks = directory / "tasks"
    tasks.mkdir()
    for name, source in TASKS.items():
        (tasks / f"{name}.js").write_text(FIRST + source, encoding="utf-8")
    with live(directory, "--tasks", str(tasks)) as server:
        yield server


def failed_try(site: Live, job_id: str) -> dict[str, Any]:
    """The first try that has an error. An offer that a busy machine let lapse is a try without one."""
    job: dict[str, Any] = {}

    def failed() -> dict[str, Any] | None:
        job.update(site.job(job_id))
        return next((each for each in job["attempts"] if each["error"]), None)

    try:
        found: dict[str, Any] = until(failed, PATIENCE_S)
    except TimeoutError:
        pytest.fail(f"no try has failed: {job}")
    return found


def test_an_error_in_a_callback_is_the_job_s_error_long_before_its_timeout(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    job = site.submit("callback")
    attempt = failed_try(site, job["id"])
    assert "nothere" in attempt["error"]["message"]
    assert "/tasks/callback.js:3" in attempt["error"]["stack"]
    site.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", "{}", JSON)
    until(lambda: "nothere" in browser.status()["error"])


def test_lines_of_on_cancel_are_in_the_job_s_log(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    job = site.submit("slow")
    until(lambda: site.job(job["id"])["log"], 10)
    site.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", '{"reason": "wrong order"}', JSON)
    lines = until(lambda: len(log := site.job(job["id"])["log"]) == 2 and [line["line"] for line in log], 10)
    assert lines == ["begun", "stopped: wrong order"]
    assert run(site, "exact", {"order": 2})["state"] == "succeeded", "the slot is free"


def test_a_promise_that_a_task_returns_decides_the_job_s_end(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    kept = run(site, "promised", {"ok": True, "value": {"order": 7}})
    assert (kept["state"], kept["result"]) == ("succeeded", {"order": 7})
    broken = site.submit("promised", {"ok": False, "value": "no paper"})
    attempt = failed_try(site, broken["id"])
    assert attempt["error"]["message"] == "no paper"
    site.ask("POST", f"/api/v1/jobs/{broken['id']}/cancel", "{}", JSON)


def test_a_task_has_its_data_as_they_came(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    text = '{"order": 12345678901234567890, "price": 0.10}'
    job = site.ask("POST", "/api/v1/jobs", f'{{"type": "exact", "data": {text}}}', JSON | {"Prefer": "wait=15"}).json()
    assert job["result"] == [text, True]


def test_an_error_is_reported_with_its_own_code_where_the_browser_gives_it(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker")
    job = site.submit("fatal")
    attempt = failed_try(site, job["id"])
    assert "no label" in attempt["error"]["message"]
    site.ask("POST", f"/api/v1/jobs/{job['id']}/cancel", "{}", JSON)
