"""Faults of worker pages, E7 to E9: tasks that do what they must not, never end, or return what cannot be sent.

In one Chromium; each test begins with a fresh load of the page, and in each the page must do an ordinary job after it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.e_support import (
    post,
    serve,
    show,
    until_another_load,
    until_ready,
    until_started,
    worker,
)
from tests.page.browsers import Chromium, browsing
from tests.support.http import Page
from tests.support.server import Live
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUERY = "types=hostile,wait&name=HOST"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    settings = {"max_attempts": 1, "max_crashes": 1, "reconnect_grace_s": 0.5, "reload_after_s": 0.5}
    with serve(tmp_path_factory.mktemp("hostile"), **settings) as made:
        yield made


@pytest.fixture
def browser(server: Live, chromium: Chromium) -> Chromium:
    """A new page, for a page may reload itself only once a minute, which its storage remembers."""
    chromium.open(f"{server.url}/livez")
    chromium.run("sessionStorage.clear()")
    show(chromium, server, QUERY)
    return chromium


def run(server: Live, deed: str, **fields: Any) -> dict[str, Any]:
    return server.job(post(server, "hostile", deed, **fields), wait_s=20)


def still_works(server: Live, browser: Chromium) -> None:
    assert run(server, "nothing by done")["state"] == "succeeded"
    until_ready(browser)


@pytest.mark.parametrize(
    "deed",
    ["throws", "throws nothing", "throws later", "overflows the stack", "alerts", "confirms", "prompts"],
)
def test_fault_E07_a_task_that_throws_or_wants_a_person_fails_its_job_and_nothing_else(
    server: Live, browser: Chromium, deed: str
) -> None:
    done = run(server, deed)
    assert (done["state"], done["reason"], len(done["attempts"])) == ("failed", "error", 1)
    still_works(server, browser)


def test_fault_E07_a_task_that_overwrites_globals_does_not_stop_the_page(server: Live, browser: Chromium) -> None:
    assert run(server, "redefines globals")["result"] == "redefined"
    still_works(server, browser)


@pytest.mark.parametrize("deed", ["writes the document", "empties the body"])
def test_fault_E07_a_page_whose_document_a_task_threw_away_loads_itself_anew(
    server: Live, browser: Chromium, deed: str
) -> None:
    browser.run("window.before = true")
    assert run(server, deed)["state"] == "succeeded", "its result is not lost with the document"
    until_another_load(browser)
    still_works(server, browser)


def test_fault_E07_a_task_that_reloads_its_page_loses_its_own_job_only_so_often(
    server: Live, browser: Chromium
) -> None:
    done = run(server, "reloads")
    assert (done["state"], done["reason"]) == ("failed", "poison")
    assert [each["state"] for each in done["attempts"]] == ["lost", "lost"]
    still_works(server, browser)


def test_fault_E07_a_task_that_leaves_the_page_has_its_job_done_elsewhere_after_the_grace(
    server: Live, browser: Chromium
) -> None:
    name = post(server, "hostile", "navigates away")
    until(lambda: worker(server, "HOST").get("state") != "connected", 20, "the sign")
    _done_elsewhere(server, name)


def test_fault_E07_a_task_that_eats_all_memory_takes_only_its_own_page_with_it(server: Live) -> None:
    """The tab crashes, its connections close."""
    with browsing(Chromium(flags=["--js-flags=--max-old-space-size=64"])) as eater:
        show(eater, server, QUERY.replace("HOST", "EATER"))
        name = post(server, "hostile", "eats memory")
        until_started(server, name)
        until(lambda: worker(server, "EATER").get("state") != "connected", 30, "the end of the page")
        _done_elsewhere(server, name)


def _done_elsewhere(server: Live, name: str) -> None:
    other = Page(server)
    other.register("hostile")
    offer = other.hear("job")
    assert offer["id"] == name
    other.say("result", attempt=offer["attempt"], value="elsewhere")
    done = server.job(name, wait_s=10)
    assert [each["state"] for each in done["attempts"]] == ["lost", "succeeded"]
    other.say("bye")


def test_fault_E08_a_job_that_never_returns_times_out_and_its_page_is_told_to_load_itself_anew(
    server: Live, browser: Chromium
) -> None:
    browser.run("window.before = true")
    done = run(server, "never returns", timeout_s=1)
    assert (done["state"], done["reason"]) == ("failed", "timed_out")
    assert [each["state"] for each in done["attempts"]] == ["timed_out"]
    until_another_load(browser)
    still_works(server, browser)


@pytest.mark.parametrize("deed", ["a circle", "a function", "a getter that throws", "a toJSON that throws"])
def test_fault_E09_a_result_that_is_no_json_fails_in_the_page(server: Live, browser: Chromium, deed: str) -> None:
    done = run(server, deed)
    assert (done["state"], done["reason"], done["error"]["code"]) == ("failed", "no_retry", "unserialisable")
    still_works(server, browser)


def test_fault_E09_a_result_of_a_megabyte_is_recorded_and_larger_ones_fail_before_they_are_sent(
    server: Live, browser: Chromium
) -> None:
    done = run(server, "a megabyte")
    assert done["result"] == "x" * (1048576 - 2)
    for deed, size in (("a byte more", 1048577), ("a hundred megabytes", 104857601)):
        began = time.monotonic()
        done = run(server, deed)
        assert (done["state"], done["reason"], done["error"]["code"]) == ("failed", "no_retry", "result_too_large")
        assert done["error"]["message"] == f"the result takes {size} bytes, the server takes 1048576"
        assert time.monotonic() - began < 15
    assert run(server, "nothing by done")["result"] is None
    still_works(server, browser)
