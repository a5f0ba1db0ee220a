"""Text for terminals and pipes: nothing that a job or a worker said moves a cursor, and JSON stays the same JSON."""

from __future__ import annotations

import json

import pytest

from dispatcher.sdk.cli.text import aligned, indented, json_fit, painted, plain
from dispatcher.sdk.cli.verb import limit, seconds


def test_what_is_no_letter_is_marked() -> None:
    assert plain("a\x1b[2J\r\nü\u202e\x9b") == r"a\x1b[2J\r\nü\u202e\x9b"


@pytest.mark.parametrize(
    ("encoding", "terminal", "shown"),
    [
        ("utf-8", False, "ü\u202e日😀\x7f"),
        ("UTF8", True, "ü\\u202e日😀\\u007f"),
        ("ascii", True, "\\u00fc\\u202e\\u65e5\\ud83d\\ude00\\u007f"),
        ("cp1252", True, "ü\\u202e\\u65e5\\ud83d\\ude00\\u007f"),
        ("cp1252", False, "\\u00fc\\u202e\\u65e5\\ud83d\\ude00\\u007f"),
    ],
)
def test_json_that_a_stream_cannot_carry_is_escaped_and_means_the_same(
    encoding: str, terminal: bool, shown: str
) -> None:
    text = '["ü\u202e日😀\x7f"]'
    fit = json_fit(text, encoding, terminal=terminal)
    assert (fit, json.loads(fit)) == (f'["{shown}"]', json.loads(text))
    fit.encode(encoding)


def test_half_a_character_is_carried_too() -> None:
    assert json_fit('"\ud800"', "utf-8", terminal=False) == '"\\ud800"'


@pytest.mark.parametrize("value", [[], {}, 1, "a", {"a": [1, {"b": []}, ""], "c{": "},]:"}, [[], {}, [[1]]], None])
def test_json_over_several_lines_is_what_python_writes(value: object) -> None:
    assert indented(json.dumps(value)) == json.dumps(value, indent=2)


def test_numbers_stay_as_they_were_written() -> None:
    assert indented("[1.10,1e400,-0]") == "[\n  1.10,\n  1e400,\n  -0\n]"


def test_a_table_is_as_wide_as_its_first_rows_and_is_cut_to_the_terminal() -> None:
    rows = [("a", "bbb"), ("cc", "d\n")]
    assert list(aligned(("ID", "X"), rows, None)) == ["ID  X", "a   bbb", "cc  d\\n"]
    assert list(aligned(("ID", "X"), rows, 6)) == ["ID  X", "a   b~", "cc  d~"]
    assert list(aligned(("ID",), [], None)) == ["ID"]


def test_states_alone_have_a_colour() -> None:
    assert painted("x  failed  not-failed failed.js") == "x  \x1b[31mfailed\x1b[0m  not-failed failed.js"


@pytest.mark.parametrize(("typed", "found"), [("90", 90), ("1.5m", 90), ("2h", 7200), ("7d", 604800), (".5s", 0.5)])
def test_a_time_has_a_unit_or_is_in_seconds(typed: str, found: float) -> None:
    assert seconds(typed) == limit(typed) == found


@pytest.mark.parametrize("typed", ["", "s", "-1", "1w", "inf", "nan", "1e3", "forever"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(Exception, match="is no time"):
        seconds(typed)
