"""Task files that do not work, in real browsers: the page names file, line and what is wrong, and runs the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.server import Live, live

from .browsers import Browser
from .test_browsers import run, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = '// pagehand: {"title": "x", "example": 1}\n'
GOOD = FIRST + "Pagehand.task('good', function (job) { return job.data; });\n"
#: What stands in a file, and what people read of it.
FILES = {
    "broken": ("var a = 1;\nvar b = (;\n", "broken.js, line 3: "),
    "throws": ("throw new Error('no printer here');\n", "throws.js, line 2: "),
    "uses": ("\nnothere.call();\nPagehand.task('uses', function () {});", "uses.js, line 3: "),
    "late": ("Pagehand.task('late', function () { return 5; });\nundefinedThing();", "late.js, line 3: "),
    "other": ("Pagehand.task('order', function () {});", 'other.js, it does not register "other", but "order"'),
    "empty": ("", 'empty.js, it does not register "empty" (is it empty?)'),
    "wrong": ("Pagehand.task('wrong', 5);", "wrong.js, "),
}


def site(directory: Path, *names: str) -> list[str]:
    tasks = directory / "tasks"
    tasks.mkdir()
    for name in names:
        (tasks / f"{name}.js").write_text(FIRST + FILES[name][0] if name in FILES else GOOD, encoding="utf-8")
    return ["--tasks", str(tasks)]


def test_each_file_that_does_not_work_is_named_and_the_others_run(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path, *site(tmp_path, "good", *FILES)) as server:
        show(browser, f"{server.url}/worker")
        seen = browser.status()["error"]
        assert seen.startswith("A task file does not work: ")
        assert "(E-TSK-01)" in seen
        for _, words in FILES.values():
            assert words in seen
        for words in ("no printer here", "nothere", "undefinedThing", "the task wrong is not a function"):
            assert words in seen
        assert "good.js" not in seen
        assert run(server, "good", 1)["result"] == 1
        assert run(server, "late", 1)["result"] == 5, "what it registered before it threw is offered"
        browser.click("copy")
        assert "broken.js, line 3: " in browser.run("document.getElementById('report').value")


COPY = "Pagehand.task('good', function () { return 'of the copy'; });\n"


@pytest.mark.parametrize("copy", ["another", "more"], ids=["loaded before it", "loaded after it"])
def test_a_copy_that_has_kept_the_old_name_is_named_and_takes_no_jobs(
    tmp_path: Path, browser: Browser, copy: str
) -> None:
    with live(tmp_path, *site(tmp_path, "good", copy)) as server:
        (tmp_path / "tasks" / f"{copy}.js").write_text(COPY, encoding="utf-8")
        show(browser, f"{server.url}/worker")
        assert f'{copy}.js, it does not register "{copy}", but "good"' in browser.status()["error"]
        assert "good.js" not in browser.status()["error"]
        assert run(server, "good", 1)["result"] == 1


def offered(server: Live) -> list[str]:
    (worker,) = server.ask("GET", "/api/v1/workers").json()["items"]
    return list(worker["types"])


def test_a_copy_does_not_stand_in_for_a_file_that_does_not_work_or_is_not_loaded(
    tmp_path: Path, browser: Browser
) -> None:
    with live(tmp_path, *site(tmp_path, "broken", "early", "zeta", "good")) as server:
        for name, registered in (("early", "broken"), ("zeta", "broken")):
            text = COPY.replace("good", registered)
            (tmp_path / "tasks" / f"{name}.js").write_text(text, encoding="utf-8")
        show(browser, f"{server.url}/worker")
        assert offered(server) == ["good"]
        assert 'early.js, it does not register "early", but "broken"' in browser.status()["error"]
        show(browser, f"{server.url}/worker?types=early", "stopped")
        assert 'early.js, it does not register "early", but "broken"' in browser.status()["detail"]


def test_a_file_that_registers_the_task_of_another_file_too_is_named(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path, *site(tmp_path, "good", "two")) as server:
        text = COPY + COPY.replace("good", "two")
        (tmp_path / "tasks" / "two.js").write_text(text, encoding="utf-8")
        show(browser, f"{server.url}/worker")
        assert 'two.js, it registers "good" too, of another file' in browser.status()["error"]
        assert (run(server, "good", 1)["result"], run(server, "two", 1)["result"]) == (1, "of the copy")


def test_a_page_none_of_whose_files_works_says_so_in_large_letters(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path, *site(tmp_path, "broken")) as server:
        show(browser, f"{server.url}/worker", "stopped")
        assert "broken.js, line 3: " in browser.status()["detail"]


def test_files_that_work_are_not_spoken_of(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path, *site(tmp_path, "good")) as server:
        show(browser, f"{server.url}/worker")
        assert browser.status()["error"] == "none"


LATIN = b"// one\n// M\xfcller\n"


def test_a_page_that_asks_for_a_type_whose_file_is_not_offered_says_why(tmp_path: Path, browser: Browser) -> None:
    flags = site(tmp_path, "good")
    (tmp_path / "tasks" / "latin.js").write_bytes(LATIN)
    (tmp_path / "tasks" / "other name.js").write_bytes(LATIN)
    (tmp_path / "tasks" / "good.js.txt").write_text(GOOD)
    with live(tmp_path, *flags) as server:
        why = "latin.js, it is not offered, because it is not UTF-8 (line 2): save it as UTF-8"
        show(browser, f"{server.url}/worker?types=good,latin,nonsense")
        seen = browser.status()["error"]
        assert f"A task file does not work: {why}. (E-TSK-01)" in seen
        assert "no such task: nonsense. (E-TYP-02)" in seen
        assert "other name" not in seen, "this page was not asked for it"
        show(browser, f"{server.url}/worker?types=good")
        assert browser.status()["error"] == "none"
        show(browser, f"{server.url}/worker")
        seen = browser.status()["error"]
        assert f"{why}; other name.js, it is not offered, because a task is named after" in seen
        assert "good.js.txt" not in seen, "a copy of a task that works harms nobody"
        show(browser, f"{server.url}/worker?types=latin", "stopped")
        assert why in browser.status()["detail"]
        assert "E-TYP-02" not in browser.run("document.body.textContent")


def test_a_directory_without_tasks_is_no_server_that_is_looked_for(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path, *site(tmp_path)) as server:
        show(browser, f"{server.url}/worker", "stopped")
        assert "This page has no tasks. (E-TYP-01)" in browser.status()["detail"]
