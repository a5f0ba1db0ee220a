"""Text that any terminal and any pipe can take. Pure.

What comes from jobs and workers may hold anything, such as the codes that move a terminal's cursor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

__all__ = ["aligned", "indented", "instant", "json_fit", "painted", "plain"]

#: Rows that decide how wide the columns are; later ones may be wider.
_MEASURED = 100
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_COLOURS = {
    "succeeded": "32", "done": "32", "connected": "32", "failed": "31", "in_doubt": "35", "cancelled": "33",
    "expired": "33", "running": "36", "away": "33", "gone": "2",
}  # fmt: skip


def plain(text: object) -> str:
    """On one line, with marks for what is no letter."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in str(text))


def json_fit(text: str, encoding: str, *, terminal: bool) -> str:
    """The same JSON, with ``\\u`` in the place of what the stream cannot carry or a terminal should not see.

    A pipe that is not in UTF-8 gets ASCII: whoever reads it expects UTF-8, and ASCII is right in both.
    """
    if text.isascii():
        return text
    utf = encoding.lower().replace("-", "").replace("_", "").startswith("utf")

    def fit(found: re.Match[str]) -> str:
        letter = found[0]
        if (letter.isprintable() if terminal else utf) and _can(letter, encoding):
            return letter
        units = letter.encode("utf-16-be", "surrogatepass").hex()
        return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))

    return re.sub(r"[^\x00-\x7e]", fit, text)


def _can(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def indented(text: str) -> str:
    """JSON over several lines. It is not read and written anew: numbers stay as they are."""
    parts: list[str] = []
    depth, before = 0, ""
    for piece in _PIECE.findall(text):
        if piece in "}]":
            depth -= 1
            parts.append("" if before in ("{", "[") else "\n" + "  " * depth)
        elif before in ("{", "[", ","):
            parts.append("\n" + "  " * depth)
        parts.append(": " if piece == ":" else piece)
        depth += piece in ("{", "[")
        before = piece
    return "".join(parts)


def instant(value: object) -> str:
    """An instant of the API (UTC), to the second."""
    return f"{str(value)[:10]} {str(value)[11:19]}" if value else "-"


def aligned(heads: Sequence[str], rows: Iterable[Sequence[object]], width: int | None) -> Iterator[str]:
    """A table, line by line; ``width`` cuts its lines."""
    waiting = iter(rows)
    first = [[plain(cell) for cell in row] for row in islice(waiting, _MEASURED)]
    widths = [max(map(len, column)) for column in zip(heads, *first, strict=True)]
    for row in chain([heads], first, ([plain(cell) for cell in row] for row in waiting)):
        line = "  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip()
        yield line if width is None or len(line) <= width else line[: width - 1] + "~"


def painted(line: str) -> str:
    """The same line with its states in colour."""
    return re.sub(
        rf"(?<![\w.-])({'|'.join(_COLOURS)})(?![\w.-])",
        lambda found: f"\x1b[{_COLOURS[found[0]]}m{found[0]}\x1b[0m",
        line,
    )
