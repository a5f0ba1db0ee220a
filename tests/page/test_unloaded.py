"""Tasks that a page could not load: it tells the server, also if it has no other, until they have come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser
from .harness import Page, joined
from .test_browsers import show

FIRST = '// pagehand: {"title": "x", "example": 1}\n'
WHY = "E-TSK-01: line 3: bad"


def tell(page: Page, **whys: str) -> None:
    page.run(f"worker.unloaded({json.dumps(whys)});")


def test_what_a_page_could_not_load_goes_with_its_register_but_for_what_it_offers_all_the_same() -> None:
    page = Page(options={"versions": {"fax": "v1", "echo": "v2"}}).load()
    tell(page, fax=WHY, echo=WHY, long="x" * 300)
    register = page.open()
    assert register["unloaded"] == {"fax": WHY, "long": "x" * 200}
    assert register["versions"] == {"echo": "v2", "fax": "v1"}, "a page whose file is mended is old"
    assert "unloaded" not in Page().load().open()
    many = Page().load()
    tell(many, **{f"t{number}": WHY for number in range(101)})
    assert len(many.open()["unloaded"]) == 100


def test_a_page_tells_at_once_what_has_changed_and_nothing_twice() -> None:
    page = joined()
    tell(page, fax=WHY)
    [register] = page.take()
    assert register["unloaded"] == {"fax": WHY}
    page.push({"op": "registered", "worker": "w1", "secret": "x1", "name": "DESK", "settings": {}})
    tell(page, fax=WHY)
    assert page.requests("POST") == []
    tell(page)
    [register] = page.take()
    assert "unloaded" not in register


def test_a_page_that_could_load_nothing_is_connected_and_stopped_and_works_once_a_task_has_come() -> None:
    page = Page(tasks="null;").load()
    assert page.requests("GET") == []
    tell(page, fax=WHY)
    register = page.open()
    assert (register["types"], register["unloaded"], page.state) == ([], {"fax": WHY}, "stopped")
    page.push({"op": "registered", "worker": "w1", "secret": "x1", "name": "DESK", "settings": {}})
    assert (page.state, page.status()["registered"]) == ("stopped", True)
    page.js.eval("Pagehand.task('fax', function () {}); null;")
    [register] = page.take()
    assert register["types"] == ["fax"]
    assert "unloaded" not in register


def problems(server: Live) -> list[Any]:
    return [one["sentence"] for one in server.ask("GET", "/api/v1/overview").json()["problems"]]


@pytest.mark.browser
@pytest.mark.slow
def test_people_are_told_of_a_broken_file_until_it_is_mended_and_its_pages_have_loaded_it(
    tmp_path: Path, browser: Browser
) -> None:
    file = tmp_path / "tasks" / "broken.js"
    file.parent.mkdir()
    file.write_text(FIRST + "var a = 1;\nvar b = (;\n", "utf-8")
    with live(tmp_path, "--tasks", str(file.parent)) as server:
        show(browser, f"{server.url}/worker?name=KASSE-1", "stopped")
        until(lambda: problems(server), what="the page says what it could not load")
        [told] = problems(server)
        assert told.startswith("The only page could not load the task broken")
        assert "E-TSK-01: line 3: " in told
        assert told.endswith(" (KASSE-1).")
        [worker] = server.ask("GET", "/api/v1/workers").json()["items"]
        assert (worker["types"], list(worker["unloaded"])) == ([], ["broken"])
        file.write_text(FIRST + "Pagehand.task('broken', function (job) { return job.data; });\n", "utf-8")
        until(lambda: len(problems(server)) == 2, what="the page has an old task")
        server.ask("POST", f"/api/v1/workers/{worker['id']}/reload", "{}", {"Content-Type": "application/json"})
        until(lambda: not problems(server), what="the page has loaded anew")
