"""The text on the wire: Engine.IO payloads and the messages of the worker protocol, as a page uses them.

Pure. ``data`` is kept as the JSON text that came, so that a page can send it back unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SEPARATOR", "Message", "NotAMessage", "encode", "encode_report", "join", "parse"]

#: Stands between the packets of a payload. JSON text never contains it: control characters are escaped there.
SEPARATOR = "\x1e"

_SPACE = re.compile(r"[ \t\r\n]*")
_values = json.JSONDecoder()


class NotAMessage(ValueError):
    """The text is not a JSON object with an ``op``."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the server."""

    op: str
    fields: dict[str, Any] = field(default_factory=dict)
    #: The JSON text of ``data``; ``null`` if there is none.
    data: str = "null"

    def text(self, name: str) -> str:
        """The field as a string; empty if it is missing or something else."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def parse(text: str) -> Message:
    """Read one message. Raises NotAMessage."""
    try:
        members, texts = _members(text)
    except (ValueError, IndexError, RecursionError) as error:
        raise NotAMessage(f"{error}: {text[:80]!r}") from None
    op = members.get("op")
    if not isinstance(op, str):
        raise NotAMessage(f"no op: {text[:80]!r}")
    return Message(op, members, texts.get("data", "null"))


def _members(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The members of a JSON object, as values and as the text they were written in."""
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    at = _expect(text, 0, "{")
    if text[at] == "}":
        return values, texts
    while True:
        name, at = _values.raw_decode(text, _skip(text, at))
        at = _expect(text, at, ":")
        values[name], end = _values.raw_decode(text, at)
        texts[name] = text[at:end]
        at = _skip(text, end)
        if text[at] == "}":
            return values, texts
        at = _expect(text, at, ",")


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _expect(text: str, at: int, character: str) -> int:
    at = _skip(text, at)
    if text[at] != character:
        raise ValueError(f"expected {character} at {at}")
    return _skip(text, at + 1)


def encode(op: str, **fields: object) -> str:
    """The text of a message to the server; fields that are None are left out."""
    given = {name: value for name, value in fields.items() if value is not None}
    return json.dumps({"op": op, **given}, separators=(",", ":"))


def encode_report(attempt: str, value: str) -> str:
    """The text of a ``result`` whose ``value`` is JSON text already."""
    return f'{{"op":"result","attempt":{json.dumps(attempt)},"value":{value}}}'


def join(packets: Iterable[str]) -> bytes:
    """The body of a POST."""
    return SEPARATOR.join(packets).encode()
