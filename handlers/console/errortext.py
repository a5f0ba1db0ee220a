"""The error of a task as people read it: the message, the stack without our own lines, the code. Pure."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

__all__ = ["ErrorText", "clipped", "error_of", "first_line", "json_or_text"]

#: The most characters of an error that stand in clear; the rest is folded.
_LONGEST_FIRST = 500


class ErrorText(Struct, frozen=True):
    """An error of a task."""

    message: str
    stack: str
    code: str

    @property
    def first(self) -> str:
        """What a reader sees at once: the first line of the message, if that is not too long."""
        return clipped(self.message.strip().partition("\n")[0], _LONGEST_FIRST)

    @property
    def is_cut(self) -> bool:
        """Whether the message has more than that."""
        return self.first != self.message.strip()

    @property
    def own_stack(self) -> str:
        """The stack without the lines of Pagehand's own scripts, from whose task it came; whole if nothing is left."""
        lines = self.stack.splitlines()
        own = [line for line in lines if not _OURS.search(line)]
        return "\n".join(own) if any(_FRAME.search(line) for line in own) else self.stack


#: A line of a stack that names a place in a script, and one that names a place in one of ours.
_FRAME = re.compile(r":\d+")
_OURS = re.compile(r"/static/[\w.-]+\.js(?:\?\S*)?:\d+")


def error_of(text: str | None) -> ErrorText | None:
    """``{message, stack, code}`` from an error's JSON; anything else is shown as it is."""
    if text is None:
        return None
    value = json_or_text(text)
    if not isinstance(value, dict):
        return ErrorText(str(value) if isinstance(value, str) else text, "", "")
    parts = [value.get(name) for name in ("message", "stack", "code")]
    message, stack, code = ("" if part is None else str(part) for part in parts)
    return ErrorText(message or text, stack, code)


def first_line(text: str | None, length: int = 120) -> str:
    """The first line of an error's message, clipped."""
    error = error_of(text)
    return clipped((error.message if error else "").strip().partition("\n")[0], length)


def clipped(line: str, length: int) -> str:
    """At most so many characters; three dots stand for the rest."""
    return line if len(line) <= length else line[: length - 1] + "…"


def json_or_text(text: str) -> object:
    """The value of this JSON; the text itself, if it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
