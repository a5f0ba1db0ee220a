"""Data and results on a job's page: laid out for people, or as they were sent. Pure.

Numbers keep every digit, because nothing is parsed: the text is only cut into its tokens and joined anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from msgspec import Struct

__all__ = ["TOKEN", "Part", "part_of"]

#: How many characters a page shows until somebody asks for all, and how many beside a picture.
PREVIEW = 4_000
PREVIEW_BESIDE_PICTURE = 300
#: A longer text is shown whole only as it was sent: laying it out would hold up the server.
LONGEST_LAID_OUT = 200_000
#: Deeper values are not indented any further, so that a small text cannot make a huge page.
_DEEPEST = 20
#: A token of a JSON text.
TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_HIGH, _LOW = r"u[dD][89abAB][0-9a-fA-F]{2}", r"u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:{_HIGH}\\{_LOW}|u[0-9a-fA-F]{{4}}|.)", re.DOTALL)


class Part(Struct, frozen=True):
    """What a page shows of a JSON text."""

    text: str
    #: Whether something is left out.
    cut: bool
    #: Whether it is the text as it was sent.
    as_sent: bool


def part_of(text: str, *, everything: bool, as_sent: bool, pictured: bool = False) -> Part:
    """The text, laid out unless somebody wants it ``as_sent``; its beginning unless somebody wants ``everything``."""
    length = PREVIEW_BESIDE_PICTURE if pictured else PREVIEW
    if as_sent or (everything and len(text) > LONGEST_LAID_OUT):
        cut = not everything and len(text) > length
        return Part(text[:length] if cut else text, cut, True)
    shown: list[str] = []
    size = 0
    for piece in _laid_out(text):
        if size >= length and not everything:
            return Part("".join(shown)[:length], True, False)
        shown.append(piece)
        size += len(piece)
    whole = "".join(shown)
    cut = len(whole) > length and not everything
    return Part(whole[:length] if cut else whole, cut, False)


def _laid_out(text: str) -> Iterator[str]:
    """Each value on a line of its own, indented."""
    depth, before = 0, ""
    for found in TOKEN.finditer(text):
        token = found[0]
        if token in ("]", "}"):
            depth -= 1
            if before not in ("[", "{"):
                yield _new_line(depth)
        elif before in ("[", "{", ","):
            yield _new_line(depth)
        yield ": " if found[0] == ":" else _ESCAPE.sub(_decoded, token) if token[0] == '"' else token
        depth += token in ("[", "{")
        before = token


def _new_line(depth: int) -> str:
    return "\n" + "  " * min(depth, _DEEPEST)


def _decoded(escape: re.Match[str]) -> str:
    r"""``\u00d6`` becomes ``Ö``. What nobody could see, and what JSON must escape, stays."""
    try:
        character = str(json.loads(f'"{escape[0]}"'))
    except ValueError:
        return escape[0]
    return character if character.isprintable() and character not in '"\\' else escape[0]
