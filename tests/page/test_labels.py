"""The labels of a page: which are sent, and what a person is told about the others."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import REGISTERED, Page

NAME = "a name has 1 to 50 letters, digits, dots, - and _"
VALUE = "a value is a text of 1 to 200 characters"


def told(labels: Any) -> tuple[dict[str, str], list[str], str | None]:
    """What is sent, what is shown as not sent, and the code of the error."""
    page = Page(options={"labels": labels}).load()
    sent = page.open()["labels"]
    status = page.status()
    assert status["labels"] == status["sentLabels"] == sent
    return sent, status["badLabels"], page.error


@pytest.mark.parametrize(
    ("labels", "sent"),
    [
        ({}, {}),
        (None, {}),
        ("", {}),
        ({"site": "berlin", "a.B-9_": "x"}, {"site": "berlin", "a.B-9_": "x"}),
        ("site:berlin,printer:zebra", {"site": "berlin", "printer": "zebra"}),
        (" site : berlin , ,printer:a b:c,", {"site": "berlin", "printer": "a b:c"}),
        ({"x" * 50: "y" * 200}, {"x" * 50: "y" * 200}),
        ({"faces": "\U0001f600" * 200}, {"faces": "\U0001f600" * 200}),
        ("__proto__:x,constructor:y", {"__proto__": "x", "constructor": "y"}),
        ({f"n{number}": "x" for number in range(20)}, {f"n{number}": "x" for number in range(20)}),
    ],
)
def test_labels_are_sent_with_register(labels: Any, sent: dict[str, str]) -> None:
    assert told(labels) == (sent, [], None)


@pytest.mark.parametrize(
    ("labels", "sent", "bad"),
    [
        ({"two words": "x", "site": "berlin"}, {"site": "berlin"}, [f'"two words" ({NAME})']),
        ({"": "x"}, {}, [f'"" ({NAME})']),
        ({"x" * 51: "y"}, {}, [f'"{"x" * 50}" ({NAME})']),
        ("sit\u00e9:berlin", {}, [f'"sit\u00e9" ({NAME})']),
        ("site,printer:zebra", {"printer": "zebra"}, [f'"site" ({VALUE})']),
        ({"site": ""}, {}, [f'"site" ({VALUE})']),
        ({"site": "y" * 201}, {}, [f'"site" ({VALUE})']),
        ({"site": "\U0001f600" * 201}, {}, [f'"site" ({VALUE})']),
        ({"floor": 2, "wing": None, "room": {}}, {}, [f'"{name}" ({VALUE})' for name in ("floor", "wing", "room")]),
        ("name:DESK,site:berlin", {"site": "berlin"}, ['"name" (the name of a page is not one of its labels)']),
        ("site:berlin,site:paris", {"site": "berlin"}, ['"site" (it is given twice)']),
        (["site:berlin"], {}, [f'"site:berlin" ({NAME})']),
        (7, {}, [f'"7" ({NAME})']),
        (
            {f"n{number}": "x" for number in range(22)},
            {f"n{number}": "x" for number in range(20)},
            ['"n20" (a page has at most 20)', '"n21" (a page has at most 20)'],
        ),
    ],
)
def test_a_label_that_is_wrong_is_told_of_and_not_sent(labels: Any, sent: dict[str, str], bad: list[str]) -> None:
    assert told(labels) == (sent, bad, "E-LBL-01")


def test_the_log_names_every_label_that_is_not_sent() -> None:
    page = Page(options={"labels": "a b:1,c d:2"}).load()
    said = [event["text"] for event in page.status()["events"]]
    assert said == [
        f'E-LBL-01 A label of this page is wrong and is not sent. ("{name}" ({NAME}))' for name in ("a b", "c d")
    ]


def test_the_page_shows_the_labels_that_count_as_soon_as_the_server_says_them() -> None:
    page = Page(options={"labels": {"site": "berlin"}}).load()
    page.open()
    page.push({**REGISTERED, "labels": {"printer": "zebra", "site": "bonn", "__proto__": "x"}})
    status = page.status()
    assert status["labels"] == {"printer": "zebra", "site": "bonn", "__proto__": "x"}
    assert status["sentLabels"] == {"site": "berlin"}
    page.push({**REGISTERED, "labels": {"site": "berlin"}})
    assert page.status()["labels"] == {"site": "berlin"}


@pytest.mark.parametrize("labels", [None, "site:bonn", 5])
def test_a_server_that_says_no_labels_leaves_the_page_its_own(labels: Any) -> None:
    page = Page(options={"labels": {"site": "berlin"}}).load()
    page.open()
    page.push({**REGISTERED, "labels": labels})
    assert (page.state, page.status()["labels"]) == ("ready", {"site": "berlin"})
