"""The summary of a job by its task's first line: a text with places that the job's data fills. Pure.

``order {data.order} for {data.customer.name}``. A wrong text is told when the task's file is read; what a job's data
lacks is left out, and never an error of its submitter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache

import msgspec
from msgspec import Raw, Struct

from dispatcher.core.jobs.about import LONGEST_SUMMARY, summary_of

__all__ = ["LONGEST_TEMPLATE", "SummaryTemplate", "template_fault", "template_of"]

LONGEST_TEMPLATE = 500
_MOST_PLACES = 10
_PLACE = re.compile(r"\{([^{}]*)\}")
#: A name of a field, or the number of an item in an array.
_PATH = re.compile(r"data(?:\.[^.]{1,100}){0,10}")
#: A place names an item among so many of an array: what lies behind them is read over.
_ITEM = re.compile(r"[0-9]{1,2}")
#: Room for blanks that the summary loses.
_MOST_TAKEN = 5 * LONGEST_SUMMARY

_object_decoder = msgspec.json.Decoder(dict[str, Raw])

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
        asked: dict[_Path, set[str]] = {}
        for path in self._places:
            for depth, name in enumerate(path):
                asked.setdefault(path[:depth], set()).add(name)
        self._asked = {path: _AskedOf(names) for path, names in asked.items()}

    def filled(self, data: str) -> str | None:
        """The summary of a job with this data; None: nothing of what it names is there."""
        known: dict[_Path, Raw | None] = {(): Raw(data.encode())}
        found = [_text(self._at(path, known)) for path in self._places]
        if found and not any(found):
            return None
        words = [self._texts[0]]
        for value, text in zip(found, self._texts[1:], strict=True):
            words += [value, text]
        return summary_of("".join(words))

    def _at(self, path: _Path, known: dict[_Path, Raw | None]) -> Raw | None:
        """The value at a path. ``known`` has what was found before, so that each value is read once."""
        if path not in known:
            above = path[:-1]
            for name, value in self._asked[above].held(self._at(above, known)):
                known[(*above, name)] = value
        return known[path]


class _AskedOf:
    """What the places ask of one value. The rest is read over and never kept: data may have 100,000 fields."""

    def __init__(self, names: set[str]) -> None:
        self._names = sorted(names)
        self._item_names = [name for name in self._names if _ITEM.fullmatch(name)]

    # Made when they are needed: a directory may have thousands of tasks, and each decoder takes 50 microseconds.

    @cached_property
    def _object(self) -> msgspec.json.Decoder[Struct] | None:
        return _fields_decoder(self._names)

    @cached_property
    def _array(self) -> msgspec.json.Decoder[Struct]:
        return _items_decoder(max(map(int, self._item_names)))

    def held(self, holder: Raw | None) -> list[tuple[str, Raw | None]]:
        """Each name that is asked for, and what an object or an array has there."""
        text = b"" if holder is None else bytes(holder).lstrip()
        found: Mapping[str, Raw | None] = {}
        try:
            if text.startswith(b"{"):
                found = self._fields(text)
            elif text.startswith(b"[") and self._item_names:
                values = msgspec.structs.astuple(self._array.decode(text))
                found = {name: values[int(name)] for name in self._item_names}
        except (msgspec.DecodeError, RecursionError):
            pass
        return [(name, found.get(name)) for name in self._names]

    def _fields(self, text: bytes) -> Mapping[str, Raw | None]:
        if self._object is None:
            return _object_decoder.decode(text)
        values = msgspec.structs.astuple(self._object.decode(text))
        return dict(zip(self._names, values, strict=True))


def _fields_decoder(names: list[str]) -> msgspec.json.Decoder[Struct] | None:
    """Reads these fields of an object and no others. None: msgspec cannot name one of them."""
    if any(not name.isprintable() or '"' in name or "\\" in name for name in names):
        return None
    own = {f"field{place}": name for place, name in enumerate(names)}
    fields = [(field, Raw, None) for field in own]
    return msgspec.json.Decoder(msgspec.defstruct("_Fields", fields, rename=own))


def _items_decoder(last: int) -> msgspec.json.Decoder[Struct]:
    """Reads the items of an array up to this one."""
    fields = [(f"item{place}", Raw, None) for place in range(last + 1)]
    return msgspec.json.Decoder(msgspec.defstruct("_Items", fields, array_like=True))


@lru_cache(maxsize=1_024)
def template_of(text: str) -> SummaryTemplate:
    """The template of a text that has no fault."""
    return SummaryTemplate(text)


def _parts(text: str) -> tuple[list[str], list[str]]:
    """The texts between the places, one more than there are places; and the places."""
    parts = _PLACE.split(text)
    return parts[::2], parts[1::2]


def _text(value: Raw | None) -> str:
    """A text as it is; a number, true or false as JSON has it; nothing of all else."""
    text = b"null" if value is None else bytes(value).strip()
    if text.startswith(b'"'):
        return str(msgspec.json.decode(text, type=str))[:_MOST_TAKEN]
    return "" if text == b"null" or text[:1] in b"{[" else text.decode()[:_MOST_TAKEN]
