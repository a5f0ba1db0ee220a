"""What a text asks for in a search, and which JSON texts have it."""

from __future__ import annotations

import json

import pytest

from dispatcher.core.jobs.keys import key_in_batch, key_of_owner
from dispatcher.core.jobs.views.search import LONGEST_SEARCH, MOST_CHARS, MOST_WORDS, has_text, hits, search_of
from dispatcher.errors import BadParameter


def _finds(asked: str, *texts: str | None) -> bool:
    return has_text(search_of(asked).phrases, texts)


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("label", "Labels for Berlin"),
        ("berlin label", "labels for Berlin"),
        ("DESK-1", {"to": "desk-17"}),
        ("ord", {"order_id": 1}),
        ('"for berlin"', "labels for Berlin"),
        ('"for berlin', "labels for Berlin"),
        ("muller strasse", "Müller, Große Straße"),
        ("MÜLLER", "muller"),
        ("second", "first\nsecond"),
        ("C:\\temp", "C:\\Temp\\x"),
        ("\N{MATHEMATICAL BOLD CAPITAL A}", "\N{MATHEMATICAL BOLD CAPITAL A}"),
        ("NEAR OR * -x (", "near or x"),
    ],
)
def test_a_search_finds_words_that_begin_like_its_own_and_phrases_as_they_are(asked: str, value: object) -> None:
    assert _finds(asked, json.dumps(value))
    assert _finds(asked, json.dumps(value, ensure_ascii=False))


@pytest.mark.parametrize(
    ("asked", "texts"),
    [
        ("abel", ('"label"',)),
        ('"label"', ('"labels"',)),
        ('"berlin for"', ('"for berlin"',)),
        ("one two", ('"one"', '"two"')),
        ("nothing", (None, "1")),
        ("n", ('"\\n"',)),
        ("ud800", ('"\\ud800"',)),
        ("late", (json.dumps("x" * MOST_CHARS + " late"),)),
    ],
)
def test_a_search_does_not_find_what_is_not_there(asked: str, texts: tuple[str | None, ...]) -> None:
    assert not _finds(asked, *texts)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("", "q has no letter and no digit"),
        ('"" - *', "q has no letter and no digit"),
        ("x" * (LONGEST_SEARCH + 1), "at most 200 go: leave out words"),
        (" ".join(map(str, range(MOST_WORDS + 1))), "q has 11 words; at most 10 go"),
    ],
)
def test_a_search_for_nothing_or_for_too_much_is_refused_in_words(asked: str, words: str) -> None:
    with pytest.raises(BadParameter, match=words) as refused:
        search_of(asked)
    assert refused.value.parameter == "q"


JOB = "01991b2c-7d3e-7000-8000-0000f0747895"


@pytest.mark.parametrize(
    "asked",
    [
        JOB, JOB.upper(), "01991b2c", "01991B2C-7d3e", "01991b2c-7d3e-7000-8000-0000f074789", "f0747895",
        "0000f0747895", "8000-0000f0747895", "...f0747895", "\N{HORIZONTAL ELLIPSIS}f0747895", " f0747895 ",
        "01991b2c...",
    ],
)  # fmt: skip
def test_an_id_is_found_by_eight_of_its_first_or_last_digits(asked: str) -> None:
    assert [*hits(search_of(asked), ("1", None, None, None, JOB, None))] == [("id", JOB)]


@pytest.mark.parametrize(
    "asked", ["1991b2c7", "0747895", "01991b2", "f0747896", "01991b2c f0747895", "-f0747895", "01991b2x"]
)
def test_no_id_is_found_by_fewer_digits_or_by_others(asked: str) -> None:
    assert not [*hits(search_of(asked), ("1", None, None, None, JOB, None))]


def test_any_id_is_found_whole() -> None:
    assert [*hits(search_of("Order-7"), ("1", None, None, None, "order-7", None))] == [("id", "order-7")]


@pytest.mark.parametrize(
    ("asked", "kept", "owner"),
    [
        ("order 7", "order 7", None),
        ("order 7", key_in_batch("order 7", 3), None),
        ("order 7", "order 7", "anna"),
        ("order 7", key_in_batch(key_of_owner("order 7", "anna"), 3), "anna"),
    ],
)
def test_a_key_is_found_whole(asked: str, kept: str, owner: str | None) -> None:
    assert [*hits(search_of(asked, owner), ("1", None, None, None, "x", kept))] == [("key", kept)]


def test_no_key_is_found_by_a_part_of_it_or_for_another_owner() -> None:
    assert not [*hits(search_of("order"), ("1", None, None, None, "x", "order 7"))]
    theirs = key_of_owner("order 7", "bob")
    assert not [*hits(search_of("order 7", "anna"), ("1", None, None, None, "x", theirs))]
