"""The codec: strict, leaves text alone, and its fast path says what python-engineio's classes say."""

from __future__ import annotations

import base64
from typing import Any

import engineio.packet
import engineio.payload
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.transport.codec import (
    MESSAGE,
    NOOP_PACKET,
    SEPARATOR,
    PagePacket,
    PagePayload,
    ProtocolError,
    decode,
    message_packet,
)

TEXTS = st.text(st.characters(exclude_characters="\x1e", codec="utf-8"))
BODIES = st.one_of(
    st.text("01234563b4ab=+/\x1e \u0663\ufeff", max_size=30).map(str.encode),
    st.binary(max_size=30),
    st.lists(TEXTS.map(lambda text: "4" + text), min_size=1).map("\x1e".join).map(str.encode),
)


def by_classes(body: bytes, limit: int) -> list[tuple[int, Any]]:
    packets = PagePayload(encoded_payload=body.decode(), packet_limit=limit).packets
    return [(packet.packet_type, packet.data) for packet in packets]


@given(BODIES, st.integers(1, 5))
@example(b"", 5)
@example("4\u0663".encode(), 5)
@example(b"b====", 5)
@example(b"1\x1e4after", 5)
@example(b"4a\x1e4b\x1e4c", 2)
def test_the_fast_path_gives_what_the_classes_give_and_fails_only_as_a_protocol_error(body, limit) -> None:
    try:
        expected = by_classes(body, limit)
    except (ProtocolError, UnicodeDecodeError):
        with pytest.raises(ProtocolError):
            decode(body, limit)
    else:
        assert decode(body, limit) == expected


@given(st.lists(st.one_of(TEXTS, st.binary()), min_size=1, max_size=20))
def test_what_is_encoded_is_what_stock_engineio_encodes_and_comes_back_as_it_was(messages) -> None:
    ours = SEPARATOR.join(message_packet(message) for message in messages)
    stock = engineio.payload.Payload([engineio.packet.Packet(MESSAGE, message) for message in messages])
    assert ours.decode() == stock.encode()
    assert [data for _, data in decode(ours, 20)] == messages


@pytest.mark.parametrize("text", ["true", "null", "-5", "NaN", " 1", '"x"', "123", "{}", '{"a" : 1.0}', "", "9" * 500])
def test_the_text_of_a_message_is_left_alone(text: str) -> None:
    assert decode(b"4" + text.encode(), 1) == [(MESSAGE, text)]
    assert PagePacket(encoded_packet="4" + text).data == text


def test_a_deeply_nested_message_is_only_text() -> None:
    assert decode(b"4" + b"[" * 100_000, 1) == [(MESSAGE, "[" * 100_000)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x1e",
        b"4a\x1e",
        b"0{}",
        b"2",
        b"2probe",
        b"5",
        b"6",
        b"7",
        b"x",
        b"d=4hello",
        b"3probe",
        b"1x",
        b"\xff",
        b"4\xed\xa0\x80",
        "\u0664x".encode(),
        b"b!!!!",
        b"bQQ",
        b"bQ Q=",
        "b\u00e9".encode(),
        b"1\x1e1",
        b"1\x1e4late",
    ],
)
def test_a_malformed_body_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(body, 10)


def test_the_limit_on_packets_is_ours_and_exact() -> None:
    body = b"\x1e".join([b"4x"] * 1_024)
    assert len(decode(body, 1_024)) == 1_024
    with pytest.raises(ProtocolError):
        decode(body + b"\x1e4x", 1_024)


def test_the_shared_classes_of_engineio_are_not_touched() -> None:
    assert engineio.payload.Payload.max_decode_packets == 16
    assert engineio.packet.Packet.json is not PagePacket.json
    assert engineio.packet.Packet(encoded_packet='4{"a":1}').data == {"a": 1}


def test_binary_goes_out_as_base64() -> None:
    assert message_packet(b"\x00\xff") == b"b" + base64.b64encode(b"\x00\xff")


@pytest.mark.parametrize("text", ["a\x1e4b", "\x1e", "\ud800"])
def test_a_text_that_would_not_arrive_as_it_is_cannot_be_sent(text: str) -> None:
    with pytest.raises(ValueError):
        message_packet(text)


def test_only_texts_and_bytes_are_messages() -> None:
    with pytest.raises(TypeError):
        PagePacket(MESSAGE, {"a": 1}).encode()


def test_control_packets_are_those_of_the_protocol() -> None:
    assert NOOP_PACKET == b"6"
