"""What a flight record hides: what was put into a job and what came out, wherever it stands. Pure.

In data and results each text and number becomes a mark; names of fields stay. A message, a log line or a summary often
repeats a value, so there each word that stands in a value becomes a mark, too. Rather a word too many is hidden than
one too few.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

__all__ = ["LONGEST_READ", "MARK", "Mask"]

#: What stands in the place of what is hidden.
MARK = "•••"
#: Values of more characters together are not read for their words: then all free text is hidden.
LONGEST_READ = 200_000
#: A shorter word gives nothing away, and would hide too much.
_WORD = re.compile(r"\w{3,}")
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', re.DOTALL)
_PLAIN = frozenset(("{", "}", "[", "]", ":", ",", "true", "false", "null"))


class Mask:
    """Hides the values of some JSON texts, in them and in what was said of them."""

    def __init__(self, texts: Iterable[str | None]) -> None:
        values = [text for text in texts if text]
        #: Free text is hidden as a whole: there is too much to look for.
        self.hides_all = sum(map(len, values)) > LONGEST_READ
        self._words = frozenset() if self.hides_all else frozenset(_words(values))

    def value(self, text: str) -> str:
        """A JSON text with its shape and the names of its fields, and no value."""
        if self.hides_all:
            return MARK
        return "".join(token if is_name or token in _PLAIN else _hidden(token) for token, is_name in _tokens(text))

    def words(self, text: str) -> str:
        """What somebody said, without the words of values."""
        if self.hides_all:
            return MARK if text else ""
        return _WORD.sub(lambda found: MARK if found[0].casefold() in self._words else found[0], text)


def _hidden(token: str) -> str:
    return f'"{MARK}"' if token.startswith('"') else MARK


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Each token, and whether it is the name of a field."""
    found = [token[0] for token in _TOKEN.finditer(text)]
    for token, behind in zip(found, [*found[1:], ""], strict=True):
        yield token, behind == ":"


def _words(values: Iterable[str]) -> Iterator[str]:
    for text in values:
        for token, is_name in _tokens(text):
            if not is_name and token not in _PLAIN:
                yield from (word.casefold() for word in _WORD.findall(_text_of(token)))


def _text_of(token: str) -> str:
    """A text without its escapes; a number as it stands."""
    return str(json.loads(token, strict=False)) if token.startswith('"') else token
