"""Search over jobs: what a person's text asks for, and whether a job is meant.

A word is a run of letters and digits. Case and accents do not count. All that is asked for must stand in the same one
of a job's texts: its data, its result, its last error or its summary. Or the whole text is the job's key, its id, or
eight hex digits and more of the beginning or the end of its id, as lists show it. A store may have an index; this says
what it must find.

A store keeps words in the form that ``plain`` makes. If that form changes, every index must be made anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from dispatcher.core.jobs.keys import KEY_MARK, key_of_owner
from dispatcher.errors import BadParameter

__all__ = [
    "LONGEST_SEARCH",
    "MOST_CHARS",
    "MOST_WORDS",
    "SEARCHED",
    "Phrase",
    "Search",
    "has_text",
    "hits",
    "plain",
    "search_of",
    "words_of",
]

#: What is searched of a job, in the order in which stores read it: its texts, and by what it is called.
SEARCHED = ("data", "result", "error", "summary", "id", "key")
#: The characters at the beginning of each text that are searched.
MOST_CHARS = 4_096
LONGEST_SEARCH = 200
MOST_WORDS = 10

_WORD = re.compile(r"[^\W_]+")
_NO_LETTER = re.compile(r"[\W_]+")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ASKED = re.compile(r'"([^"]*)"?|([^\s"]+)')
_BLANKS = frozenset("bfnrt")
#: A part of an id, perhaps with the dots that stand for the rest of it.
_PART = re.compile(r"[.…]*((?:[0-9a-f]-?){7,31}[0-9a-f])[.…]*")


class Phrase(Struct, frozen=True):
    """Words that follow each other."""

    words: tuple[str, ...]
    #: Whether the last one may go on: ``label`` finds ``labels``.
    is_open: bool

    def within(self, words: str) -> bool:
        """Whether the phrase is there. ``words``: each between two blanks."""
        sought = " ".join(self.words)
        return f" {sought}" in words if self.is_open else f" {sought} " in words


class Search(Struct, frozen=True):
    """What a text asks for: words, or a job by its id or its key."""

    phrases: tuple[Phrase, ...]
    #: The whole text as an id, in small letters.
    job_id: str
    #: Whether it may also be the beginning or the end of one.
    is_part: bool
    #: The whole text as a key, in each way in which it may be kept.
    keys: tuple[str, ...]

    def has(self, field: str, text: str) -> bool:
        """Whether this text of a job has it; ``field``: one of SEARCHED."""
        if field == "id":
            return text == self.job_id or (
                self.is_part and (text.startswith(self.job_id) or text.endswith(self.job_id))
            )
        if field == "key":
            return text.partition(KEY_MARK)[0] in self.keys
        return _has(self.phrases, text)


def hits(search: Search, texts: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    """The texts of a job that have it, each with its field. ``texts``: those of SEARCHED."""
    named = zip(SEARCHED, texts, strict=True)
    return ((field, text) for field, text in named if text is not None and search.has(field, text))


def plain(text: str) -> str:
    """The beginning of a text (JSON, or a summary) in the form that is searched. Beyond ASCII it has lower letters,
    digits and blanks; of ASCII a reader must take all but letters and digits for blanks, and not heed the case.
    """
    text = text[:MOST_CHARS]
    if "\\" in text:
        text = _ESCAPE.sub(_meant, text)
    return text if text.isascii() else _folded(text)


def _meant(escape: re.Match[str]) -> str:
    code, sign = escape.groups()
    return chr(int(code, 16)) if code else " " if sign in _BLANKS else str(sign)


def _folded(text: str) -> str:
    # The two halves of a character that JSON wrote as two escapes come together.
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    apart = unicodedata.normalize("NFKD", whole.casefold()).casefold()
    # A text has many characters, and few different ones.
    for char in set(apart):
        if unicodedata.combining(char):
            apart = apart.replace(char, "")
    return _NO_LETTER.sub(" ", apart)[:MOST_CHARS]


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower() if text.isascii() else _folded(text)))


def words_of(text: str) -> tuple[str, ...]:
    """The words of a piece of JSON, in the form in which they are compared."""
    return _words(plain(text))


def search_of(text: str, owner: str | None = None) -> Search:
    """What a text asks for: words that a job's words begin with, and phrases in quotation marks as they are; or a job
    that is called so. ``owner``: whose jobs are meant; None: anybody's.

    No sign in it has a meaning but the quotation mark. Raises BadParameter.
    """
    phrases, lower = _phrases(text), text.strip().lower()
    part = _PART.fullmatch(lower)
    keys = (text.strip(),) if owner is None else (text.strip(), key_of_owner(text.strip(), owner))
    return Search(phrases, lower if part is None else part[1], part is not None, keys)


def _phrases(text: str) -> tuple[Phrase, ...]:
    if len(text) > LONGEST_SEARCH:
        words = f"q has {len(text)} characters; at most {LONGEST_SEARCH} go: leave out words."
        raise BadParameter(words, parameter="q")
    parts = [(_words(match[1] or match[2] or ""), match[2] is not None) for match in _ASKED.finditer(text)]
    found = tuple(dict.fromkeys(Phrase(words, is_open) for words, is_open in parts if words))
    if not found:
        raise BadParameter("q has no letter and no digit: write a word to search for.", parameter="q")
    count = sum(len(phrase.words) for phrase in found)
    if count > MOST_WORDS:
        raise BadParameter(f"q has {count} words; at most {MOST_WORDS} go: leave out some.", parameter="q")
    return found


def has_text(search: Iterable[Phrase], texts: Iterable[str | None]) -> bool:
    """Whether one of a job's texts has all of this."""
    search = tuple(search)
    return any(_has(search, text) for text in texts if text is not None)


def _has(search: tuple[Phrase, ...], text: str) -> bool:
    text = plain(text)
    text = text.lower() if text.isascii() else text
    # Most texts lack one of the words. To see that is far less work than to take them apart.
    if not all(word in text for phrase in search for word in phrase.words):
        return False
    words = f" {' '.join(_NO_LETTER.sub(' ', text).split())} "
    return all(phrase.within(words) for phrase in search)
