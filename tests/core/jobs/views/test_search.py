"""What a text asks for in a search, and which JSON texts have it."""

from __future__ import annotations

import json

import pytest

from dispatcher.core.jobs.views.search import LONGEST_SEARCH, MOST_CHARS, MOST_WORDS, has_text, search_of
from dispatcher.errors import BadParameter


def _finds(asked: str, *texts: str | None) -> bool:
    return has_text(search_of(asked), texts)


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
