"""Where a job's texts have what is searched: the name of each such text, and what stands around its first hit. Pure.

The texts are JSON, or a summary, as they came. So a hit is found word by word, each in the form in which searches
compare it (search.py), and shown in the letters in which it stands there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence

from msgspec import Struct

from dispatcher.core.jobs.keys import KEY_MARK, key_shown
from dispatcher.core.jobs.views.search import MOST_CHARS, Phrase, Search, hits, words_of

__all__ = ["Snippet", "snippets_of"]

#: The most characters before a hit, in it, and behind it.
_BEFORE, _HIT, _AFTER = 40, 80, 40
#: An escape that is no letter of its own; or a run of letters, some perhaps written as escapes, with their accents.
_RUN = re.compile(r"\\[^u]|((?:\\u[0-9a-fA-F]{4}|[^\W_]|[\u0300-\u036f])+)", re.DOTALL)


class Snippet(Struct, frozen=True):
    """What is around a hit. A text that is cut has a ``…``."""

    #: One of SEARCHED.
    field: str
    before: str
    hit: str
    after: str


def snippets_of(search: Search, texts: Sequence[str | None]) -> tuple[Snippet, ...]:
    """The first hit of each text that has all that is searched. ``texts``: those of SEARCHED."""
    return tuple(_snippet(search, field, text) for field, text in hits(search, texts))


def _snippet(search: Search, field: str, text: str) -> Snippet:
    if field == "key":
        shown = key_shown(text)
        return _around(field, shown, (0, len(shown.partition(KEY_MARK)[0])))
    if field == "id":
        since = 0 if text.startswith(search.job_id) else len(text) - len(search.job_id)
        return _around(field, text, (since, since + len(search.job_id)))
    return _around(field, text, _first(search.phrases, text))


def _around(name: str, text: str, place: tuple[int, int]) -> Snippet:
    since, until = place
    first, last = max(0, since - _BEFORE), until + _AFTER
    before = ("…" if first else "") + text[first:since]
    hit = text[since:until] if until - since <= _HIT else f"{text[since : since + _HIT]}…"
    return Snippet(name, before, hit, text[until:last] + ("…" if last < len(text) else ""))


def _first(search: Sequence[Phrase], text: str) -> tuple[int, int]:
    """From where to where the first phrase that stands there does; nowhere, at the beginning, if none is found."""
    longest = max(len(phrase.words) for phrase in search)
    lately: deque[tuple[str, int, int]] = deque(maxlen=longest)
    for word in _words(text[:MOST_CHARS]):
        lately.append(word)
        for phrase in search:
            if _ends(phrase, lately):
                return lately[-len(phrase.words)][1], word[2]
    return 0, 0


def _ends(phrase: Phrase, lately: Sequence[tuple[str, int, int]]) -> bool:
    """Whether the phrase ends with the last of these words."""
    count = len(phrase.words)
    if len(lately) < count:
        return False
    *words, last = (lately[place][0] for place in range(-count, 0))
    fits = last.startswith(phrase.words[-1]) if phrase.is_open else last == phrase.words[-1]
    return fits and tuple(words) == phrase.words[:-1]


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word as it is compared, and its place."""
    for found in _RUN.finditer(text):
        if found[1] is not None:
            yield from ((word, *found.span()) for word in words_of(found[1]))
