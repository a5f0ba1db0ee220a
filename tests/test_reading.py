"""What is wrong with a text from outside, in words: where it is, and what to do."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from dispatcher.reading import field_of, json_fault, query_field_of, text_of

HALF = "is half a character (half a surrogate pair): send both halves, or leave it out"
NUMBER = "a number is written as in 12, -0.5 or 1e6"
NAME = "a field's name stands in quotation marks: \""
BACKSLASH = "a backslash itself is written as \\\\"


def fault(raw: bytes, kind: object = Raw) -> str:
    """The words for what msgspec refuses."""
    with pytest.raises((msgspec.DecodeError, RecursionError)) as caught:
        msgspec.json.decode(raw, type=kind)
    return json_fault(raw, caught.value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "it is empty"),
        (b" \r\n", "it is empty"),
        (b"[" * 100_000, "it is nested too deeply (at most 500 levels)"),
        (b'{"a":\n {"b": NaN}}', "line 2, column 8: there is no NaN in JSON: send null, or a text"),
        (b"[1, -Infinity]", "line 1, column 5: there is no -Infinity in JSON: send null, or a text"),
        (b"[True]", "line 1, column 2: JSON writes True as true"),
        (b"[None]", "line 1, column 2: JSON writes None as null"),
        (b"[tru]", 'line 1, column 2: tru stands without quotation marks: a text is written as "tru"'),
        (b'"a\nb"', "line 1, column 3: a text may not hold a line break, write it as \\n"),
        (b'"\tb"', "line 1, column 2: a text may not hold a tab, write it as \\t"),
        (b'"\x01"', "line 1, column 2: a text may not hold the raw character U+0001"),
        (b'["x", "\\ud800"]', f"line 1, column 8: \\ud800 {HALF}"),
        (b'"\\\\ud83d \\uD83Dx"', f"line 1, column 10: \\uD83D {HALF}"),
        (b'"\\ud800 and more"', f"line 1, column 2: \\ud800 {HALF}"),
        (b'"\\ud800\\n      "', f"line 1, column 2: \\ud800 {HALF}"),
        (b'"\\ud800\\u0041"', f"line 1, column 2: \\ud800 {HALF}"),
        (b'"\\udc00"', f"line 1, column 2: \\udc00 {HALF}"),
        (b'"C:\\Users"', f"line 1, column 4: \\U means nothing in JSON: {BACKSLASH}"),
        (b'"C:\\users"', f"line 1, column 4: \\u needs four digits of 0-9 a-f after it; {BACKSLASH}"),
        ('"\\ü"'.encode(), f"line 1, column 2: \\ü means nothing in JSON: {BACKSLASH}"),
        (b'{"a": 1,}', "line 1, column 9: nothing follows the comma before this: leave the comma out"),
        (b"[1,]", "line 1, column 4: nothing follows the comma before this: leave the comma out"),
        (b"[1,,2]", "line 1, column 4: a value is missing here, or a comma is too many"),
        (b"{'a': 1}", f"line 1, column 2: {NAME}"),
        (b"{a: 1}", f"line 1, column 2: {NAME}"),
        (b"['a']", "line 1, column 2: ' is no quotation mark in JSON: write \""),
        ('["ü", “b”]'.encode(), "line 1, column 7: “ (U+201C) may stand in a text alone"),
        (b"{// why\n}", "line 1, column 2: there are no comments in JSON"),
        (b"[01]", f"line 1, column 3: {NUMBER}"),
        (b"[.5]", f"line 1, column 2: {NUMBER}"),
        (b"-", f"line 1, column 2: {NUMBER}"),
        (b'{"a" 1}', "line 1, column 6: a colon is missing after a field's name"),
        (b'{"a": 1\n"b": 2}', "line 2, column 1: a comma or a closing brace is missing before this"),
        (b"[1 2]", "line 1, column 4: a comma or a closing bracket is missing before this"),
        ('"ü" ü'.encode(), "line 1, column 5: there is something after the end of the value"),
        (b'{"a": [1', "line 1, column 9: it ends too early: something is still open, a text, a bracket or a brace"),
    ],
)
def test_what_is_not_json_is_named_with_its_place_and_with_what_to_do(raw: bytes, words: str) -> None:
    assert fault(raw) == words


def test_a_decimal_comma_in_an_object_is_told_about_the_point() -> None:
    assert fault(b'{"a": 1,5}') == (
        "line 1, column 9: a field's name is expected here, in quotation marks; "
        "a decimal fraction is written with a point"
    )


@pytest.mark.parametrize("kind", [Raw, dict[str, Raw], object])
def test_the_words_are_the_same_for_what_the_server_reads_and_for_what_it_keeps(kind: object) -> None:
    for raw in (b'{"a": "\\ud800"}', b'{"a": "\\ud800 and more"}', b'{"a": "C:\\Users"}', b"{'a': 1}", b'{"a": NaN}'):
        assert fault(raw, kind) == fault(raw)


def test_the_lines_of_a_part_are_counted_from_where_it_begins() -> None:
    assert json_fault(b"\n ?", msgspec.DecodeError("x (byte 2)"), first_line=7).startswith("line 8, column 2: ")


@given(st.binary(max_size=30).map(lambda raw: raw.decode("utf-8", "ignore").encode()))
def test_there_are_words_for_everything_that_is_refused(raw: bytes) -> None:
    words = ""
    try:
        msgspec.json.decode(raw, type=Raw)
    except msgspec.DecodeError as error:
        words = json_fault(raw, error)
    assert len(words) < 250


def test_the_words_for_a_megabyte_are_found_soon() -> None:
    for raw in (b"[" * 100, b'"' + b"\\\\" * 500_000, b'"' + b"\\ud83d\\ude00" * 80_000, b"\n" * 1_000_000 + b"x"):
        began = time.process_time()
        fault(raw)
        assert time.process_time() - began < 0.5


@pytest.mark.parametrize("raw", [b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}'])
def test_a_byte_order_mark_of_utf_8_is_no_part_of_the_text(raw: bytes) -> None:
    assert text_of(raw) == '{"a": 1}'


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_utf_16_and_32_are_named_with_and_without_a_mark(encoding: str) -> None:
    with pytest.raises(ValueError, match=f"^is in {encoding[:6].upper()}, not in UTF-8$"):
        text_of('{"a": 1}'.encode(encoding))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("x\nMüller".encode("cp1252"), r"line 2, column 2 has the byte 0xFC, ü in Windows-1252 and Latin-1"),
        ("ü €".encode()[:-1] + b"x", "line 1, column 3 has the byte 0xE2"),
        (b"ab\x81", r"line 1, column 3 has the byte 0x81\)"),
        (b"\x1f\x8b\x08\0", r"^is compressed \(gzip\), not UTF-8$"),
    ],
)
def test_a_byte_that_is_not_utf_8_is_named_with_its_place_and_what_was_meant(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        text_of(raw)


def test_a_field_may_begin_with_any_character() -> None:
    assert field_of(b"\0a") == "\0a"
    assert query_field_of(b"\0a") == "\0a"


def test_a_field_of_an_address_is_told_how_to_write_what_was_meant() -> None:
    with pytest.raises(ValueError, match=r"^is not UTF-8 \(character 2 is %FC, ü in .*\): write ü as %C3%BC$"):
        query_field_of(b"m\xfcller")
