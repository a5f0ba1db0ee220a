"""The terms of a job: the words for their ranges, and what follows from them."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.terms import (
    LABEL_WORDS,
    NO_DEFAULTS,
    TYPE_WORDS,
    VALUE_WORDS,
    Range,
    Schedule,
    Terms,
    TypeDefaults,
    range_of,
    range_words,
)
from tests.support.places import ROOT


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("priority", "must be a whole number from -1000 to 1000"),
        ("timeout_s", "must be a number of seconds from 1 to 86400"),
        ("heartbeat_s", "must be a number of seconds from 0.1 to 86400"),
        ("expires_s", "must be a number of seconds from 0.1 to 31536000"),
        ("effects", "must be repeat or once"),
        (
            "requires",
            "must be an object of at most 20 labels (1 to 50 characters of A-Z, a-z, 0-9, '.', '_' and '-'), "
            "each with a text or a list of 1 to 20 texts of 1 to 200 characters",
        ),
    ],
)
def test_a_range_is_said_in_words_that_follow_the_fields_name(name: str, words: str) -> None:
    assert range_words(name) == words


def test_every_field_has_a_range_that_holds_its_default() -> None:
    for value in (Terms(), Schedule()):
        for name in value.__struct_fields__:
            allowed, default = range_of(name), getattr(value, name)
            assert isinstance(allowed, Range)
            if default is not None and not allowed.words:
                assert default in allowed.choices or allowed.low <= default <= allowed.high


@pytest.mark.parametrize("words", [TYPE_WORDS, LABEL_WORDS, VALUE_WORDS])
def test_the_words_of_a_range_stand_in_its_own_file_alone(words: str) -> None:
    """The sdk has its own: it stands alone."""
    own = ROOT / "dispatcher" / "core" / "jobs" / "terms.py"
    files = [
        file for top in ("dispatcher", "handlers") for file in (ROOT / top).rglob("*.py") if "sdk" not in file.parts
    ]
    assert own in files
    assert [file for file in files if file != own and words in file.read_text()] == []


def test_effects_once_say_so() -> None:
    assert [Terms(effects=effects).once for effects in ("repeat", "once")] == [False, True]


def test_what_a_type_has_no_default_for_is_that_of_the_server() -> None:
    server = Terms(timeout_s=120.0, max_attempts=5)
    defaults = TypeDefaults(priority=7, max_attempts=1)
    assert defaults.given() == {"priority": 7, "max_attempts": 1}
    assert defaults.over(server) == Terms(priority=7, timeout_s=120.0, max_attempts=1)
    assert NO_DEFAULTS.over(server) == server
