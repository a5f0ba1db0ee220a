"""A body in chunks is taken apart strictly, however it is cut on its way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.transport.fronts.fast.chunks import Chunks
from dispatcher.transport.fronts.fast.heads import BadRequestError


def taken(pieces: list[bytes]) -> tuple[bytes, bytes, bool]:
    """The body, what follows it, and whether it is over."""
    chunks, body, rest = Chunks(), b"", b""
    for piece in pieces:
        more, rest = chunks.take(rest + piece)
        body += more
    return body, rest, chunks.is_over


@given(
    st.lists(st.binary(min_size=1, max_size=300), max_size=5), st.binary(max_size=20), st.lists(st.integers(0, 2_000))
)
def test_it_is_whole_however_it_is_cut(chunks: list[bytes], after: bytes, cuts: list[int]) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n" + after
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert taken(pieces) == (b"".join(chunks), after, True)


@pytest.mark.parametrize("data", [b"", b"5", b"5\r", b"5\r\nab", b"2\r\nab", b"2\r\nab\r", b"0\r\n", b"0\r\n\r"])
def test_what_is_not_whole_is_waited_for(data: bytes) -> None:
    assert not taken([data])[2]


@pytest.mark.parametrize(
    "data",
    [
        b"x\r\n",
        b"\r\n",
        b"+1\r\n",
        b"-1\r\n",
        b"0x1\r\n",
        b" 1\r\n",
        b"1 \r\n",
        b"1_0\r\n",
        b"\xb2\r\n",
        b"1;ext=1\r\na\r\n",
        b"1" * 17 + b"\r\n",
        b"1" * 64,
        b"1\n",
        b"0\n\n",
        b"1\r\nab\r\n",
        b"1\r\na\n",
        b"1\r\na\rb",
        b"0\r\nTrailer: x\r\n\r\n",
        b"0\r\n\n",
    ],
)
def test_what_could_be_read_otherwise_is_refused(data: bytes) -> None:
    with pytest.raises(BadRequestError):
        taken([data])
    with pytest.raises(BadRequestError):
        taken([data[n : n + 1] for n in range(len(data))])
