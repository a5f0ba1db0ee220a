"""A job as typed: its data and terms, as the body of a request."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from .exits import UsageFault
from .invocation import decoded

__all__ = ["checked_json", "data_of", "file_at", "job_body", "requires_of", "terms_of", "text_of"]

_TERMS = (
    "priority",
    "delay_s",
    "expires_s",
    "timeout_s",
    "heartbeat_s",
    "max_attempts",
    "max_crashes",
    "effects",
    "summary",
    "callback_url",
)


def text_of(place: str, stdin: BinaryIO) -> str:
    """What stands in a file, or on standard input (``-``)."""
    return decoded(stdin.read() if place == "-" else file_at(place).read_bytes())


def data_of(options: argparse.Namespace, stdin: BinaryIO) -> str | None:
    """The data as JSON, in the letters that were typed: the job keeps them. None if there is none."""
    if options.text is not None:
        return json.dumps(options.text, ensure_ascii=False)
    given = options.data
    if given is None:
        return None
    place = given if given == "-" else given[1:] if given.startswith("@") else ""
    return checked_json(text_of(place, stdin) if place else given, f"the data{place and f' ({place})'}")


def file_at(place: str) -> Path:
    """Also where the locale does not know the letters of its name: there Python has half characters for its bytes."""
    try:
        os.fsencode(place)
    except UnicodeEncodeError:
        return Path(place.encode().decode(sys.getfilesystemencoding(), "surrogateescape"))
    return Path(place)


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
    return text.encode()


def terms_of(options: argparse.Namespace) -> dict[str, Any]:
    """The terms that were given."""
    found = {name: getattr(options, name) for name in _TERMS if getattr(options, name) is not None}
    if options.tag is not None:
        found["tags"] = options.tag
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
