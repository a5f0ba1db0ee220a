"""The load's own frames are those of RFC 6455."""

from __future__ import annotations

import pytest

from bench.load.sockets import masked, payloads


def from_server(payload: bytes) -> bytes:
    """A whole text frame that is not masked."""
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    wide = 2 if size < 1 << 16 else 8
    return bytes([0x81, 126 if wide == 2 else 127]) + size.to_bytes(wide, "big") + payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_frames_are_read_whatever_their_size(size):
    data = from_server(b"x" * size)
    assert list(payloads(data + data)) == [(1, b"x" * size, len(data)), (1, b"x" * size, 2 * len(data))]


@pytest.mark.parametrize("size", [1, 126, 65_536])
def test_a_frame_that_is_not_whole_waits(size):
    data = from_server(b"x" * size)
    for end in (*range(12), len(data) - 1):
        assert list(payloads(data[: min(end, len(data) - 1)])) == []


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535])
def test_a_masked_frame_has_its_payload_under_its_key(size):
    payload = bytes(number % 251 for number in range(size))
    frame = masked(payload)
    start = 2 if size < 126 else 4
    key, body = frame[start : start + 4], frame[start + 4 :]
    assert frame[0] == 0x81
    assert frame[1] == 0x80 | min(size, 126)
    assert bytes(byte ^ key[place % 4] for place, byte in enumerate(body)) == payload


def test_a_payload_that_is_too_large_is_refused():
    with pytest.raises(ValueError, match="64 KiB"):
        masked(b"x" * 65_536)
