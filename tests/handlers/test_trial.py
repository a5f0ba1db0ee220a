"""A job's task is tried in real browsers: Chromium, and PhantomJS, which knows nothing newer than ES5."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dispatcher.config.settings import Settings
from handlers.routes import TaskDirectory
from tests.handlers.test_browsers import Site
from tests.page.browsers import Browser
from tests.support.house import House
from tests.support.scenes import submit
from tests.support.waiting import until

pytestmark = pytest.mark.browser

FILES = {
    "good": """Pagehand.task('good', function (job, done) {
  job.progress(40, 'page <2>');
  job.log('line <b>one</b>');
  setTimeout(function () { done(null, {copies: job.data.copies, text: '<i>'}); }, 50);
});""",
    "bad": "Pagehand.task('bad', function () { confirm('Really?'); });",
    "late": "Pagehand.task('late', function (job, done) { setTimeout(function () { window.nobody.is(); }, 20); });",
    "broken": "Pagehand.task('broken', nothing.like.this);",
}


async def one_of_each(house: House) -> None:
    for name in FILES:
        await submit(house, name, type=name, data='{"copies": 2}')


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("tasks")
    for name, text in FILES.items():
        (directory / f"{name}.js").write_text(text, "utf-8")
    site = Site(one_of_each, Settings(), TaskDirectory(directory))
    yield site
    site.stop()


def text_of(window: Browser, name: str) -> str:
    return str(window.run(f"document.getElementById('{name}').textContent"))


def is_shown(window: Browser, name: str) -> bool:
    return bool(window.run(f"document.getElementById('{name}').offsetHeight"))


def tried(window: Browser, site: Site, name: str) -> str:
    """Presses the button and returns in what it ended."""
    window.open(f"{site.url}/jobs/{name}/try")
    until(lambda: text_of(window, "state") == "The task is loaded. It has not run.")
    assert not any(is_shown(window, place) for place in ("message", "value", "log", "progress", "offer", "outcome"))
    window.run("document.getElementById('run').click()")
    return str(until(lambda: (state := text_of(window, "state")) and "Nothing was recorded" in state and state))


def test_the_task_runs_when_somebody_presses_the_button_and_the_page_shows_what_it_says(
    window: Browser, site: Site
) -> None:
    before = site.jobs()
    for _ in range(2):
        assert re.fullmatch(r"Succeeded after \d+ ms\. Nothing was recorded\.", tried(window, site, "good"))
        assert text_of(window, "value") == '{"copies":2,"text":"<i>"}'
        assert text_of(window, "progress") == "Progress: 40 %, page <2>"
        assert text_of(window, "log") == "line <b>one</b>"
        assert text_of(window, "run") == "Run it here once more"
        assert not is_shown(window, "message")
    assert window.errors() == []
    assert site.jobs() == before
    assert site.house.dispatcher.workers().items == []


@pytest.mark.parametrize(("name", "words"), [("bad", "confirm would block the worker page"), ("late", "undefined")])
def test_an_error_is_shown_with_its_words_and_where_it_was_thrown(
    window: Browser, site: Site, name: str, words: str
) -> None:
    assert tried(window, site, name).startswith("Failed after ")
    assert words in text_of(window, "message")
    assert f"/tasks/{name}.js" in text_of(window, "value")
    assert {job.state for job in site.jobs()} == {"queued"}


def test_a_file_that_does_not_work_cannot_be_run_and_the_page_says_why(window: Browser, site: Site) -> None:
    window.open(site.url + "/jobs/broken/try")
    words = until(lambda: (state := text_of(window, "state")) and "does not work" in state and state)
    assert "nothing" in words
    assert window.run("document.getElementById('run').disabled")
