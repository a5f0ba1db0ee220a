"""The words of the worker page's states: each is known by telephone, and none is six letters that say something."""

from __future__ import annotations

import re

import pytest

from handlers.phone.catalogue import TROUBLES
from handlers.phone.spoken import BadCode, read
from handlers.phone.states import STATES, state_of
from tests.support.places import ROOT

STATIC = ROOT / "static"


def test_each_large_word_of_the_page_is_known_in_both_languages() -> None:
    catalogue = (STATIC / "words.js").read_text(encoding="utf-8")
    words = re.findall(r"^  \['([^']+)', '([^']+)'\],$", catalogue.split("// what stands in the page")[0], re.M)
    page = (STATIC / "worker.html").read_text(encoding="utf-8")
    no_script = re.search(r"<noscript>([A-Z ]+) / ([A-Z ]+)</noscript>", page)
    assert no_script is not None
    assert {(state.english, state.german) for state in STATES} == {*words, no_script.groups()}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.english)
def test_a_word_is_known_however_it_was_typed_and_is_no_code(state):
    for word in (state.english, state.german):
        assert state_of(f" {word.lower().replace(' ', '-')} ") is state
        with pytest.raises(BadCode):
            read(word)
    assert state.code in ("", *(trouble.code for trouble in TROUBLES))


@pytest.mark.parametrize(
    ("typed", "english"),
    [
        ("maintenance", "SERVER MAINTENANCE"), ("Wartung", "SERVER MAINTENANCE"), ("erlaubt", "NOT ALLOWED"),
        ("javascript", "NO JAVASCRIPT"), ("verbindet", "CONNECTING"), ("Haengt", "STUCK"), ("hangt", "STUCK"),
        ("ha\u0308ngt", "STUCK"),
    ],
)  # fmt: skip
def test_one_word_of_several_is_enough_and_an_umlaut_may_be_typed_otherwise(typed: str, english: str) -> None:
    state = state_of(typed)
    assert state is not None
    assert state.english == english


@pytest.mark.parametrize("typed", ["", "K7F-42Q", "E-NET-12", "READ", "1", "no", "of", "neu", "ZU"])
def test_nothing_else_is_taken_for_one(typed: str) -> None:
    assert state_of(typed) is None
