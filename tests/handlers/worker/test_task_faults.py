"""Task files that do not work: the log and the console name each one, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.routes import TaskDirectory
from handlers.worker.tasks import MOST_FAULTS, Fault
from tests.handlers.conftest import Browser
from tests.support.server import live
from tests.support.waiting import until

GOOD = b"Pagehand.task('good', function () {});\n"
NAME = (
    "it is not offered, because a task is named after the type of its jobs: "
    "1 to 100 characters of A-Z, a-z, 0-9, '.', '_' and '-', then .js"
)
END = "it is not offered, because its name does not end in .js"

#: A file's name, what is in it, what is said of it ("": nothing), and whether it is offered.
FILES = [
    ("good.js", GOOD, "", True),
    ("marked.js", b"\xef\xbb\xbf" + GOOD, "", True),
    ("müller-free.js", GOOD, NAME, False),
    ("print label.js", GOOD, NAME, False),
    (f"{'x' * 101}.js", GOOD, NAME, False),
    (".js", GOOD, "", False),
    ("GOOD.JS", GOOD, END, False),
    ("good.mjs", GOOD, END, False),
    ("good.js.txt", GOOD, END, False),
    ("README.md", GOOD, "", False),
    (".good.js", GOOD, "", False),
    ("empty.js", b"", "it is empty", True),
    ("blank.js", b" \r\n\n", "it is empty", True),
    ("mark.js", b"\xef\xbb\xbf\r\n", "it is empty", True),
    ("latin.js", b"// one\n// M\xfcller\n", "it is not offered, because it is not UTF-8 (line 2): save it as UTF-8",
     False),
    ("wide.js", GOOD.decode().encode("utf-16"), "it is not offered, because it is UTF-16: save it as UTF-8", False),
    ("wider.js", b"\xfe\xff" + GOOD.decode().encode("utf-16-be"),
     "it is not offered, because it is UTF-16: save it as UTF-8", False),
    ("unmarked.js", GOOD.decode().encode("utf-16-le"),
     "it is not offered, because it is UTF-16: save it as UTF-8", False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "why", "offered"),
    [pytest.param(*file, marks=pytest.mark.expect_log("it is") if file[2] else ()) for file in FILES],
)
def test_each_file_that_does_not_work_is_named_with_what_is_wrong(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: bytes, why: str, offered: bool
) -> None:
    (tmp_path / name).write_bytes(text)
    tasks = TaskDirectory(tmp_path)
    assert tasks.faults() == ([Fault(name, why)] if why else [])
    assert tasks.names() == ([name.removesuffix(".js")] if offered else [])
    assert tasks.index()["not_offered"] == ([{"file": name, "why": why}] if why and not offered else [])
    assert (tasks.source(name.removesuffix(".js")) == text) is offered
    assert [record.getMessage() for record in caplog.records] == ([f"{name}: {why}"] if why else [])


@pytest.mark.expect_log("bad.js: its first line is not understood")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("// pagehand: {oops}", "line 1, column 15: a field's name stands in quotation marks: \""),
        ("//  pagehand:  {'quick': true}", "line 1, column 17: a field's name stands in quotation marks: \""),
        ('// pagehand: {"quick": True}', "line 1, column 24: JSON writes True as true"),
        ('// pagehand: {"title": NaN}', "line 1, column 24: there is no NaN in JSON"),
        ('// pagehand: {"title": "x"', "line 1, column 27: it ends too early"),
        ('// pagehand: {"title": "x"} (a label)', "line 1, column 29: there is something after the end"),
        ('// pagehand: {"quick": 1}', "quick must be true or false"),
        ('//PageHand: {"title": 5, "quick": null}\r\n1', "title must be a text; quick must be true or false"),
        ("// pagehand: {" + "[" * 400 + "}", "line 1, column 15: a field's name stands in quotation marks: \""),
        ('// pagehand: {"example": ' + "[" * 9_000 + "}", "it is nested too deeply"),
    ],
)
def test_a_head_that_is_not_understood_is_reported_and_the_task_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, why: str
) -> None:
    (tmp_path / "bad.js").write_text(line, "utf-8")
    tasks = TaskDirectory(tmp_path)
    (task,) = tasks.tasks()
    assert (task.name, task.quick, task.title) == ("bad", False, "")
    [fault] = tasks.faults()
    assert fault.why.startswith(f"its first line is not understood: {why}")
    assert f"bad.js: {fault.why}" in caplog.text


@pytest.mark.expect_log("bad.js: its")
@pytest.mark.parametrize(
    ("text", "why", "title"),
    [
        ('// pagehand: {"quik": true, "title": "x"}', "quik means nothing there; did you mean quick?", "x"),
        ('// pagehand: {"Title": "x"}', "Title means nothing there; did you mean title?", ""),
        ('// pagehand: {"title": "x", "title": "y"}', "title stands twice", "y"),
        ('\n// pagehand: {"title": "x"}', "its line 2 begins with // pagehand: and is overlooked", ""),
    ],
)
def test_a_slip_in_a_head_is_named_and_the_rest_counts(tmp_path: Path, text: str, why: str, title: str) -> None:
    (tmp_path / "bad.js").write_text(text, "utf-8")
    tasks = TaskDirectory(tmp_path)
    assert [task.title for task in tasks.tasks()] == [title]
    assert why in tasks.faults()[0].why


def test_a_comment_that_only_speaks_of_pagehand_is_no_head(tmp_path: Path) -> None:
    (tmp_path / "fine.js").write_text("// Pagehand: prints labels\n// pagehand: see docs\n", "utf-8")
    assert TaskDirectory(tmp_path).faults() == []


def test_what_is_no_file_or_leads_nowhere_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    directory = tmp_path / "d"
    (directory / "folder.js").mkdir(parents=True)
    (tmp_path / "secret.js").write_bytes(GOOD)
    for name, target in (("gone", "nowhere"), ("loop", "loop.js"), ("out", "../secret.js")):
        (directory / f"{name}.js").symlink_to(target)
    why = {
        fault.file: fault.why.removeprefix("it is not offered, because ") for fault in TaskDirectory(directory).faults()
    }
    assert why.pop("loop.js").startswith(("it cannot be read: Too many levels", "it cannot be read: a loop of links"))
    assert why == {
        "folder.js": "it is no file",
        "gone.js": "it cannot be read: No such file or directory",
        "out.js": "it is a link that leads out of the directory",
    }


def test_a_name_of_any_bytes_can_be_told(tmp_path: Path) -> None:
    with open(bytes(tmp_path) + b"/M\xfcller.js", "wb") as file:
        file.write(GOOD)
    [fault] = TaskDirectory(tmp_path).faults()
    assert fault.file == "M\\xfcller.js"


@pytest.mark.expect_log("a.js: it is not offered, because it is not UTF-8")
def test_the_log_names_a_fault_once_and_again_when_it_has_come_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tasks, path = TaskDirectory(tmp_path), tmp_path / "a.js"
    told = []
    for text in (b"\xff", b"\xff", GOOD, b"\xff\n"):
        path.write_bytes(text)
        tasks.tasks(), tasks.tasks()
        told.append(len(caplog.records))
    assert told == [1, 1, 1, 2]


@pytest.mark.expect_log("t.*.mjs: it is not offered")
@pytest.mark.expect_log("7 more task files do not work")
def test_many_faults_are_named_in_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MOST_FAULTS + 7):
        (tmp_path / f"t{number}.mjs").write_bytes(GOOD)
    TaskDirectory(tmp_path).tasks()
    assert len(caplog.records) == MOST_FAULTS + 1


@pytest.mark.expect_log("<b>&.js: it is not offered")
@pytest.mark.expect_log("latin.js: it is not offered")
@pytest.mark.gen_test
async def test_the_list_of_types_names_each_file_that_does_not_work(browser: Browser, tasks: TaskDirectory) -> None:
    assert b"Task files that do not work" not in (await browser.get("/types")).body
    (tasks._root / "<b>&.js").write_bytes(GOOD)
    (tasks._root / "latin.js").write_bytes(b"M\xfcller")
    body = (await browser.get("/types")).body.decode()
    assert "Task files that do not work" in body
    assert "<strong>&lt;b&gt;&amp;.js</strong>: it is not offered, because a task is named after" in body
    assert "<strong>latin.js</strong>: it is not offered, because it is not UTF-8 (line 1): save it as UTF-8." in body


def test_the_servers_log_names_them_at_its_start(tmp_path: Path) -> None:
    directory = tmp_path / "tasks"
    directory.mkdir()
    (directory / "latin.js").write_bytes(b"M\xfcller")
    with live(tmp_path, "--tasks", str(directory)) as server:
        until(
            lambda: b"latin.js: it is not offered, because it is not UTF-8" in server.log(), what="the word in the log"
        )
