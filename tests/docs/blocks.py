"""The blocks of the documentation's pages: examples that tests take as they stand there."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.support.places import ROOT

__all__ = ["Block", "blocks", "indented_of", "only", "section_of"]

#: A block may stand in a list, or in a box (a quotation).
_BLOCK = re.compile(r"^(?P<margin>(?:> |[ ])*)```(?P<language>\w*)\n(?P<body>.*?)^(?P=margin)```$", re.M | re.S)


class Block(NamedTuple):
    """What stands between two fences, without the margin, and where it begins on the page."""

    language: str
    body: str
    start: int


def blocks(page: str) -> list[Block]:
    """In their order; ``page`` is a path from the project's root."""
    return [_block(found) for found in _BLOCK.finditer((ROOT / page).read_text("utf-8"))]


def _block(found: re.Match[str]) -> Block:
    margin = len(found["margin"])
    lines = [line[margin:] for line in found["body"].splitlines()]
    return Block(found["language"], "".join(line + "\n" for line in lines), found.start())


def only(page: str, language: str, words: str = "") -> str:
    """The one block of this language that has these words."""
    [body] = [block.body for block in blocks(page) if block.language == language and words in block.body]
    return body


def indented_of(page: str, words: str) -> str:
    """The one line of commands (four spaces before it) that has these words."""
    [line] = re.findall(rf"^ {{4}}(.*{re.escape(words)}.*)$", (ROOT / page).read_text("utf-8"), re.M)
    return str(line)


def section_of(page: str, start: int) -> str:
    """The text of the section in which a block stands, up to the next heading of any level."""
    text = (ROOT / page).read_text("utf-8")
    before = text.rfind("\n#", 0, start)
    after = re.search(r"^#+ ", text[start:], re.M)
    return text[max(0, before) : start + after.start() if after else len(text)]
