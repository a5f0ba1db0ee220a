"""The server's half of tests/vectors/protocol.json; the page's half is tests/page/test_vectors.py."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from dispatcher.errors import MessageRefused
from dispatcher.pages.protocol import ServerMessage, decode, encode

from .vectors import OF_PAGE, OF_SERVER, PAGE_OPS, SERVER_OPS, VECTORS, refused_codes


def named(vectors: list[dict[str, Any]], *, ok: bool) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in vectors if vector["ok"] is ok]


def known_fields(value: Any, text: str) -> dict[str, Any]:
    """The fields that a message of this kind has; receivers ignore others."""
    given: dict[str, Any] = json.loads(text)
    return {name: field for name, field in given.items() if name == "op" or hasattr(value, name)}


@pytest.mark.parametrize("vector", named(OF_PAGE, ok=True))
def test_a_message_of_a_page_is_decoded_with_every_field_as_it_was_sent(vector: dict[str, Any]) -> None:
    message = decode(vector["text"])
    decoded = msgspec.json.decode(msgspec.json.encode(message))
    expected = known_fields(message, vector["text"])
    for held in expected.get("holding", []):
        held.setdefault("elapsed_ms", 0)
    assert {name: decoded[name] for name in expected} == expected


@pytest.mark.parametrize("vector", named(OF_PAGE, ok=False))
def test_a_bad_message_of_a_page_is_refused_with_its_code_and_its_attempt(vector: dict[str, Any]) -> None:
    with pytest.raises(MessageRefused) as refusal:
        decode(vector["text"])
    assert (refusal.value.code, refusal.value.attempt) == (vector["code"], vector.get("attempt"))
    assert refusal.value.detail


@pytest.mark.parametrize("vector", named(OF_SERVER, ok=True))
def test_a_message_of_the_server_is_encoded_as_the_vector_says(vector: dict[str, Any]) -> None:
    message = msgspec.json.decode(vector["text"], type=ServerMessage)
    expected = known_fields(message, vector["text"])
    if expected["op"] == "job":
        expected.setdefault("confirm", False)
    assert json.loads(encode(message)) == expected


@pytest.mark.parametrize("vector", named(OF_SERVER, ok=False))
def test_the_server_cannot_make_what_a_page_would_not_understand(vector: dict[str, Any]) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(vector["text"], type=ServerMessage)


def test_every_op_has_a_good_vector_in_each_direction() -> None:
    for vectors, ops in ((OF_PAGE, PAGE_OPS), (OF_SERVER, SERVER_OPS)):
        assert {json.loads(vector["text"])["op"] for vector in vectors if vector["ok"]} == ops


def test_every_code_of_refused_has_a_vector_and_no_other_code_has() -> None:
    texts = [json.loads(vector["text"]) for vector in OF_SERVER if vector["ok"]]
    assert {message["code"] for message in texts if message["op"] == "refused"} == refused_codes()


def test_vectors_have_names_of_their_own_and_codes_exactly_where_they_are_bad() -> None:
    names = [vector["name"] for vector in VECTORS]
    assert len(set(names)) == len(names)
    assert [vector["name"] for vector in VECTORS if vector["ok"] is ("code" in vector)] == []
