"""Light, dark, or as the system has it: what was chosen stands in a cookie, so the first byte of a page knows it.

The rules for dark pages are a style sheet of their own, and its ``media`` says when they hold. So IE 11 can be dark as
well, and no page is bright for a moment. ``static/keys.js`` does the same without loading the page anew.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from tornado.web import RequestHandler

from handlers.guard import Guard

__all__ = ["COLOURS", "Colours", "colours_of", "keep_colours"]

_COOKIE = "pagehand_colours"
_DAYS = 365


class Colours(Struct, frozen=True):
    """One choice."""

    words: str
    #: When the dark style sheet holds, as a media query.
    media: str
    #: What the browser's own parts (fields, scroll bars) may be.
    scheme: str


SYSTEM = "system"
COLOURS: Mapping[str, Colours] = {
    SYSTEM: Colours("as the system has them", "(prefers-color-scheme: dark)", "light dark"),
    "light": Colours("light", "not all", "light"),
    "dark": Colours("dark", "screen", "dark"),
}


def colours_of(handler: RequestHandler) -> str:
    """What this browser's person has chosen."""
    kept = handler.get_cookie(_COOKIE, "")
    return kept if kept in COLOURS else SYSTEM


def keep_colours(handler: RequestHandler, guard: Guard, chosen: str) -> None:
    """Has the browser keep the choice. The script changes it, too, so it may read the cookie."""
    terms = {**guard.cookie_terms, "httponly": False}
    if chosen == SYSTEM or chosen not in COLOURS:
        handler.clear_cookie(_COOKIE, **terms)
    else:
        handler.set_cookie(_COOKIE, chosen, expires_days=_DAYS, **terms)
