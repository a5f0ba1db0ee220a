"""Names that stand twice in a JSON object from outside: what stood before the last one would be lost without a word."""

from __future__ import annotations

from collections.abc import Container

import msgspec
from msgspec import Raw

__all__ = ["DoubleNames", "twice"]


class _StandsTwice(Exception):
    pass


class _Name:
    """Stands for the name of any field."""


_NAME = _Name()


class DoubleNames:
    """Finds them; of others than ``among`` it takes no notice.

    msgspec itself takes the last of them, as most parsers do, and what stood before is lost without a word.
    """

    def __init__(self, among: Container[str] | None = None) -> None:
        self._among = among
        self._seen: set[str] = set()
        self._decoder = msgspec.json.Decoder(dict[_Name, Raw], dec_hook=self._note)

    def _note(self, _kind: type, name: str) -> _Name:
        if name in self._seen:
            raise _StandsTwice(name)
        if self._among is None or name in self._among:
            self._seen.add(name)
        return _NAME

    def first(self, body: bytes | str) -> str:
        """The first name that stands twice; empty if none does, or if this is no object."""
        try:
            self._decoder.decode(body)
        except _StandsTwice as found:
            return str(found)
        except msgspec.ValidationError:
            return ""
        finally:
            self._seen.clear()
        return ""


_any_name = DoubleNames()


def twice(body: bytes | str) -> str:
    """The first name that stands twice in an object; empty if none does, or if this is no object."""
    return _any_name.first(body)
