"""Cursors of the lists that are read from memory. They are opaque to clients; this module knows no list."""

from __future__ import annotations

import base64
import binascii

import msgspec

from dispatcher.errors import BadParameter

__all__ = ["cursor_of", "place_of"]

_decoder = msgspec.json.Decoder(list[str])


def cursor_of(*place: str) -> str:
    """A cursor: the list goes on behind this place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, parts: int) -> list[str]:
    """The place that a cursor names. Raises BadParameter."""
    try:
        place = _decoder.decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True))
    except (ValueError, binascii.Error, msgspec.DecodeError):
        place = []
    if len(place) != parts:
        raise BadParameter("cursor: take it unchanged from an earlier answer's next_cursor", parameter="cursor")
    return place
