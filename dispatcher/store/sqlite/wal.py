"""Looks through SQLite's log for damage that SQLite itself does not report (promise S23). Reads only.

SQLite takes the first frame whose checksum is wrong for the end of its log, because a crash leaves just that: a last
transaction that is not whole. If a bit has flipped further up, acknowledged transactions stand behind the damage, and
they would be gone in silence. With ``synchronous=FULL`` a transaction begins only after the one before it is on the
disk. So a whole frame right behind the end of a transaction shows that this transaction was acknowledged.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

__all__ = ["damaged_frame", "first_page"]

_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_MASK = 0xFFFFFFFF

Sums = tuple[int, int]


def damaged_frame(wal: Path, page_bytes: int) -> int | None:
    """The first damaged frame (0: the header) with acknowledged ones behind it; None: there is no such frame.

    It does not see damage in the last transaction, which may never have been acknowledged, or a log that was cut off.
    """
    try:
        file = wal.open("rb")
    except FileNotFoundError:
        return None
    with file:
        return _look_through(file, page_bytes)


def _look_through(file: BinaryIO, page_bytes: int) -> int | None:
    header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES:
        return None
    order = ">" if header[3] & 1 else "<"
    salts, sums = header[16:24], _stored(header)
    damaged = None if _sums(header[:24], (0, 0), order) == sums else 0
    ended = False  # the frame before ends a transaction, at the damage or behind it
    number = known = 0
    while len(frame := file.read(_FRAME_HEADER_BYTES + page_bytes)) == _FRAME_HEADER_BYTES + page_bytes:
        number += 1
        whole = _sums(frame[:8] + frame[_FRAME_HEADER_BYTES:], sums, order) == _stored(frame)
        if damaged == 0 and number == 1 and whole:
            salts = frame[8:16]  # the header's own may be what is wrong
        ours = frame[8:16] == salts  # frames of an earlier round of the log lie behind this one's
        if damaged is None and not (whole and ours):
            damaged = number
        if ended and whole and ours:
            return damaged
        pages = int.from_bytes(frame[4:8], "big")  # of the store, where the frame ends a transaction; else 0
        # Of a frame that is not whole this may be junk: a store grows by no more pages than there are frames.
        ended = damaged is not None and pages > 0 and (whole or 0 < known <= pages <= known + number)
        known = pages if pages and whole and ours else known
        sums = _stored(frame)
    return None


def first_page(wal: Path) -> bytes:
    """The store's first page as the log has it, committed; empty: the log does not have it."""
    try:
        file = wal.open("rb")
    except FileNotFoundError:
        return b""
    kept = found = b""
    with file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return b""
        order, sums = ">" if header[3] & 1 else "<", _stored(header)
        size = _FRAME_HEADER_BYTES + int.from_bytes(header[8:12], "big") % (1 << 17)
        while len(frame := file.read(size)) == size and frame[8:16] == header[16:24]:
            if _sums(frame[:8] + frame[_FRAME_HEADER_BYTES:], sums, order) != _stored(frame):
                break
            sums = _stored(frame)
            found = frame[_FRAME_HEADER_BYTES:] if frame[:4] == b"\0\0\0\1" else found
            kept = found if frame[4:8] != bytes(4) else kept
    return kept


def _stored(header: bytes) -> Sums:
    """The last eight bytes of a header, the log's or a frame's."""
    first, second = struct.unpack_from(">II", header, 24 if len(header) == _HEADER_BYTES else 16)
    return first, second


def _sums(content: bytes, sums: Sums, order: str) -> Sums:
    """SQLite's checksum, which goes on from the frame before (its documentation, "WAL file format")."""
    first, second = sums
    words = struct.unpack(f"{order}{len(content) // 4}I", content)
    for one, two in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) & _MASK
        second = (second + two + first) & _MASK
    return first, second
