"""Texts from outside: bytes as UTF-8, and in words what is wrong with them or with their JSON.

Owns the words, for the API, the form, the settings and the pages' messages alike: what stands where, and what to do.
It decodes no JSON itself: msgspec does, and what msgspec says tells the place.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from dispatcher.nesting import MOST_LEVELS

__all__ = [
    "AS_BODY",
    "AS_FILE",
    "field_of",
    "json_fault",
    "query_field_of",
    "shape_fault",
    "text_of",
    "wide_fault",
    "without_mark",
]

#: What to do about a text that is not UTF-8.
AS_FILE = "save it as UTF-8"
AS_BODY = "send it as UTF-8 (in PowerShell: -Body ([Text.Encoding]::UTF8.GetBytes($text)))"

_MARK = b"\xef\xbb\xbf"
#: Marks of UTF-16, and of UTF-32 that begins with its low bytes.
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_GZIP = b"\x1f\x8b"
_BREAK = b"\n"
#: The first half of a pair without a second one after it. An escaped backslash before it is stepped over.
_FIRST_HALF = re.compile(rb"(?<!\\)(?:\\\\)*+(\\u[dD][89abAB][0-9a-fA-F]{2})(?!\\u)")
_ANY_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_BYTE = re.compile(r" \(byte ([0-9]+)\)$")
#: The most letters of a word on each side of the place.
_MOST_LETTERS = 30
_NUMBERS = "a number is written as in 12, -0.5 or 1e6"
#: How other languages write what JSON has, too.
_WRITTEN_ELSEWHERE = {
    "true": "true",
    "false": "false",
    "null": "null",
    "none": "null",
    "undefined": "null",
    "nil": "null",
}
_CONTROLS = {
    "\n": "a line break, write it as \\n",
    "\r": "a line break, write it as \\r",
    "\t": "a tab, write it as \\t",
}
_SIGNS = {
    "'": "' is no quotation mark in JSON: write \"",
    "/": "there are no comments in JSON",
    "+": _NUMBERS,
    ".": _NUMBERS,
    "\N{BYTE ORDER MARK}": "a byte order mark (U+FEFF) stands at the very start alone, once: leave this one out",
    **{sign: "a value is missing here, or a comma is too many" for sign in ",]}:"},
}
#: What the decoder says, and our words for it.
_SAID = {
    "trailing comma": "nothing follows the comma before this: leave the comma out",
    "trailing characters": "there is something after the end of the value",
    "invalid number": _NUMBERS,
    "expected ':'": "a colon is missing after a field's name",
    "expected ',' or '}'": "a comma or a closing brace is missing before this",
    "expected ',' or ']'": "a comma or a closing bracket is missing before this",
}


def without_mark(raw: bytes) -> bytes:
    """The bytes without a byte order mark of UTF-8: Windows' programs put it before their texts."""
    return raw.removeprefix(_MARK)


def text_of(raw: bytes, *, first_line: int = 1) -> str:
    """A document as text, without a byte order mark. Raises ValueError, in words, if it is not UTF-8.

    What to do then, ``AS_FILE`` or ``AS_BODY``, is for the caller to say.
    """
    plain = without_mark(raw)
    if wide := wide_fault(plain):
        raise ValueError(wide)
    return field_of(plain, first_line=first_line)


def wide_fault(raw: bytes) -> str:
    """What is said of bytes that are UTF-16 or UTF-32, with a mark or without one; empty if they are neither."""
    zeros = b"\0" in raw[:4] and not raw.startswith(_GZIP)
    return _other_encoding(raw) if zeros or raw.startswith(_OTHER_MARKS) else ""


def field_of(raw: bytes, *, first_line: int = 1) -> str:
    """A field as text, whatever it holds. Raises ValueError, in words, if it is not UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(_not_utf8(raw, error.start, first_line)) from None


def query_field_of(raw: bytes) -> str:
    """The same for a field of an address, where a character is written as its bytes."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte, place = raw[error.start], len(raw[: error.start].decode("utf-8")) + 1
        meant = _meant_by(byte)
        guess = f", {meant} in Windows-1252 and Latin-1" if meant else ""
        example = meant or "\N{LATIN SMALL LETTER U WITH DIAERESIS}"
        words = f"is not UTF-8 (character {place} is %{byte:02X}{guess}): write {example} as {quote(example)}"
        raise ValueError(words) from None


def _other_encoding(raw: bytes) -> str:
    # In UTF-32 two of the first bytes are zeros beside each other.
    width = 32 if b"\0\0" in raw[:4] else 16
    return f"is in UTF-{width}, not in UTF-8"


def _not_utf8(raw: bytes, at: int, first_line: int = 1) -> str:
    """Why these bytes are not UTF-8; the one at this place shows it."""
    if wide := wide_fault(raw):
        return wide
    if raw.startswith(_GZIP):
        return "is compressed (gzip), not UTF-8"
    meant = _meant_by(raw[at])
    guess = f", {meant} in Windows-1252 and Latin-1" if meant else ""
    where = _where(raw, at, first_line)
    return f"is not UTF-8 ({where} has the byte 0x{raw[at]:02X}{guess})"


def _meant_by(byte: int) -> str:
    """The character of this byte in the encodings that are likely instead; empty where they differ."""
    return chr(byte) if byte > 0xA0 else ""


def _where(raw: bytes, at: int, first_line: int = 1) -> str:
    """The place as editors count: lines and characters, both from 1."""
    start = raw.rfind(_BREAK, 0, at) + 1
    column = len(raw[start:at].decode("utf-8", "replace")) + 1
    return f"line {first_line + raw.count(_BREAK, 0, at)}, column {column}"


def json_fault(raw: bytes, error: Exception, *, first_line: int = 1) -> str:
    """What msgspec's error means, and where. ``raw`` is UTF-8; ``first_line`` is the number of its first line."""
    if isinstance(error, RecursionError):
        return f"it is nested too deeply (at most {MOST_LEVELS} levels)"
    if not raw.strip(b" \t\r\n"):
        return "it is empty"
    at, words = _fault(raw, str(error))
    return f"{_where(raw, at, first_line)}: {words}"


#: What msgspec says of a value's kind, and how we call it.
_KINDS = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "an object", "null": "null",
}  # fmt: skip
_PLACE = re.compile(r" - at `(key` in `)?\$?\.?([^`]*)`$")
_MISSING = re.compile(r"Object missing required field `([^`]*)`")
_OTHER_KIND = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`|$| - )")
_LENGTH = re.compile(r"Expected `(\w+)` of length (>=|<=) (\d+)")
_RANGE = re.compile(r"Expected `\w+` (>=|<=|>|<) (\S+)")
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def shape_fault(error: Exception) -> str:
    """What msgspec says of a value that is JSON and has the wrong shape, in our words and with its place."""
    said = str(error)
    where = _place_in(said)
    if found := _MISSING.match(said):
        return f"{where}.{found[1]} is missing" if where else f"{found[1]} is missing"
    name = where or "it"
    if found := _OTHER_KIND.match(said):
        return f"{name} must be {_kinds(found[1])}" + (f", and is {_kinds(found[2])}" if found[2] else "")
    if found := _LENGTH.match(said):
        one, many = ("character", "characters") if found[1] == "str" else ("entry", "entries")
        return f"{name} must have {_BOUNDS[found[2]]} {found[3]} {one if found[3] == '1' else many}"
    if found := _RANGE.match(said):
        return f"{name} must be {_BOUNDS[found[1]]} {found[2].removesuffix('.0')}"
    if said.startswith("Expected `str` matching regex"):
        return f"{name} has characters that may not stand there"
    return f"{name} is not as it must be"


def _place_in(said: str) -> str:
    place = _PLACE.search(said)
    if place is None:
        return ""
    if place[1]:
        return f"a name in {place[2]}"
    return f"a value in {place[2].removesuffix('[...]')}" if place[2].endswith("[...]") else place[2]


def _kinds(said: str) -> str:
    return " or ".join(_KINDS.get(kind.strip(), kind.strip()) for kind in said.split("|"))


def _fault(raw: bytes, said: str) -> tuple[int, str]:
    found = _BYTE.search(said)
    if found is None:
        return _cut_off(raw)
    at = int(found[1])
    if "surrogate" in said or "hex escape" in said:
        return _lone_half(raw, at)
    if "escape" in said:
        return _bad_escape(raw, at)
    if "trailing characters" in said:
        at -= 1
    for part, words in _SAID.items():
        if part in said:
            return at, words
    return _bad_character(raw, at, in_name="object keys" in said or "expected '\"'" in said)


def _cut_off(raw: bytes) -> tuple[int, str]:
    half = _FIRST_HALF.search(raw)
    if half is not None:
        return half.start(1), _half_words(raw, half.start(1))
    return len(raw), "it ends too early: something is still open, a text, a bracket or a brace"


def _lone_half(raw: bytes, at: int) -> tuple[int, str]:
    start = raw.rfind(b"\\u", 0, at)
    if not _ANY_HALF.match(raw, start):
        # A first half, and then an escape that is no second one.
        start -= len("\\ud800")
    return start, _half_words(raw, start)


def _half_words(raw: bytes, at: int) -> str:
    escape = raw[at : at + 6].decode("ascii", "replace")
    return f"{escape} is half a character (half a surrogate pair): send both halves, or leave it out"


def _bad_escape(raw: bytes, at: int) -> tuple[int, str]:
    start = raw.rfind(b"\\", 0, at + 1)
    sign = raw[start + 1 : start + 5].decode("utf-8", "replace")[:1]
    if sign == "u":
        return start, "\\u needs four digits of 0-9 a-f after it; a backslash itself is written as \\\\"
    return start, f"\\{sign} means nothing in JSON: a backslash itself is written as \\\\"


def _bad_character(raw: bytes, at: int, *, in_name: bool) -> tuple[int, str]:
    rest = raw[at : at + 40].decode("utf-8", "replace")
    sign = rest[:1]
    if in_name and sign == "}":
        return at, _SAID["trailing comma"]
    if in_name and sign.isdigit():
        return at, "a field's name is expected here, in quotation marks; a decimal fraction is written with a point"
    if in_name and sign not in ("/", "\N{BYTE ORDER MARK}"):
        return at, "a field's name stands in quotation marks: \""
    if not sign:
        return at, _NUMBERS
    if sign < " ":
        return at, f"a text may not hold {_CONTROLS.get(sign) or f'the raw character U+{ord(sign):04X}'}"
    if sign.isascii() and sign.isalpha():
        return _bad_word(raw, at)
    return at, _SIGNS.get(sign) or f"{sign} (U+{ord(sign):04X}) may stand in a text alone"


def _bad_word(raw: bytes, at: int) -> tuple[int, str]:
    start, word = _word_at(raw, at)
    if word.lower() in ("nan", "infinity", "inf"):
        minus = raw[start - 1 : start] == b"-"
        return start - minus, f"there is no {'-' * minus}{word} in JSON: send null, or a text"
    meant = _WRITTEN_ELSEWHERE.get(word.lower())
    if meant is not None:
        return start, f"JSON writes {word} as {meant}"
    return start, f'{word} stands without quotation marks: a text is written as "{word}"'


def _word_at(raw: bytes, at: int) -> tuple[int, str]:
    """The word with a letter at this place, and where it begins."""
    start = end = at
    while at - start < _MOST_LETTERS and raw[start - 1 : start].isalpha():
        start -= 1
    while end - at < _MOST_LETTERS and raw[end : end + 1].isalpha():
        end += 1
    return start, raw[start:end].decode("ascii")
