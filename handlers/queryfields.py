"""Which fields an address takes: one that it does not know is refused, and what was probably meant is said.

A list that overlooked a filter would list everything, and a page would show something else than was asked for.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Protocol

from dispatcher.errors import BadParameter

__all__ = ["check_query"]

_LONGEST_NAME = 100
_WAITS = " A job is submitted and waited for with the header 'Prefer: wait=N'."
#: A label's name and value, where an address has them as a field.
_IN_LABELS = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Query(Protocol):
    """A request, as far as its query is read here."""

    @property
    def method(self) -> str | None: ...
    @property
    def query_arguments(self) -> Mapping[str, list[bytes]]: ...


def check_query(request: Query, known: Collection[str]) -> None:
    """Refuses a field that is not one of these, whether it says something or not. Raises BadParameter."""
    for name, values in request.query_arguments.items():
        if name not in known:
            raise BadParameter(_unknown(name, values[-1].decode("latin-1"), known, request.method or ""))


def _unknown(name: str, value: str, known: Collection[str], method: str) -> str:
    # Tornado reads names as Latin-1. repr: nobody writes line ends into our answers.
    shown = repr(name.encode("latin-1", "replace").decode("utf-8", "replace")[:_LONGEST_NAME])[1:-1]
    if not known:
        instead = _WAITS if name == "wait" else " A POST says what it wants in its body." if method == "POST" else ""
        return f"{shown} is not a field of this address: it takes none.{instead}"
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    label = "" if near else _as_label(name, value, known)
    return f"{shown} is not a field of this address{hint} It takes {', '.join(known)}.{label}"


def _as_label(name: str, value: str, known: Collection[str]) -> str:
    is_one = "label" in known and _IN_LABELS.fullmatch(name) and _IN_LABELS.fullmatch(value)
    return f" A label is written label={name}:{value}." if is_one else ""
