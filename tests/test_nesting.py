"""JSON may be nested 500 deep, on every Python."""

from __future__ import annotations

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.nesting import MOST_LEVELS, check_levels

MOST_LISTS = "[" * MOST_LEVELS + "]" * MOST_LEVELS


def too_deep(text: str | bytes) -> bool:
    try:
        check_levels(text)
    except RecursionError:
        return True
    return False


def both(text: str) -> set[bool]:
    """What is said of the text, and of its bytes."""
    return {too_deep(text), too_deep(text.encode())}


@pytest.mark.parametrize("wrapped", ["%s", "[%s]", '{"a": %s}', '[{"b": [1]}, %s, 2]'])
def test_500_levels_pass_and_one_more_does_not(wrapped: str) -> None:
    outer = 0 if wrapped == "%s" else 1
    inner = MOST_LEVELS - outer
    assert both(wrapped % ("[" * inner + "]" * inner)) == {False}
    assert both(wrapped % ("[" * (inner + 1) + "]" * (inner + 1))) == {True}


@pytest.mark.parametrize("opened", ["[", '{"a":', '[{"a":'])
def test_what_is_never_closed_is_nested_too_deeply_too(opened: str) -> None:
    assert both(opened * 600) == {True}


def test_many_levels_one_after_the_other_are_none_too_many() -> None:
    assert both("[" + ",".join([MOST_LISTS[1:-1]] * 3) + "]") == {False}
    assert both("[{}]," * 100_000) == {False}


@pytest.mark.parametrize("inside", ["[" * 600, '\\"' + "[" * 600, '\\\\\\"{' * 600, 'x","y","' * 3 + "[" * 600])
def test_brackets_in_a_text_are_no_levels(inside: str) -> None:
    assert both(f'["{inside}"]') == {False}
    assert both(f'["a", "{inside}", ""]') == {False}


@pytest.mark.parametrize("before", ['""', '"\\\\"', '"a\\"b"', '"","]]]]"', '"]","]"'])
def test_a_text_before_them_hides_no_levels(before: str) -> None:
    assert both(f"[{before},{MOST_LISTS}]") == {True}


@given(st.recursive(st.text('a"\\[]{}', max_size=5), lambda part: st.lists(part) | st.dictionaries(st.text(), part)))
def test_levels_are_counted_whatever_texts_stand_among_them(value: object) -> None:
    text = json.dumps(value)
    deepest = MOST_LEVELS - _depth(value)
    filler = json.dumps(["["] * MOST_LEVELS)
    for extra, expected in ((0, False), (1, True)):
        opened, closed = "[" * (deepest + extra), "]" * (deepest + extra)
        assert both(opened + text + closed + filler) == {expected}


def _depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def test_no_decoder_meets_the_limit_of_the_interpreter_first() -> None:
    msgspec.json.decode(MOST_LISTS)
    json.loads(MOST_LISTS)


def test_a_megabyte_is_looked_through_soon() -> None:
    for raw in (
        b"[" * 1_000_000,
        b"[]" * 500_000,
        b"[" * 501 + b'"' + b"\\\\" * 500_000,
        b"[" * 501 + b'"["' * 300_000,
    ):
        began = time.process_time()
        too_deep(raw)
        assert time.process_time() - began < 0.5
