"""What a flight record hides: what was put into a job and what came out, wherever it stands, and what looks like a
secret. Pure.

In data and results each text and number becomes a mark. Names of fields stay, if they look like names that a program
gives: some objects have a person's name or a number there. A message, a log line or a summary often repeats a value, so
there each word that stands in a value becomes a mark, too, however it is written there: ``4711`` in ``A4711``, in
``order_4711`` and as ``4,711``. Rather a word too many is hidden than one too few.

A secret that is no value of the job is known by the word before it (``password=``, ``pin 9981``) or by its form. That
finds the usual ones, and not every one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from unicodedata import category, normalize

from handlers.console.values import TOKEN

__all__ = ["LONGEST_READ", "MARK", "SIGNS", "Mask", "without_secrets"]

#: What stands in the place of what is hidden.
MARK = "•••"
#: Values of more characters together are not read for their words: then all free text is hidden.
LONGEST_READ = 100_000
#: Signs that are part of the letter before them; Python counts few of them among a word's.
SIGNS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0730-\u074a"
    "\u08d3-\u0963\u0966-\u0dff\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
#: Between words of these no blanks stand, or something is added to the word: each letter counts as a word.
_JOINED = (
    "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fff\u3005-\u3007\u3031-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
#: A number in groups, or what stands between two blanks, dots or other such signs.
_WORD = re.compile(
    rf"\d{{1,3}}(?:[.,'’\u00a0\u202f ]\d{{3}})+(?!\w)|[^\W_{SIGNS}]+(?:[{SIGNS}]+[^\W_{SIGNS}]*)*"
    rf"|(?:[{SIGNS}]+[^\W_{SIGNS}]*)+"
)
#: What such a word is made of.
_PART = re.compile(rf"\d+|[{_JOINED}]|(?:[^\W\d_{_JOINED}]|[{SIGNS}])+")
_JOINED_LETTER = re.compile(f"[{_JOINED}]")
_SPLIT_NUMBER = re.compile(r"\d{1,3}(?:\D\d{3})+")
_MARKS = re.compile(f"(?:{MARK}){{2,}}")
#: The name of a field as programs give it.
_FIELD = re.compile(r'"[^\W\d][\w$.-]{0,63}"')
_PLAIN = frozenset(("{", "}", "[", "]", ":", ",", "true", "false", "null"))

#: Words before a secret. What page scripts say of a wrong sign is none: "Unexpected token: <".
_NAME = r"""(?:pass(?:wor[dt]|wd|phrase)|paßwort|kennwort|pwd)\w{0,30}
    |(?<!unexpected\ )(?:(?:api|access|secret|private)[\ _-]?key|secret|token|authorization|bearer)\d{0,3}(?!\w)"""
#: Short ones, which stand in many other words, too: a word of its own, or the end of one like ``cardPin`` and ``mTAN``.
_SHORT = r"(?:(?<![^\W\d_])(?:pass|pin|tan)|(?-i:(?<=[a-z])(?:Pass|Pin|PIN|Tan|TAN)))(?!\w)"
_MORE = r"""(?:[\s|-]+(?:is|was|to|code|number|no\.|ist|war|lautet|auf|nummer|nr\.)){0,2}"""
#: With a sign between them whatever follows is hidden, to the next blank or to the end of the quotes.
_EQUALS = r"""(?:\\*["'])?[)\]]?\s*(?::=|={1,3}>?|:(?!:|//))[\s|]*(?:(?:bearer|basic|digest|negotiate|token)\s+)?"""
_ANY = r"""(?:\\+"[^"\r\n]*"?|"(?:\\.|[^"\\\r\n])*"?|'(?:\\.|[^'\\\r\n])*'?|[^\s&<>|]*[^\s&<>|,;.:!?()\[\]{}"'])"""
_DIGITS = r"\d(?:[\ -]?\d)*"
#: Without one only what looks like a secret: it has a digit, and four signs or more; behind a short word, four digits.
_BLANKS = r"""[ \t\u00a0|("'\#-]+"""
#: How all of them begin. Asked first, it takes a third of the time.
_BEGIN = r"(?=pa[sß]|kenn|pwd|api|acc|sec|pri|tok|aut|bea|pin|tan|://|ph_|phw|eyj)"
_SECRETS = re.compile(
    rf"""{_BEGIN}(?:(?P<kept>(?:{_NAME}){_MORE}{_EQUALS}){_ANY}
    |(?P<kept_blank>(?:{_NAME}){_MORE}{_BLANKS})(?=[^\s&<>|]*\d)(?=\w[^\s&<>|]{{3}}){_ANY}
    |(?P<kept_short>{_SHORT}{_MORE}{_EQUALS})(?:{_DIGITS}|{_ANY})
    |(?P<kept_number>{_SHORT}{_MORE}{_BLANKS})(?=(?:\d[\ -]?){{4}}){_DIGITS}
    |(?P<kept_scheme>://)[^\s/?\#"'<>]+(?=@)
    |(?<!\w)(?:ph_[a-z0-9]{{8}}_[\w-]{{20,}}|phw_[\w-]{{20,}}|eyJ[\w-]{{8,}}\.[\w-]+(?:\.[\w-]*)?))
    """,
    re.IGNORECASE | re.VERBOSE,
)


def without_secrets(text: str) -> str:
    """What somebody said, without what looks like a secret."""
    return _SECRETS.sub(lambda found: "".join(filter(None, found.groups())) + MARK, text)


class Mask:
    """Hides the values of some JSON texts, in them and in what was said of them."""

    def __init__(self, texts: Iterable[str | None], *, hides_all: bool = False) -> None:
        values = [text for text in texts if text]
        #: Free text is hidden as a whole: nobody knows what to look for, or it is too much.
        self.hides_all = hides_all or sum(map(len, values)) > LONGEST_READ
        self._words = frozenset() if self.hides_all else frozenset(_words(values))

    def value(self, text: str) -> str:
        """A JSON text with its shape and the names of its fields, and no value."""
        if self.hides_all:
            return MARK
        return "".join(token if is_shown else _hidden(token) for token, is_shown in _tokens(text))

    def words(self, text: str) -> str:
        """What somebody said, without the words of values and without secrets."""
        if self.hides_all:
            return MARK if text else ""
        # Secrets first: the word before one may be hidden itself.
        return _WORD.sub(self._word, without_secrets(text))

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        if word.isascii() and word.isalpha():  # the usual one: it has no parts
            return MARK if word.casefold() in self._words else word
        if _key(word) in self._words:
            return MARK
        return _MARKS.sub(MARK, _PART.sub(lambda part: MARK if _key(part[0]) in self._words else part[0], word))


def _hidden(token: str) -> str:
    return f'"{MARK}"' if token.startswith('"') else MARK


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Each token, and whether it is shown: it is no value, or the name of a field."""
    found = [token[0] for token in TOKEN.finditer(text)]
    for token, behind in zip(found, [*found[1:], ""], strict=True):
        yield token, token in _PLAIN or (behind == ":" and _FIELD.fullmatch(token) is not None)


def _words(values: Iterable[str]) -> Iterator[str]:
    for text in values:
        for token, is_shown in _tokens(text):
            for word in () if is_shown else _WORD.findall(_text_of(token)):
                yield from filter(_tells, map(_key, (word, *_PART.findall(word))))


def _tells(word: str) -> bool:
    """A single letter or digit gives nothing away, and would hide too much."""
    return len(word) > 1 or _JOINED_LETTER.match(word) is not None


def _key(word: str) -> str:
    """The same for all ways to write a word, with its accents or without."""
    if word.isascii():
        return _whole(word).casefold()
    return _whole(_bare(_bare(word).casefold()))


def _bare(word: str) -> str:
    """The letters without their signs, each in its usual form."""
    return "".join(letter for letter in normalize("NFKD", word) if not category(letter).startswith("M"))


def _whole(word: str) -> str:
    """A number without what parts its groups."""
    return re.sub(r"\D", "", word) if _SPLIT_NUMBER.fullmatch(word) else word


def _text_of(token: str) -> str:
    """A text without its escapes; a number as it stands."""
    return str(json.loads(token, strict=False)) if token.startswith('"') else token
