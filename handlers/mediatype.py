"""Media types as headers write them, in one way for the whole program. Pure.

Type and subtype count without case. Of the parameters only the charset of a text and the boundary of a form matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from dispatcher.errors import Unsupported
from handlers.refusals import quoted

__all__ = ["JSON", "LINES", "MULTIPART", "URLENCODED", "MediaType", "is_among", "media_type"]

JSON = "application/json"
LINES = "application/x-ndjson"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME = re.compile(rf"[ \t]*({_WORD}/{_WORD})[ \t]*(?=;|$)")
_PARAMETER = re.compile(rf';[ \t]*({_WORD})=(?:"((?:[^"\\]|\\.)*)"|([^;]*))')
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
