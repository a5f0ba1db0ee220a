"""What a job carries for people and programs: which tags, summaries and traces there are."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher.core.jobs.about import (
    LONGEST_SUMMARY,
    LONGEST_TAG,
    MOST_TAGS,
    NOTHING_SAID,
    About,
    Said,
    once_each,
    summary_of,
    traceparent_of,
)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize(
    "tags", [[], ["a"], ["Ärger & Co", "customer:4711", "\U0001f600" * LONGEST_TAG], ["x"] * MOST_TAGS]
)
def test_tags_may_be_any_short_texts_of_one_line(tags: list[str]) -> None:
    assert msgspec.convert({"tags": tags}, Said).tags == tuple(tags)


@pytest.mark.parametrize(
    "tag",
    ["", " a", "a ", "a\n", "a\tb", "\0", "a\x7fb", "a\x85b", "a\u2028b", "\u00a0a", "x" * (LONGEST_TAG + 1), 7, None],
)
def test_a_tag_that_nobody_could_see_or_ask_for_is_refused(tag: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"tags": ["good", tag]}, Said)


def test_there_are_only_so_many_tags() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"tags": [str(n) for n in range(MOST_TAGS + 1)]}, Said)


def test_a_tag_that_is_given_twice_counts_once_where_it_stood_first() -> None:
    assert once_each(("b", "a", "b", "A")) == ("b", "a", "A")


@pytest.mark.parametrize("summary", ["", "two\nlines", " order", "x" * (LONGEST_SUMMARY + 1), 4711])
def test_a_summary_is_one_line_for_people(summary: object) -> None:
    assert msgspec.convert({"summary": "order 4711"}, Said).summary == "order 4711"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"summary": summary}, Said)


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("order 4711", "order 4711"),
        ("  two\r\n\tlines\u2028and a \0 sign\x9f ", "two lines and a sign"),
        ("x" * 500, "x" * LONGEST_SUMMARY),
        (f"{'x' * (LONGEST_SUMMARY - 1)} y", "x" * (LONGEST_SUMMARY - 1)),
        (" \n\0", None),
        ("", None),
    ],
)
def test_any_text_becomes_a_summary_of_one_line_or_none(text: str, summary: str | None) -> None:
    assert summary_of(text) == summary
    assert msgspec.convert({"summary": summary}, Said).summary == summary, "a body may say it, too"


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (TRACEPARENT, TRACEPARENT),
        (f" {TRACEPARENT}\t", TRACEPARENT),
        (f"00-{TRACE}-{PARENT}-ff", f"00-{TRACE}-{PARENT}-ff"),
        (f"cc-{TRACE}-{PARENT}-01", TRACEPARENT),
        (f"cc-{TRACE}-{PARENT}-03-more", TRACEPARENT),
        (f"cc-{TRACE}-{PARENT}-02", f"00-{TRACE}-{PARENT}-00"),
    ],
    ids=["plain", "blanks", "flags", "a newer version", "a newer version with more", "flags that are not known"],
)
def test_a_trace_is_kept_in_the_form_of_the_version_that_is_known(header: str, kept: str) -> None:
    assert traceparent_of(header) == kept


@pytest.mark.parametrize(
    "header",
    [
        "",
        "x",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-01-more",
        f"cc-{TRACE}-{PARENT}-01more",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        TRACEPARENT.upper(),
        f"{TRACEPARENT}, {TRACEPARENT}",
        f"{TRACEPARENT}\n",
        TRACEPARENT.replace("0af7", "\u0660af7"),
    ],
)
def test_what_is_no_trace_is_ignored(header: str) -> None:
    assert traceparent_of(header) is None


def test_a_job_of_which_nothing_was_said_carries_nothing() -> None:
    assert NOTHING_SAID == About() == About(tags=(), summary=None, traceparent=None, owner=None)
    assert msgspec.json.encode(NOTHING_SAID) == b"{}"
