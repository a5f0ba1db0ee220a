"""The versions of its tasks that a page tells the server, and what a site's page knows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser
from .harness import Page
from .test_browsers import show

TASK = "Pagehand.task('fax', function (job) { return %s; });\n"


def told(versions: Any, **options: Any) -> Any:
    return Page(options={"versions": versions, **options}).load().open().get("versions")


def test_versions_of_the_tasks_that_are_offered_are_sent_with_register() -> None:
    assert told({"echo": "v1", "none": "v2"}, types=["echo"]) == {"echo": "v1"}
    assert told({"echo": "x" * 101}, types=["echo"]) == {"echo": "x" * 100}


@pytest.mark.parametrize("versions", [{}, None, {"none": "v1"}, {"echo": 7, "slow": None}, "echo", 7])
def test_a_page_that_knows_none_sends_none(versions: Any) -> None:
    assert told(versions) is None


def deployed(server: Live) -> Any:
    return server.ask("GET", "/api/v1/types/fax").json()["deployed"]


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_has_the_version_that_it_loaded_until_it_loads_anew(tmp_path: Path, browser: Browser) -> None:
    file = tmp_path / "tasks" / "fax.js"
    file.parent.mkdir()
    file.write_text(TASK % 1, "utf-8")
    with live(tmp_path, "--tasks", str(file.parent)) as server:
        show(browser, f"{server.url}/worker")
        before = deployed(server)
        assert (before["pages"], before["old"], before["silent"]) == (1, 0, 0)
        file.write_text(TASK % 2, "utf-8")
        after = deployed(server)
        assert (after["pages"], after["old"], after["version"] != before["version"]) == (1, 1, True)
        assert [one["version"] for one in after["versions"]] == [before["version"]]
        browser.run("window.location.reload()")
        until(
            lambda: deployed(server)["old"] == 0 and deployed(server)["pages"] == 1, what="the page with the new file"
        )
