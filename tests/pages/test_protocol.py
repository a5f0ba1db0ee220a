"""decode and encode alone: defaults, ranges, the words of refusals; they never raise anything else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import MessageRefused
from dispatcher.pages import protocol
from dispatcher.pages.protocol import decode, encode

from .vectors import OF_PAGE, PAGE_OPS

REGISTER = {"op": "register", "version": 1, "types": ["echo"], "boot": "b1"}


def refusal(text: str) -> MessageRefused:
    with pytest.raises(MessageRefused) as raised:
        decode(text)
    return raised.value


def register(**fields: Any) -> protocol.PageMessage:
    return decode(json.dumps({**REGISTER, **fields}))


def test_a_register_has_defaults_for_all_that_may_be_left_out() -> None:
    message = register()
    assert isinstance(message, protocol.Register)
    assert (message.worker, message.secret, message.token, message.name, message.slots) == (None, None, None, "", 1)
    assert (message.holding, message.finished, message.labels, message.page) == ((), (), {}, {})


def test_what_is_held_has_begun_just_now_unless_it_says_more() -> None:
    message = register(holding=[{"attempt": "a1"}])
    assert isinstance(message, protocol.Register)
    assert message.holding == (protocol.Held("a1", 0),)


@pytest.mark.parametrize(
    "fields",
    [
        {"types": [f"t{number}" for number in range(1_000)]},
        {"types": ["x" * 100]},
        {"boot": "b" * 64},
        {"name": "x" * 100},
        {"slots": 64},
        {"token": "t" * 1_000},
        {"worker": "w" * 200, "secret": "s" * 200},
        {"holding": [{"attempt": f"a{number}"} for number in range(1_000)]},
        {"finished": ["a" * 64] * 1_000},
        {"labels": {"x" * 50: "y" * 200, **{f"A.b_{number}-": "x" for number in range(19)}}},
        {"page": {str(number): "x" * 500 for number in range(50)}},
        {"page": {"a": 1, "b": 1.5, "c": True, "d": None}},
    ],
)
def test_a_register_at_its_limits_is_taken(fields: dict[str, Any]) -> None:
    register(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"types": [f"t{number}" for number in range(1_001)]},
        {"types": ["x" * 101]},
        {"types": [""]},
        {"types": ["caf\u00e9"]},
        {"types": "echo"},
        {"boot": "b" * 65},
        {"boot": "b\n"},
        {"name": "x" * 101},
        {"slots": 1.5},
        {"token": "t" * 1_001},
        {"worker": "w" * 201},
        {"holding": [{"attempt": f"a{number}"} for number in range(1_001)]},
        {"holding": [{"elapsed_ms": 1}]},
        {"finished": ["a" * 65]},
        {"labels": {str(number): "x" for number in range(21)}},
        {"labels": {"x" * 51: "y"}},
        {"labels": {"": "y"}},
        {"labels": {"two words": "y"}},
        {"labels": {"site\n": "y"}},
        {"labels": {"site": "y" * 201}},
        {"labels": {"site": ""}},
        {"labels": {"floor": 2}},
        {"labels": {"name": "DESK"}},
        {"labels": ["site:berlin"]},
        {"page": {"a": "x" * 501}},
        {"page": {"a": []}},
        {"version": "1"},
        {"version": True},
    ],
)
def test_a_register_over_its_limits_is_refused_not_clamped(fields: dict[str, Any]) -> None:
    assert refusal(json.dumps({**REGISTER, **fields})).code == "bad_message"


def test_a_label_called_name_is_refused_in_words_that_say_why() -> None:
    refused = refusal(json.dumps({**REGISTER, "labels": {"name": "DESK"}}))
    assert "no label may be called `name`" in refused.detail


def test_another_version_is_refused_in_words_that_name_both() -> None:
    refused = refusal(json.dumps({**REGISTER, "version": 7}))
    assert refused.code == "bad_version"
    assert "version 1" in refused.detail
    assert "7" in refused.detail


@pytest.mark.parametrize(
    "text", ["1.0", "1e400", '"\\u00fc \u00fc"', "[ 1 , 2 ]", '{"b":1,"a":2,"b":3}', "null", "12345678901234567890"]
)
def test_a_value_is_kept_as_the_text_that_came(text: str) -> None:
    message = decode(f'{{"op":"result","attempt":"a1","value":{text}}}')
    assert isinstance(message, protocol.Result)
    assert bytes(message.value).decode() == text


@pytest.mark.parametrize("text", ['{"x": [ 1.0 ,2]}', "1e400", "null", '"\u00fc"'])
def test_the_data_of_an_offer_goes_out_as_the_text_that_came_in(text: str) -> None:
    offer = protocol.JobMessage("a1", "j1", "echo", msgspec.Raw(text.encode()), 1, 60_000)
    assert f'"data":{text},' in encode(offer)


def test_a_refusal_without_an_attempt_says_nothing_of_one() -> None:
    assert json.loads(encode(protocol.Refused("bad_message", "x"))) == {
        "op": "refused",
        "code": "bad_message",
        "detail": "x",
    }


@pytest.mark.parametrize("levels", [500, 100_000])
def test_a_value_that_is_nested_too_deeply_is_refused_by_its_attempt(levels: int) -> None:
    deep = "[" * levels + "]" * levels
    refused = refusal(f'{{"op":"result","attempt":"a1","value":{deep}}}')
    assert (refused.code, refused.attempt) == ("bad_message", "a1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a message: it is empty"),
        (
            '{"op":"result","attempt":"a1","value":' + "[" * 100_000,
            "not a message: it is nested too deeply (at most 500 levels)",
        ),
        (
            '{"op":"result","attempt":"a1","value":"\\ud83d"}',
            "not a message: line 1, column 40: \\ud83d is half a character (half a surrogate pair): "
            "send both halves, or leave it out",
        ),
        (
            '{"op":"result","attempt":"a1","value":NaN}',
            "not a message: line 1, column 39: there is no NaN in JSON: send null, or a text",
        ),
        (
            '{"op":"log","attempt":"a1","line":"ü\n"}',
            "not a message: line 1, column 37: a text may not hold a line break",
        ),
        ('{"op":"log","attempt":"a1","line":5}', "bad log: line must be a text, and is a whole number"),
        ("[]", "not a message: it must be an object, and is a list"),
        ("{}", "not a message: op is missing"),
        ('{"op":5}', "not a message: op must be a text"),
        ('{"op":"log","attempt":"a1"}', "bad log: line is missing"),
        ('{"op":"progress","attempt":"a","percent":101}', "bad progress: percent must be at most 100"),
        ('{"op":"progress","attempt":"a","percent":-1}', "bad progress: percent must be at least 0"),
        (json.dumps(REGISTER | {"types": []}), "bad register: types must have at least 1 entry"),
        (json.dumps(REGISTER | {"types": ["a b"]}), "bad register: types[0] has characters that may not stand there"),
        (json.dumps(REGISTER | {"name": "n" * 101}), "bad register: name must have at most 100 characters"),
        (json.dumps(REGISTER | {"labels": {"a b": "x"}}), "bad register: a name in labels has characters"),
        (
            json.dumps(REGISTER | {"labels": {"a": ""}}),
            "bad register: a value in labels must have at least",
        ),
        (json.dumps(REGISTER | {"labels": []}), "bad register: labels must be an object, and is a list"),
    ],
)
def test_a_message_that_cannot_be_read_is_refused_with_the_place_and_with_what_to_do(text: str, words: str) -> None:
    assert refusal(text).detail.startswith(words)


@pytest.mark.parametrize(
    ("text", "words", "attempt"),
    [
        ('{"op":"accept","attempt":"a1","attempt":"a2"}', "bad accept: attempt stands twice", "a1"),
        ('{"op":"result","attempt":"a1","value":1,"v\\u0061lue":2}', "bad result: value stands twice", "a1"),
        ('{"op":"result","attempt":"a1","value":{"a":1},"value":{"b":2}}', "bad result: value stands twice", "a1"),
        ('{"op":"result","attempt":"a1","value":{"a":1},"x":1,"x":2}', "bad result: x stands twice", "a1"),
        ('{"op":"log","op":"log","attempt":"a1","line":""}', "bad log: op stands twice", "a1"),
        ('{"op":"log","attempt":"a1","line":"","later":1,"later":2}', "bad log: later stands twice", "a1"),
        (f'{{"op":"bye","{"x" * 500}":1,"{"x" * 500}":1}}', f"bad bye: {'x' * 100} stands twice", None),
        (json.dumps(REGISTER)[:-1] + ',"boot":"b2"}', "bad register: boot stands twice", None),
        (json.dumps(REGISTER)[:-1] + ',"labels":{"site":"a","site":"b"}}', "bad register: site stands twice", None),
        (json.dumps(REGISTER)[:-1] + ',"page":{"url":1,"url":1}}', "bad register: url stands twice", None),
        (
            json.dumps(REGISTER)[:-1] + ',"holding":[{"attempt":"a1"},{"attempt":"a2","attempt":"a3"}]}',
            "bad register: attempt stands twice",
            None,
        ),
    ],
)
def test_a_field_that_stands_twice_is_refused(text: str, words: str, attempt: str | None) -> None:
    refused = refusal(text)
    assert (refused.code, refused.detail, refused.attempt) == ("bad_message", words, attempt)


def test_what_stands_twice_in_a_result_is_the_task_s_own_affair() -> None:
    message = decode('{"op":"result","attempt":"a1","value":{"a":1,"a":2}}')
    assert isinstance(message, protocol.Result)
    assert bytes(message.value) == b'{"a":1,"a":2}'


def test_the_attempt_of_an_unreadable_message_is_looked_for_near_its_start_only() -> None:
    padding = "x" * 300
    assert refusal(f'{{"op":"error","x":"{padding}","attempt":"a1"}}').attempt is None
    assert refusal('{"op":"error","attempt" : "a1"}').attempt == "a1"


@pytest.mark.parametrize("text", ["", "[]", "x" * 100_000, f'{{"op":"{"x" * 100_000}"}}', '{"op":"toString"}'])
def test_a_refusal_is_short_whatever_was_sent(text: str) -> None:
    assert len(refusal(text).detail) < 400


def test_fields_that_nobody_knows_are_ignored_in_every_message() -> None:
    for vector in OF_PAGE:
        if vector["ok"]:
            later = {**json.loads(vector["text"]), "of_later": {"deep": [1]}}
            assert decode(json.dumps(later)) == decode(json.dumps(json.loads(vector["text"])))


# nothing but MessageRefused

_ID = st.text("abcXYZ019_-", max_size=5)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from(
    [
        *("attempt", "value", "percent", "note", "line", "message", "stack", "code", "retry", "reason", "op"),
        *("types", "boot", "version", "worker", "secret", "name", "slots", "token", "holding", "finished", "labels"),
        *("page", "elapsed_ms"),
    ]
)
_MESSAGES = st.builds(
    lambda op, fields: json.dumps({"op": op, **fields}),
    st.sampled_from(sorted(PAGE_OPS)) | st.text(max_size=10),
    st.dictionaries(_NAMES, _JSON | _ID | st.just(1) | st.lists(_ID, max_size=3), max_size=8),
)
_MANGLED = st.builds(
    lambda vector, at, text: vector["text"][:at] + text + vector["text"][at:],
    st.sampled_from(OF_PAGE),
    st.integers(0, 200),
    st.text(max_size=5),
)


def outcome(text: str) -> protocol.PageMessage | MessageRefused:
    try:
        return decode(text)
    except MessageRefused as refused:
        return refused


@given(st.text() | _JSON.map(json.dumps) | _MESSAGES | _MANGLED)
def test_whatever_a_page_sends_is_a_message_or_is_refused_with_a_code_of_the_list(text: str) -> None:
    found = outcome(text)
    if not isinstance(found, MessageRefused):
        assert found.__struct_config__.tag in PAGE_OPS
        return
    assert found.code in {"bad_message", "unknown_op", "bad_version"}
    assert 0 < len(found.detail) < 400
    json.loads(encode(protocol.Refused(found.code, found.detail, found.attempt)))


@given(st.text(), st.text(), st.none() | st.text())
def test_what_the_server_says_is_one_json_object_whatever_text_is_in_it(
    code: str, detail: str, attempt: str | None
) -> None:
    given_fields = {"op": "refused", "code": code, "detail": detail, "attempt": attempt}
    expected = {name: value for name, value in given_fields.items() if value is not None}
    assert json.loads(encode(protocol.Refused(code, detail, attempt))) == expected
