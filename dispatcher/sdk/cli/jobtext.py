"""A job as typed: its data and terms, as the body of a request."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

from .exits import UsageFault
from .invocation import decoded

__all__ = ["checked_json", "data_of", "job_body", "requires_of", "terms_of", "text_of"]

_TERMS = (
    "priority",
    "delay_s",
    "expires_s",
    "timeout_s",
    "heartbeat_s",
    "max_attempts",
    "max_crashes",
    "effects",
)


def text_of(place: str, stdin: BinaryIO) -> str:
    """What stands in a file, or on standard input (``-``)."""
    return decoded(stdin.read() if place == "-" else Path(place).read_bytes())


def data_of(options: argparse.Namespace, stdin: BinaryIO) -> str | None:
    """The data as JSON, in the letters that were typed: the job keeps them. None if there is none."""
    if options.text is not None:
        return json.dumps(_whole(options.text), ensure_ascii=False)
    given = options.data
    if given is None:
        return None
    place = given if given == "-" else given[1:] if given.startswith("@") else ""
    return checked_json(text_of(place, stdin) if place else _whole(given), f"the data{place and f' ({place})'}")


def _whole(typed: str) -> str:
    """Raises UsageFault for bytes that are no letters."""
    if not any("\ud800" <= letter <= "\udfff" for letter in typed):
        return typed
    try:
        # In a locale that does not know the letters, Python keeps the bytes that were typed as half characters.
        return typed.encode(sys.getfilesystemencoding(), "surrogateescape").decode()
    except UnicodeError:
        raise UsageFault("the data is not UTF-8: put it into a file, and write --data @FILE") from None


def checked_json(text: str, what: str) -> str:
    """The same text, if it is JSON. Raises UsageFault."""
    try:
        json.loads(text, parse_constant=_no_json)
    except RecursionError:
        raise UsageFault(f"{what} is nested too deeply") from None
    except ValueError as error:
        hint = "Shells take quotation marks away: try --text for a text, or --data @FILE."
        raise UsageFault(f"{what} is not JSON: {error}. {hint}") from None
    return text.strip()


def _no_json(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def job_body(fields: dict[str, Any], data: str | None) -> bytes:
    """The body of a submission: fields, and the data as it was typed."""
    text = json.dumps(fields, ensure_ascii=False)
    if data is not None:
        text = f'{text[:-1]}{", " if fields else ""}"data": {data}}}'
    return text.encode("utf-8", "surrogateescape")


def terms_of(options: argparse.Namespace) -> dict[str, Any]:
    """The terms that were given."""
    found = {name: getattr(options, name) for name in _TERMS if getattr(options, name) is not None}
    if options.requires is not None:
        found["requires"] = requires_of(options.requires)
    return found


def requires_of(labels: list[str]) -> dict[str, list[str]]:
    """``site:berlin`` as a label and its values; a label that is given twice may have either."""
    found: dict[str, list[str]] = {}
    for text in labels:
        label, colon, value = text.partition(":")
        if not colon or not label or not value:
            raise UsageFault(f"--requires {text}: write a label and a value, such as site:berlin")
        found.setdefault(label, []).append(value)
    return found
