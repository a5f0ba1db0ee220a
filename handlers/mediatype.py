"""Media types as headers write them, in one way for the whole program. Pure.

Type and subtype count without case. Of the parameters only the charset of a text and the boundary of a form matter.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from dispatcher.errors import Unsupported
from handlers.refusals import quoted

__all__ = ["CSV", "JSON", "LINES", "MULTIPART", "URLENCODED", "MediaType", "is_among", "liked_best", "media_type"]

JSON = "application/json"
LINES = "application/x-ndjson"
CSV = "text/csv"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME = re.compile(rf"[ \t]*({_WORD}/{_WORD})[ \t]*(?=;|$)")
_PARAMETER = re.compile(rf';[ \t]*({_WORD})=(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
_WEIGHT = re.compile(r"[01](?:\.[0-9]{0,3})?")
_ESCAPED = re.compile(r"\\(.)")
#: ASCII is UTF-8, too.
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class MediaType(NamedTuple):
    """What a Content-Type says, in small letters but for the values of parameters."""

    #: ``type/subtype``; empty if the header is none.
    name: str
    parameters: Mapping[str, str]

    def check_charset(self) -> None:
        """Raises Unsupported if the charset is named and is neither UTF-8 nor ASCII."""
        charset = self.parameters.get("charset", "")
        if charset and charset.lower() not in _UTF8:
            raise Unsupported(
                f"The Content-Type says charset={quoted(charset)}: send the body in UTF-8, and say charset=utf-8."
            )


@lru_cache(maxsize=64)
def media_type(header: str) -> MediaType:
    """The media type that a header names; of a parameter that stands twice the first one counts."""
    match = _NAME.match(header)
    if match is None:
        return MediaType("", {})
    parameters: dict[str, str] = {}
    for name, in_quotes, plain in _PARAMETER.findall(header, match.end()):
        parameters.setdefault(name.lower(), _ESCAPED.sub(r"\1", in_quotes) or plain.strip())
    return MediaType(match[1].lower(), parameters)


def is_among(name: str, accept: str) -> bool:
    """Whether an Accept header names this media type."""
    return any(media_type(part).name == name for part in accept.split(","))


def liked_best(accept: str, names: Collection[str]) -> str | None:
    """The one of these media types that an Accept header likes best, the first of equals; None: it names none."""
    parts = [media_type(part) for part in accept.split(",")]
    liked = [(-_weight(part), index, part.name) for index, part in enumerate(parts) if part.name in names]
    best = min(liked, default=None)
    return best[2] if best is not None and best[0] < 0 else None


def _weight(part: MediaType) -> float:
    """Its ``q``, from 0 to 1; what is none does not count."""
    text = part.parameters.get("q", "1")
    return float(text) if _WEIGHT.fullmatch(text) else 1.0
