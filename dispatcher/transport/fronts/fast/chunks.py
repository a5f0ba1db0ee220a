"""Takes a body apart that comes in chunks, strictly: no extensions, no trailers, no odd line ends. No I/O."""

from __future__ import annotations

import re

from dispatcher.transport.fronts.fast.heads import BadRequestError

__all__ = ["Chunks"]

_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
#: The line with a chunk's size is no longer.
_LINE_BYTES = 64


class Chunks:
    """One body; knows how far it has come."""

    __slots__ = ("_left", "_needs_end", "is_over")

    def __init__(self) -> None:
        #: Bytes of the present chunk that are still to come; and whether its line end is.
        self._left = 0
        self._needs_end = False
        self.is_over = False

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """What ``data`` holds of the body, and what cannot be read yet, or comes after it. Raises BadRequestError."""
        pieces: list[bytes] = []
        at = 0
        while not self.is_over:
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                self._needs_end = True
            after = self._line(data, at) if not self._left else None
            if after is None:
                break
            at = after
        return b"".join(pieces), data[at:]

    def _line(self, data: bytes, at: int) -> int | None:
        """Reads what stands between two chunks; returns where the next one begins, or None if it is not all there."""
        if self._needs_end:
            if not _is_line_end(data, at):
                return None
            at += 2
        end = data.find(b"\r\n", at, at + _LINE_BYTES)
        if end < 0:
            if len(data) - at >= _LINE_BYTES or b"\n" in data[at:]:
                raise BadRequestError("the size of a chunk")
            return None
        if not _SIZE.fullmatch(data, at, end):
            raise BadRequestError("the size of a chunk")
        size = int(data[at:end], 16)
        if not size:
            if not _is_line_end(data, end + 2):
                return None
            self.is_over = True
            return end + 4
        self._left, self._needs_end = size, False
        return end + 2


def _is_line_end(data: bytes, at: int) -> bool:
    """Whether a line ends here; False: that is not seen yet."""
    two = data[at : at + 2]
    if not b"\r\n".startswith(two):
        raise BadRequestError("the end of a chunk")
    return len(two) == 2
