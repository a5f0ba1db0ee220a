"""A flight record gives away no value of the job, and keeps its shape."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.record.masking import LONGEST_READ, MARK, Mask

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_values_are_hidden_and_the_names_of_fields_are_not() -> None:
    text = '{"order":4711,"to":{"name":"Anna \\"A\\" Berg","mail":null},"lines":[1.5,true,"x"]}'
    shape = f'{{"order":{MARK},"to":{{"name":"{MARK}","mail":null}},"lines":[{MARK},true,"{MARK}"]}}'
    assert Mask([]).value(text) == shape


def test_a_word_of_a_value_is_hidden_wherever_it_is_said() -> None:
    mask = Mask(['{"order":4711,"to":"Anna Berg"}', None, '"caf\\u00e9"'])
    said = "order 4711 for ANNA berg, not for Annabel: Café is closed"
    assert mask.words(said) == f"order {MARK} for {MARK} {MARK}, not for Annabel: {MARK} is closed"


def test_of_very_long_values_nothing_that_was_said_is_shown() -> None:
    mask = Mask([json.dumps("x" * LONGEST_READ), '"a"'])
    assert mask.hides_all
    assert (mask.words("anything"), mask.words(""), mask.value('{"a":1}')) == (MARK, "", MARK)


@given(_values)
def test_no_word_of_any_value_is_left(value: Any) -> None:
    text = json.dumps(value)
    mask = Mask([text])
    leaves = [leaf for leaf in _leaves(value) if isinstance(leaf, str)]
    for word in re.findall(r"\w{3,}", " ".join(leaves)):
        assert word not in mask.words(f"it said {word}.").replace("it said", "")
    assert _shape(json.loads(mask.value(text).replace(f'"{MARK}"', "0").replace(MARK, "0"))) == _shape(value)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return value if value is None or isinstance(value, bool) else 0
