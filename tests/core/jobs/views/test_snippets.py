"""Where a job's texts have what is searched."""

from __future__ import annotations

import json

import pytest

from dispatcher.core.jobs.keys import key_in_batch, key_of_owner
from dispatcher.core.jobs.views.search import MOST_CHARS, search_of
from dispatcher.core.jobs.views.snippets import Snippet, snippets_of


def _of_data(asked: str, text: str) -> Snippet:
    [found] = snippets_of(search_of(asked), (text, None, None, None, "job-1", None))
    assert found.field == "data"
    return found


def test_each_text_that_has_it_is_named() -> None:
    texts = ('"no label"', '"Paper"', '{"message":"out of paper"}', "paper", "job-1", None)
    found = snippets_of(search_of("paper"), texts)
    assert found == (
        Snippet("result", '"', "Paper", '"'),
        Snippet("error", '{"message":"out of ', "paper", '"}'),
        Snippet("summary", "", "paper", ""),
    )


@pytest.mark.parametrize(
    ("asked", "value", "hit"),
    [
        ("label", "three labels", "labels"),
        ('"for berlin"', "for Rome, for: Berlin", "for: Berlin"),
        ("second", "first\nsecond", "second"),
        ("n", "\n north", "north"),
        ("temp", "C:\\temp", "temp"),
        ("two one", "one or two", "one"),
    ],
)
def test_the_first_hit_stands_there_as_it_came(asked: str, value: str, hit: str) -> None:
    assert _of_data(asked, json.dumps(value)).hit == hit


@pytest.mark.parametrize(("ascii", "hit"), [(True, "M\\u00fcller"), (False, "Müller")])
def test_letters_that_are_written_otherwise_are_found(ascii: bool, hit: str) -> None:
    assert _of_data("MULLER", json.dumps("an Müller", ensure_ascii=ascii)).hit == hit
    assert _of_data("muller", "an Mu\u0308ller").hit == "Mu\u0308ller"
    letter = "\N{MATHEMATICAL BOLD CAPITAL A}"
    assert _of_data(letter, json.dumps(letter)).hit == "\\ud835\\udc00", "two escapes are one letter"


def test_some_40_characters_stand_on_each_side_and_what_is_cut_is_marked() -> None:
    found = _of_data("order", "a" * 60 + " order " + "b" * 60)
    assert found == Snippet("data", "…" + "a" * 39 + " ", "order", " " + "b" * 39 + "…")
    assert _of_data("order", "x order-7") == Snippet("data", "x ", "order", "-7")


def test_a_hit_without_an_end_is_cut() -> None:
    found = _of_data("x", "x" * 500)
    assert (found.before, found.hit, found.after) == ("", "x" * 80 + "…", "")


def test_what_is_found_beyond_its_letters_is_shown_from_its_beginning() -> None:
    """A rare accent parts a word here, and does not where words are compared."""
    rare = "a\N{COMBINING RIGHT ARROW ABOVE}b"
    assert _of_data("ab", f"the vector {rare}") == Snippet("data", "", "", f"the vector {rare}")


def test_a_text_is_searched_as_far_as_a_search_goes() -> None:
    assert snippets_of(search_of("late"), ("x" * MOST_CHARS + " late", None, None, None, "job-1", None)) == ()


def test_what_a_job_is_called_by_is_shown_whole() -> None:
    job_id, key = "01991b2c-7d3e-7000-8000-0000f0747895", key_in_batch(key_of_owner("order 7", "anna"), 3)
    texts = ("1", None, None, None, job_id, key)
    assert snippets_of(search_of("...f0747895"), texts) == (
        Snippet("id", "01991b2c-7d3e-7000-8000-0000", "f0747895", ""),
    )
    assert snippets_of(search_of("01991B2C"), texts) == (Snippet("id", "", "01991b2c", "-7d3e-7000-8000-0000f0747895"),)
    assert snippets_of(search_of("order 7", "anna"), texts) == (Snippet("key", "", "order 7", "\N{MIDDLE DOT}3"),)
