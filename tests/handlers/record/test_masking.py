"""A flight record gives away no value of the job, and keeps its shape."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.record.masking import LONGEST_READ, MARK, SIGNS, Mask, without_secrets

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


@pytest.mark.parametrize(
    ("value", "said", "shown"),
    [
        ("4711", "A4711, order_4711 and x4711y", "A•••, order_••• and x•••y"),
        ("4711", "4,711 or 4.711 or 4'711 or 4 711 pieces", "••• or ••• or ••• or ••• pieces"),
        ('"4.711"', "4711 pieces", "••• pieces"),
        ('"ORD-4711"', "ord 4711 of ORD4711", "••• ••• of •••"),
        ('"K1A 0B1"', "k1a-0b1", "•••-•••"),
        ('"a1b2"', "A1B2", "•••"),
        ('"anna_berg"', "Anna Berg's", "••• •••'s"),
        ('{"age":42,"land":"DE"}', "42 years, 142 miles, in de", "••• years, 142 miles, in •••"),
        ('"caf\\u00e9"', "cafe\u0301, CAF\u00c9", "•••, •••"),
        ('"cafe\u0301"', "caf\u00e9", "•••"),
        ('"José Łoś 0À"', "JOSE, Łos, 0A", "•••, •••, •••"),
        ('"Straße"', "STRASSE", "•••"),
        ('"李小明"', "客户李小明的订单", "客户•••的订单"),
        ('"김철수"', "김철수는 갔다", "•••는 갔다"),
        ('"सिंह"', "श्री सिंह गए", "श्री ••• गए"),
    ],
)
def test_a_value_is_hidden_however_somebody_writes_it(value: str, said: str, shown: str) -> None:
    assert Mask([value]).words(said) == shown


def test_a_single_letter_or_digit_is_not_looked_for() -> None:
    assert Mask(['{"copies":7,"grade":"b"}']).words("7 copies of b, label.js:7") == "7 copies of b, label.js:7"


def test_the_name_of_a_field_that_a_program_would_not_give_is_a_value() -> None:
    mask = Mask(['{"Anna Berg":1,"4711":2,"größe":3}'])
    assert mask.value('{"Anna Berg":1,"4711":{"größe":2}}') == f'{{"{MARK}":{MARK},"{MARK}":{{"größe":{MARK}}}}}'
    assert mask.words("Anna, Berg, 4711, größe") == f"{MARK}, {MARK}, {MARK}, größe"


def test_of_very_long_values_nothing_that_was_said_is_shown() -> None:
    mask = Mask([json.dumps("x" * LONGEST_READ), '"a"'])
    assert mask.hides_all
    assert (mask.words("anything"), mask.words(""), mask.value('{"a":1}')) == (MARK, "", MARK)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("password=hunter2 for anna", "password=••• for anna"),
        ("password: hunter2, user: anna", "password: •••, user: anna"),
        ('{"password":"hun\\"ter2","user":"anna"}', '{"password":•••,"user":"anna"}'),
        ('{\\"passwd\\":\\"hunter2\\"}', '{\\"passwd\\":•••}'),
        ("pwd = 'my own one', then", "pwd = •••, then"),
        ("Passwort lautet hunter2", "Passwort lautet •••"),
        ("KENNWORT: geheim!", "KENNWORT: •••!"),
        ("Passwort: | geheim | Anmelden", "Passwort: | ••• | Anmelden"),
        ("the password hunter2 is old", "the password ••• is old"),
        ("db_password=x;y passwordAgain=x", "db_password=••• passwordAgain=•••"),
        ("args['secret'] = abc", "args['secret'] = •••"),
        ("client_secret=abc&accessToken=abc&n=1", "client_secret=•••&accessToken=•••&n=1"),
        ("GET https://h.example/p?token=abc&page=2#top", "GET https://h.example/p?token=•••&page=2#top"),
        ("https://anna:hun@ter2@h.example/p?mail=a@b.example", "https://•••@h.example/p?mail=a@b.example"),
        ("api key AKIA1234, X-Api-Key: abc", "api key •••, X-Api-Key: •••"),
        ("-H 'Authorization: Basic YTpi' -X GET", "-H 'Authorization: Basic •••' -X GET"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer •••"),
        ("sent with bearer 12ab34", "sent with bearer •••"),
        ("pin 9981", "pin •••"),
        ("Login | PIN | 9981 | OK", "Login | PIN | ••• | OK"),
        ("PIN-Code: 99 81", "PIN-Code: •••"),
        ("mTAN 123 456 came, TAN-Nummer 123456", "mTAN ••• came, TAN-Nummer •••"),
        ("cardPin=12", "cardPin=•••"),
        ("?user=anna&pass=geheim", "?user=anna&pass=•••"),
        (f"came with ph_abcd1234_{'x' * 43}", "came with •••"),
        ("eyJhbGciOiJIUzI1.eyJzdWIi.c2ln is old", "••• is old"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_beside_it(said: str, shown: str) -> None:
    assert without_secrets(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "the pinned note",
        "spin 9981 times",
        "token ring",
        "pins 1234 and opinion: 1234",
        "pin 3 is high, tan 45 and tan(0.5) = 0.5463",
        "a stand-in: 1234, the second pass came, bypass=1, passed: 7",
        "Unexpected token < in JSON at position 0",
        "Unexpected token 'e', \"error1234\" is not valid JSON",
        "the password is wrong, Passwort falsch",
        "no token came, the token expired in 2026",
        "tokens: 5, tokenizer=fast, secretary: Anna",
        "authorization failed with 401",
        "Bearer authentication",
        "http://h.example:8080/a?mail=a@b.example, mailto:a@b.example",
        "2026-11-30 12:00:00.123 UTC at print (label.js:7)",
    ],
)
def test_what_only_looks_a_little_like_a_secret_stays(said: str) -> None:
    assert without_secrets(said) == said


#: Letters and digits, each with the signs that belong to it. What is short is not looked for.
_SAID = re.compile(rf"(?:[^\W_{SIGNS}][{SIGNS}]*){{2,}}")


@given(_values)
@example("0A\u0300")
@example("ab\u093ecd")
def test_no_word_of_any_value_is_left(value: Any) -> None:
    text = json.dumps(value)
    mask = Mask([text])
    leaves = [str(leaf) for leaf in _leaves(value) if isinstance(leaf, str | int) and not isinstance(leaf, bool)]
    for word in _SAID.findall("\n".join(leaves)):
        assert word not in mask.words(f"it said {word}.").replace("it said", "")
    assert _shape(mask.value(text)) == _shape(text)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


def _shape(text: str) -> str:
    """Only what stands between the values: the same before and after."""
    return re.sub(r"\s", "", re.sub(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s\[\]{}:,"]+', "0", text))
