"""What is no JSON is refused before anything is sent, with its path; what is JSON goes as it is."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from dispatcher.sdk.client.encoding import encode_job, join_jobs

DEEP: list[Any] = []
DEEP.append({"again": DEEP})


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({"at": datetime.date(2026, 1, 1)}, TypeError, r"data\.at is a date, which JSON does not have"),
        ([1, {"a b": {2}}], TypeError, r"data\[1\]\['a b'\] is a set"),
        ({"a": (0, b"x")}, TypeError, r"data\.a\[1\] is a bytes"),
        ({"a": {(1, 2): 3}}, TypeError, r"data\.a has a key of the type tuple: keys are texts"),
        ([float("nan")], ValueError, r"data\[0\] is nan, which JSON does not have: use None"),
        (float("-inf"), ValueError, r"data is -inf"),
        ({"name": "x\ud83d"}, ValueError, r"data\.name is a text with half a character"),
        (DEEP, ValueError, "contains itself"),
    ],
)
def test_what_is_no_json_is_named_with_its_path(data: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as error:
        encode_job("echo", data, {})
    assert type(error.value) is kind


def test_options_are_checked_as_data_is() -> None:
    with pytest.raises(TypeError, match=r"requires\.site is a set"):
        encode_job("echo", None, {"requires": {"site": {"berlin"}}})


def test_big_numbers_and_all_letters_go_as_they_are_and_what_is_none_is_left_out() -> None:
    data = {"n": 10**100, "text": "Müller 😀\u0000", "list": (1, 2)}
    body = encode_job("echo", data, {"priority": 0, "delay_s": None})
    assert json.loads(body) == {"type": "echo", "data": {**data, "list": [1, 2]}, "priority": 0}
    assert "Müller 😀".encode() in body
    assert json.loads(join_jobs([body, body])) == [json.loads(body)] * 2
