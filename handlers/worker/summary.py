"""The summary of a job by its task's first line: a text with places that the job's data fills. Pure.

``order {data.order} for {data.customer.name}``. A wrong text is told when the task's file is read; what a job's data
lacks is left out, and never an error of its submitter.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec
from msgspec import Raw

from dispatcher.core.jobs.about import LONGEST_SUMMARY, summary_of

__all__ = ["LONGEST_TEMPLATE", "SummaryTemplate", "template_fault", "template_of"]

LONGEST_TEMPLATE = 500
_MOST_PLACES = 10
_PLACE = re.compile(r"\{([^{}]*)\}")
#: A name of a field, or the number of an item in an array.
_PATH = re.compile(r"data(?:\.[^.]{1,100}){0,10}")
#: Room for blanks that the summary loses.
_MOST_TAKEN = 5 * LONGEST_SUMMARY

_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_array_decoder = msgspec.json.Decoder(list[Raw])

#: Where a value stands in the data.
_Path = tuple[str, ...]


def template_fault(text: str) -> str:
    """What is wrong with such a text, in words that follow its name; empty: nothing is."""
    texts, places = _parts(text)
    if any("{" in part or "}" in part for part in texts):
        return "has a { or a } too many: write {data.order} where a field of the data belongs"
    if len(places) > _MOST_PLACES:
        return f"has {len(places)} fields of the data; at most {_MOST_PLACES} go"
    wrong = next((place for place in places if not _PATH.fullmatch(place)), None)
    if wrong is not None:
        return f"has {{{wrong[:100]}}} in it, which names no field: write {{data.order}}"
    return "" if summary_of(text) else "must be a text for people"


class SummaryTemplate:
    """Such a text without a fault."""

    def __init__(self, text: str) -> None:
        self._texts, places = _parts(text)
        self._places = [tuple(place.split(".")[1:]) for place in places]

    def filled(self, data: str) -> str | None:
        """The summary of a job with this data; None: nothing of what it names is there."""
        levels: dict[_Path, Raw | None] = {(): Raw(data.encode())}
        found = [_text(_at(path, levels)) for path in self._places]
        if found and not any(found):
            return None
        words = [self._texts[0]]
        for value, text in zip(found, self._texts[1:], strict=True):
            words += [value, text]
        return summary_of("".join(words))


@lru_cache(maxsize=1_024)
def template_of(text: str) -> SummaryTemplate:
    """The template of a text that has no fault."""
    return SummaryTemplate(text)


def _parts(text: str) -> tuple[list[str], list[str]]:
    """The texts between the places, one more than there are places; and the places."""
    parts = _PLACE.split(text)
    return parts[::2], parts[1::2]


def _at(path: _Path, levels: dict[_Path, Raw | None]) -> Raw | None:
    """The value at a path. ``levels`` has what was found before, so that large data is read once at each level."""
    if path not in levels:
        holder = _at(path[:-1], levels)
        levels |= {(*path[:-1], name): value for name, value in _held(holder, path[-1])}
        levels.setdefault(path, None)
    return levels[path]


def _held(holder: Raw | None, name: str) -> list[tuple[str, Raw]]:
    """What an object holds, or the item of an array that is asked for."""
    text = b"" if holder is None else bytes(holder).lstrip()
    try:
        if text.startswith(b"{"):
            return list(_object_decoder.decode(text).items())
        if text.startswith(b"[") and name.isascii() and name.isdigit() and len(name) < 10:
            return [(name, _array_decoder.decode(text)[int(name)])]
    except (msgspec.DecodeError, RecursionError, IndexError):
        pass
    return []


def _text(value: Raw | None) -> str:
    """A text as it is; a number, true or false as JSON has it; nothing of all else."""
    text = b"null" if value is None else bytes(value).strip()
    if text.startswith(b'"'):
        return str(msgspec.json.decode(text, type=str))[:_MOST_TAKEN]
    return "" if text == b"null" or text[:1] in b"{[" else text.decode()[:_MOST_TAKEN]
