"""The form's fields that say which worker a job needs: the typed text, its requirement, its errors."""

from __future__ import annotations

import html
import re

import pytest

from dispatcher.core.jobs.matching import requirement_of
from handlers.errors import Invalid
from handlers.forms.formlabels import typed_of, wanted_of_form
from tests.handlers.conftest import Browser
from tests.handlers.console.test_submit import error_beside
from tests.support.house import House
from tests.support.scenes import submit


@pytest.mark.parametrize(
    ("worker", "labels", "wanted"),
    [
        ("", "", {}),
        (" ", "\n \n", {}),
        (" DESK 1 ", "", {"name": ["DESK 1"]}),
        ("", "site:berlin", {"site": ["berlin"]}),
        ("", " site :  berlin mitte \n\n printer: a:b", {"site": ["berlin mitte"], "printer": ["a:b"]}),
        ("", "site:berlin\nprinter:zebra\nsite:bonn\nsite:berlin", {"site": ["berlin", "bonn"], "printer": ["zebra"]}),
        ("DESK-1", "name:DESK-2\nsite:bonn", {"name": ["DESK-1", "DESK-2"], "site": ["bonn"]}),
        ("", "\n".join(f"l{n // 20}:{n}" for n in range(400)), {f"l{n}": [] for n in range(20)}),
    ],
)
def test_what_is_typed_requires_this(worker: str, labels: str, wanted: dict[str, list[str]]) -> None:
    found = wanted_of_form({"worker": worker, "labels": labels})
    assert found.keys() == wanted.keys()
    assert all(values == found[label] for label, values in wanted.items() if values)


NO_VALUE = "write a label and its value, as in site:berlin"


@pytest.mark.parametrize(
    ("worker", "labels", "problems"),
    [
        ("x" * 201, "", [("worker", "must be 1 to 200 characters")]),
        ("", "site:bonn\n\nberlin", [("labels", f"line 3: {NO_VALUE}")]),
        ("", "site:", [("labels", f"line 1: {NO_VALUE}")]),
        ("", ": berlin", [("labels", f"line 1: {NO_VALUE}")]),
        ("", "two words:x", [("labels", "line 1: the name of a label has 1 to 50 characters of A-Z, a-z, 0-9, '.', ")]),
        ("", "site:" + "x" * 201, [("labels", "line 1: the value of a label has 1 to 200 characters")]),
        ("DESK", "\n".join(f"l{n}:x" for n in range(20)), [("labels", "must be at most 20, each with at most 20 ")]),
        ("", "\n".join(f"l:{n}" for n in range(21)), [("labels", "must be at most 20, each with at most 20 values")]),
        ("x" * 201, "a\nb", [("worker", "must be"), ("labels", "line 1: "), ("labels", "line 2: ")]),
    ],
)
def test_what_is_wrong_is_said_of_its_line(worker: str, labels: str, problems: list[tuple[str, str]]) -> None:
    with pytest.raises(Invalid) as refused:
        wanted_of_form({"worker": worker, "labels": labels})
    assert len(refused.value.errors) == len(problems)
    for error, (field, words) in zip(refused.value.errors, problems, strict=True):
        assert error["pointer"] == f"#/{field}"
        assert error["detail"].startswith(words)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"name": "DESK 1"},
        {"name": ["DESK 1", "DESK 2"]},
        {"site": ["berlin", "bonn"], "printer": "a:b", "name": "DESK"},
    ],
)
def test_what_a_job_requires_is_typed_so_that_it_requires_the_same(wanted: dict[str, str | list[str]]) -> None:
    requirement = requirement_of(wanted)
    assert requirement_of(wanted_of_form(typed_of(requirement))) == requirement


def test_a_value_of_several_lines_does_not_become_another_label() -> None:
    typed = typed_of(requirement_of({"site": "berlin\nprinter:zebra"}))
    assert wanted_of_form(typed) == {"site": ["berlin\ufffdprinter:zebra"]}


# On the page


@pytest.mark.gen_test
async def test_a_job_for_one_desk_and_for_labels_is_submitted(browser: Browser, house: House) -> None:
    labels = "site:berlin\r\nsite:bonn\r\n"
    assert (await browser.post("/submit", {"type": "x", "worker": "DESK 1", "labels": labels})).code == 303
    assert (await browser.post("/submit", {"type": "x", "worker": "", "labels": ""})).code == 303
    one, other = await house.kept()
    assert one.terms.requires == (("name", ("DESK 1",)), ("site", ("berlin", "bonn")))
    assert other.terms.requires == ()


def textarea(body: bytes, name: str) -> str:
    area = re.search(rf'<textarea id="{name}"[^>]*>\n(.*?)</textarea>', body.decode(), re.DOTALL)
    assert area
    return html.unescape(area[1])


@pytest.mark.gen_test
async def test_an_error_of_a_label_stands_beside_its_field_and_keeps_what_was_typed(
    browser: Browser, house: House
) -> None:
    labels = '\nsite:"berlin"\n<b>\n'
    response = await browser.post("/submit", {"type": "x", "worker": "D" * 201, "labels": labels, "data": "[1]"})
    assert response.code == 422
    assert error_beside(response.body, "worker") == "must be 1 to 200 characters"
    assert error_beside(response.body, "labels") == f"line 3: {NO_VALUE}"
    assert textarea(response.body, "labels") == labels
    assert b'value="' + b"D" * 201 + b'"' in response.body
    text = html.unescape(response.body.decode())
    assert f'<a href="#labels">Labels</a> line 3: {NO_VALUE}' in text
    assert '<a href="#worker">Worker</a> must be' in text
    assert await house.kept() == []


@pytest.mark.gen_test
async def test_all_that_is_wrong_is_said_at_once(browser: Browser) -> None:
    response = await browser.post("/submit", {"type": "a b", "labels": "x", "data": "{", "priority": "x"})
    for name in ("type", "labels", "data", "priority"):
        assert error_beside(response.body, name)


@pytest.mark.gen_test
async def test_an_earlier_job_fills_in_what_it_required(browser: Browser, house: House) -> None:
    await submit(house, requires=requirement_of({"name": 'DESK "1"', "site": ["berlin", "bonn"]}))
    body = (await browser.get("/submit?like=j")).body
    assert 'name="worker" list="names" value="DESK &quot;1&quot;"' in body.decode()
    assert textarea(body, "labels") == "site:berlin\nsite:bonn"


def offered(body: bytes) -> list[str]:
    [choices] = re.findall(r'<datalist id="names">(.*?)</datalist>', body.decode(), re.DOTALL)
    return re.findall(r'<option value="([^"]*)"></option>', choices)


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/submit", "/jobs"])
async def test_names_of_connected_workers_are_suggested_each_once(browser: Browser, house: House, path: str) -> None:
    for number, name in enumerate(("KIOSK", "DESK", "DESK", "AWAY")):
        await house.register(f"s{number}", "x", name=name)
    house.pages.away("s3", house.clock.monotonic())
    assert offered((await browser.get(path)).body) == ["DESK", "KIOSK"]


@pytest.mark.gen_test
async def test_of_many_workers_so_many_are_suggested(browser: Browser, house: House) -> None:
    for number in range(201):
        house.enlist(f"s{number}", "x", name=f"DESK-{number:03d}")
    assert len(offered((await browser.get("/submit")).body)) == 200
