"""static/address.js: what the address of a worker page asks for, and what in it is unknown or wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import STATIC, bare_engine, speak


def read(search: str, hash_: str = "") -> dict[str, Any]:
    js = bare_engine()
    speak(js)
    js.eval((STATIC / "address.js").read_text(encoding="utf-8"))
    return dict(json.loads(js.eval(f"JSON.stringify(pagehandAddress({json.dumps(search)}, {json.dumps(hash_)}))")))


def test_a_good_address_is_taken_as_it_is() -> None:
    found = read("?types=a,b+c&name=FRONT%2DDESK&slots=64&labels=site:berlin&transport=polling", "#token=Ab+/c==")
    assert found == {
        "types": ["a", "b", "c"],
        "name": "FRONT-DESK",
        "slots": 64,
        "labels": "site:berlin",
        "transport": "polling",
        "bad": [],
    }
    plain = {"types": [], "name": "", "slots": 1, "labels": "", "transport": "auto", "bad": []}
    assert read("") == plain


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("?type=echo", '"type" is not a parameter (did you mean types?)'),
        ("?Slots=2", '"Slots" is not a parameter (did you mean slots?)'),
        ("?colour=red", '"colour" is not a parameter (there are types, name, slots, labels, transport and lang)'),
        (
            "?constructor=1",
            '"constructor" is not a parameter (there are types, name, slots, labels, transport and lang)',
        ),
        ("?websocket", '"websocket" is not a parameter (did you mean transport?)'),
        ("?again", '"again" is not a parameter (there are types, name, slots, labels, transport and lang)'),
        ("?name=A&name=B", "name stands there twice, and the first one is taken"),
        ("?name=100%", "name has a % that is not written as %25"),
        ("?name=" + "x" * 101, "name has more than 100 characters and is cut"),
    ],
)
def test_an_unknown_or_wrong_part_is_named(search: str, words: str) -> None:
    assert read(search)["bad"] == [words]


@pytest.mark.parametrize("value", ["65", "0", "-1", "2.5", "many", "", "1e1", "0x10"])
def test_slots_that_are_no_such_number_are_one_and_said(value: str) -> None:
    found = read(f"?slots={value}")
    assert (found["slots"], found["bad"]) == (1, ["slots is a whole number from 1 to 64, so 1 is taken"])


@pytest.mark.parametrize("value", ["Polling", "ws", "", "long-polling"])
def test_a_transport_that_is_none_is_auto_and_said(value: str) -> None:
    found = read(f"?transport={value}")
    words = "transport is auto, polling or websocket, so auto is taken"
    assert (found["transport"], found["bad"]) == ("auto", [words])


def test_what_may_be_a_secret_is_not_shown() -> None:
    said = " ".join(read("?c2VjcmV0LXRva2Vu9=x&tokn=s3cret", "#s3cret")["bad"])
    assert "one of the names is not a parameter" in said
    assert "what stands behind # does not begin with token= or join=" in said
    assert "s3cret" not in said
    assert "c2Vjcm" not in said
