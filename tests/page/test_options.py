"""Options of Pagehand.start that there are not: each is named, and the page works."""

from __future__ import annotations

import pytest

from .harness import REGISTERED, Page


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Slots": 2}, "Slots (did you mean slots?)"),
        ({"nmae": "DESK"}, "nmae (there are url, types, name, slots, token, join, labels, versions, credentials,"),
    ],
)
def test_an_option_that_is_unknown_is_named_and_the_page_works(given: dict[str, object], words: str) -> None:
    page = Page(options=given).load()
    page.open()
    page.push(REGISTERED)
    error = page.status()["error"]
    assert error["code"] == "E-OPT-01"
    assert error["detail"].startswith(words)
    assert page.state == "ready"


def test_of_options_that_there_are_nothing_is_said() -> None:
    page = Page(options={"name": "DESK", "slots": 2, "labels": {"a": "b"}, "url": ""}).load()
    page.open()
    page.push(REGISTERED)
    assert page.error is None
