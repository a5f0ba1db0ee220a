"""What jobs of a task are called: a text in the first line of its file, filled from each job's data."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from dispatcher.core.jobs.about import LONGEST_SUMMARY
from handlers.worker.summary import LONGEST_TEMPLATE, SummaryTemplate, template_fault
from handlers.worker.tasks import LISTING_S, TaskDirectory
from tests.support.clock import ManualClock

DATA = {
    "order": 4711,
    "price": 1.5,
    "paid": True,
    "nothing": None,
    "customer": {"name": "Ärger & Co", "tags": ["a", {"b": "deep"}]},
    "lines": "two\nlines",
    "long": "x" * 5_000,
    "odd name": "odd",
    "0": "zero",
}


@pytest.mark.parametrize(
    ("template", "summary"),
    [
        ("order {data.order}", "order 4711"),
        ("{data.order}", "4711"),
        ("{data.customer.name}: {data.price}, {data.paid}", "Ärger & Co: 1.5, true"),
        ("{data.customer.tags.1.b} {data.customer.tags.0} {data.0}", "deep a zero"),
        ("{data.odd name}!", "odd!"),
        ("{data.lines}", "two lines"),
        ("order {data.order} for {data.nobody}", "order 4711 for"),
        ("order {data.nothing}", None),
        ("order {data.customer}", None),
        ("order {data.customer.name.first}{data.order.x}{data.customer.tags.7}{data.customer.tags.x}", None),
        ("always the same", "always the same"),
        ("{data.long}", "x" * LONGEST_SUMMARY),
    ],
)
def test_fields_of_the_data_fill_it_and_what_is_not_there_is_left_out(template: str, summary: str | None) -> None:
    assert template_fault(template) == ""
    assert SummaryTemplate(template).filled(json.dumps(DATA)) == summary


@pytest.mark.parametrize(
    ("data", "summary"),
    [('"a text"', "a text"), ("7", "7"), ('{"n": 1.50}', None), ("null", None), ("[1, 2]", None), (' {"a":1}', None)],
)
def test_data_without_fields_may_be_the_summary(data: str, summary: str | None) -> None:
    assert SummaryTemplate("{data}").filled(data) == summary


def test_numbers_stay_as_they_were_written() -> None:
    data = '{"n" : 1.50, "big": 123456789012345678901234567890, "n": 2.50}'
    assert SummaryTemplate("{data.n} {data.big}").filled(data) == "2.50 123456789012345678901234567890"


@pytest.mark.parametrize(
    "data",
    [
        "{" + ",".join(f'"f{number}":1' for number in range(50_000)) + "}",
        "[" + ",".join(["1"] * 200_000) + "]",
        '{"0":{"7":[' + ",".join(["1"] * 200_000) + "]}}",
    ],
    ids=["fields", "items", "items within"],
)
def test_what_no_place_names_is_not_kept_however_much_there_is(data: str) -> None:
    template = SummaryTemplate("{data.f7} {data.0} {data.7} {data.0.7.3} {data.0.7.99}")
    tracemalloc.start()
    try:
        assert template.filled(data) in ("1", "1 1", "1 1 1")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * len(data), "some copies of the text, and nothing for each field"


@pytest.mark.parametrize(
    ("template", "summary"),
    [("{data.0} {data.99}", "0 99"), ("{data.7} {data.07}", "7 7"), ("{data.100}", None), ("{data.-1}", None)],
)
def test_a_place_names_one_of_the_first_hundred_items(template: str, summary: str | None) -> None:
    assert SummaryTemplate(template).filled(json.dumps(list(range(200)))) == summary


@pytest.mark.parametrize("name", ['a "name"', "back\\slash", "\u2028", "\x01", "größe", "self"])
def test_a_field_may_have_any_name(name: str) -> None:
    data = json.dumps({"other": 1, name: "found", "last": 2})
    assert SummaryTemplate(f"{{data.{name}}} {{data.last}}").filled(data) == "found 2"


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("order {order}", "has {order} in it, which names no field: write {data.order}"),
        ("{data.}", "has {data.} in it, which names no field: write {data.order}"),
        ("{}", "has {} in it, which names no field: write {data.order}"),
        ("{database}", "has {database} in it, which names no field: write {data.order}"),
        ("{data" + ".a" * 11 + "}", "has {data" + ".a" * 11 + "} in it, which names no field: write {data.order}"),
        ("order {data.order", "has a { or a } too many: write {data.order} where a field of the data belongs"),
        ("order data.order}", "has a { or a } too many: write {data.order} where a field of the data belongs"),
        ("{{data.order}}", "has a { or a } too many: write {data.order} where a field of the data belongs"),
        ("{data.a}" * 11, "has 11 fields of the data; at most 10 go"),
        ("", "must be a text for people"),
        (" \t", "must be a text for people"),
    ],
)
def test_a_text_that_would_not_do_is_told_in_words(template: str, fault: str) -> None:
    assert template_fault(template) == fault


def task(directory: Path, name: str, head: str) -> None:
    (directory / f"{name}.js").write_text(f"// pagehand: {head}\n", "utf-8")


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ('{"summary": "order {order}"}', "summary has {order} in it, which names no field: write {data.order}"),
        ('{"summary": 7}', f"summary must be a text of at most {LONGEST_TEMPLATE} characters"),
        (
            json.dumps({"summary": "x" * (LONGEST_TEMPLATE + 1)}),
            f"summary must be a text of at most {LONGEST_TEMPLATE} characters",
        ),
        ('{"sumary": "order"}', "sumary means nothing there; did you mean summary?"),
    ],
)
@pytest.mark.expect_log("its first line is not understood")
def test_the_first_line_of_a_file_with_such_a_text_is_named(tmp_path: Path, head: str, why: str) -> None:
    task(tmp_path, "print", head)
    tasks = TaskDirectory(tmp_path)
    assert [fault.why for fault in tasks.faults()] == [f"its first line is not understood: {why}"]
    assert tasks.names() == ["print"], "its jobs run all the same"
    assert tasks.summaries() == {}


def test_a_changed_file_gives_new_jobs_its_summary_within_a_second(tmp_path: Path) -> None:
    clock = ManualClock()
    tasks = TaskDirectory(tmp_path, clock=clock)
    assert tasks.summaries() == {}
    task(tmp_path, "print", '{"summary": "order {data}"}')
    clock.advance(LISTING_S)
    assert tasks.summaries()["print"].filled("7") == "order 7"
    (tmp_path / "print.js").unlink()
    tmp_path.rmdir()
    clock.advance(LISTING_S)
    assert tasks.summaries()["print"].filled("8") == "order 8", "a directory that has gone refuses no job"
