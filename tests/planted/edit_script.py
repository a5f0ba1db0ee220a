"""Changes one function of the worker page, named as ``Worker._begin``; blanks and comments do not matter."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.planted.misfit import Misfit

__all__ = ["edited"]

_TOKEN = re.compile(
    r"(?P<blank>\s+|//[^\n]*|/\*.*?\*/)|(?P<token>'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|[\w$]+|.)", re.DOTALL
)


class _Token(NamedTuple):
    text: str
    start: int
    end: int


def edited(text: str, name: str, old: str | None, new: str) -> str:
    """The text with ``new`` in place of ``old``; without ``old``, ``new`` is the whole function. Raises Misfit."""
    start, end = _body(text, name)
    if old is None:
        return f"{text[:start]}\n{new}\n{text[end:]}"
    body, wanted = _tokens(text[start:end]), [token.text for token in _tokens(old)]
    texts = [token.text for token in body]
    places = [at for at in range(len(body)) if texts[at : at + len(wanted)] == wanted]
    if len(places) != 1:
        raise Misfit(f"{old!r} stands {len(places)} times in {name}, not once")
    first, last = body[places[0]], body[places[0] + len(wanted) - 1]
    return f"{text[: start + first.start]}{new}{text[start + last.end :]}"


def _tokens(text: str) -> list[_Token]:
    return [_Token(match["token"], *match.span()) for match in _TOKEN.finditer(text) if match["token"]]


def _body(text: str, name: str) -> tuple[int, int]:
    """The span between the braces of the function."""
    constructor, _, method = name.partition(".")
    head = rf"{constructor}\.prototype\.{method} = function \([^)]*\) {{" if method else rf"function {name}\([^)]*\) {{"
    found = list(re.finditer(head, text))
    if len(found) != 1:
        raise Misfit(f"{name} is not there")
    depth, start = 1, found[0].end()
    for token in _tokens(text[start:]):
        depth += (token.text == "{") - (token.text == "}")
        if depth == 0:
            return start, start + token.start
    raise Misfit(f"{name} has no end")
