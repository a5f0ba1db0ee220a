"""The tables of docs/tasks.md have the fields, words and codes that the program has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dispatcher.core.jobs.matching import requirement_of
from handlers.routes import TaskDirectory
from tests.page.harness import STATIC
from tests.page.test_attempts import outcome
from tests.page.test_task_loading import come, faulty
from tests.page.test_task_loading import page as loading
from tests.support.house import House
from tests.support.places import ROOT
from tests.support.scenes import submit, take

TEXT = (ROOT / "docs/tasks.md").read_text("utf-8")
#: The words of a code end with a full stop; whose fault it is stands there, too.
CODES = dict(re.findall(r"'(E-[A-Z]+-\d+)': '([^']+)\.'", (STATIC / "worker/codes.js").read_text("utf-8")))


def rows(head: str) -> list[str]:
    """The first cells of the table whose head begins so."""
    table = TEXT[TEXT.index(f"\n| {head} |") :].split("\n\n")[0]
    return [line.split(" | ")[0].removeprefix("| ") for line in table.strip().splitlines()[2:]]


def code_of(cell: str) -> str:
    """What a cell shows as code, whole."""
    return "".join(re.findall(r"`([^`]+)`", cell)[:1])


def test_the_table_has_each_field_of_a_task_s_job() -> None:
    named = [name for cell in rows("of `job`") for name in re.findall(r"`(\w+)", cell)]
    assert sorted(named) == sorted(outcome("return Object.keys(job);")["value"])


def test_the_words_of_a_file_that_does_not_work_are_the_program_s(tmp_path: Path) -> None:
    files = loading("receipt", "empty", "broken")
    come(files, 0, "reciept")
    come(files, 1)
    come(files, 2, error={"message": "oops", "filename": "/base/tasks/broken.js", "lineno": 3})
    (tmp_path / "latin.js").write_bytes(b"// one\n// M\xfcller\n")
    [absent] = TaskDirectory(tmp_path).faults()
    said = f"{CODES['E-TSK-01']}: " + "; ".join([*sorted(faulty(files)), absent.why])
    assert [cell for cell in rows("the page says") if code_of(cell) not in said] == []


@pytest.mark.parametrize(
    ("cell", "body"),
    [
        ("no printer called", "throw new Error('no printer called ZEBRA-9');"),
        ("nothere", "nothere();"),
        ("the result takes", "return new Array(1100002).join('x');"),
        ("cannot be written", "var a = []; a.push(a); return a;"),
    ],
)
def test_the_words_of_a_task_that_fails_are_the_program_s(cell: str, body: str) -> None:
    [row] = [row for row in rows("the job's error") if cell in row]
    report = outcome(body, result_limit=1_048_576)
    assert report["message"].replace("'nothere'", "nothere") == code_of(row)
    assert re.findall(r" \((\w+)\)$", row) == ([report["code"]] if report.get("retry") is False else [])


def test_the_words_of_a_box_are_the_program_s() -> None:
    [row] = [row for row in rows("the job's error") if "alert" in row]
    words = code_of(row).removeprefix("alert")
    assert f"name + '{words}'" in (STATIC / "page.js").read_text("utf-8")


@pytest.mark.gen_test
async def test_the_words_of_a_timeout_are_the_program_s() -> None:
    house = await House().start()
    job = await submit(house, "slow", timeout_s=1.0, max_attempts=1)
    await (await take(house, job)).say("accept")
    await house.pass_time(5.0)
    [row] = [row for row in rows("the job's error") if "no answer" in row]
    assert (await house.dispatcher.job("slow")).detail == code_of(row)


@pytest.mark.gen_test
async def test_the_words_of_a_job_that_waits_are_the_program_s() -> None:
    house = await House().start()
    shown = [code_of(row) for row in rows("it says")]
    typo = await submit(house, "typo", type="print-lable")
    await house.register("s1", "print-label", name="DESK")
    desk = await submit(house, "desk", requires=requirement_of({"name": "FRONT-DESK-07"}))
    assert [house.dispatcher.why_waits(typo), house.dispatcher.why_waits(desk)] == shown
