"""The first line of a task's file: what it says about the task, and what is wrong with it in words. Pure.

``// pagehand: {"quick": true, "title": "Prints a label", "summary": "order {data.order}"}``. What is misspelt there
would be passed over in silence: so each field that is not understood is named.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, convert

from dispatcher.doubles import twice
from dispatcher.nesting import check_levels
from dispatcher.reading import json_fault
from handlers.worker.summary import LONGEST_TEMPLATE, template_fault

__all__ = ["Head", "read_head"]

_HEAD = re.compile(r"(\s*//\s*pagehand:\s*)(\{.*)", re.IGNORECASE)
#: How many lines are looked at for a head that stands in the wrong one.
_MOST_LINES = 20
_BEGIN = "its first line is not understood: "

_object_decoder = msgspec.json.Decoder(dict[str, Raw])


class Head(Struct, frozen=True):
    """What a first line may say."""

    quick: bool = False
    title: str = ""
    example: Any = None
    #: What its jobs are called: see ``summary``.
    summary: str = ""


_KINDS: dict[str, tuple[Any, str]] = {
    "quick": (bool, "must be true or false"),
    "title": (str, "must be a text"),
    "example": (Any, "cannot be read"),
    "summary": (
        Annotated[str, Meta(max_length=LONGEST_TEMPLATE)],
        f"must be a text of at most {LONGEST_TEMPLATE} characters",
    ),
}


def read_head(text: str) -> tuple[Head, str]:
    """What the first line of a file says, and what is wrong with it; empty: nothing is."""
    lines = text.lstrip("\ufeff").split("\n", _MOST_LINES)
    match = _HEAD.match(lines[0])
    if match is None:
        return Head(), _stray(lines[:_MOST_LINES])
    # Spaces for the comment's signs, so that the place is one of the line.
    body = (" " * len(match[1]) + match[2].rstrip()).encode()
    try:
        check_levels(body)
        given = _object_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return Head(), _BEGIN + json_fault(body, error)
    found: dict[str, Any] = {}
    problems = [*_understand(given, found), *([f"{name} stands twice"] if (name := twice(body)) else [])]
    return convert(found, Head), _BEGIN + "; ".join(problems) if problems else ""


def _understand(given: dict[str, Raw], found: dict[str, Any]) -> Iterator[str]:
    """Puts the fields that are understood into ``found``; yields what is wrong with the others."""
    for name, value in given.items():
        if name not in _KINDS:
            near = difflib.get_close_matches(name.lower(), _KINDS, n=1)
            yield f"{name[:100]} means nothing there" + (f"; did you mean {near[0]}?" if near else "")
            continue
        kind, words = _KINDS[name]
        try:
            found[name] = msgspec.json.decode(value, type=kind)
        except (msgspec.DecodeError, RecursionError):
            yield f"{name} {words}"
    if "summary" in found and (wrong := template_fault(found["summary"])):
        del found["summary"]
        yield f"summary {wrong}"


def _stray(lines: list[str]) -> str:
    number = next((number for number, line in enumerate(lines, 1) if _HEAD.match(line)), 0)
    return f"its line {number} begins with // pagehand: and is overlooked: only the first line counts" if number else ""
