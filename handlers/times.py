"""Instants and lengths of time as people write them in an address. It knows no request."""

from __future__ import annotations

import re
from datetime import UTC, datetime

__all__ = ["BACK_PATTERN", "WINDOW_PATTERN", "instant_of", "rfc3339", "window_of"]

#: A time back from now: at most some 270 years, so that there is such an instant.
BACK_PATTERN = "-([0-9]{1,9}s|[0-9]{1,8}m|[0-9]{1,6}h|[0-9]{1,5}d)"
_BACK = re.compile(BACK_PATTERN)
#: A length of time from SHORTEST_WINDOW_S to LONGEST_WINDOW_S: 1 to 43200 minutes, to 720 hours, to 30 days.
WINDOW_PATTERN = (
    "([1-9][0-9]{0,3}|[123][0-9]{4}|4([012][0-9]{3}|3([01][0-9]{2}|200)))m"
    "|([1-9][0-9]?|[1-6][0-9]{2}|7([01][0-9]|20))h|([1-9]|[12][0-9]|30)d"
)
_WINDOW = re.compile(WINDOW_PATTERN)
_UNIT_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
#: Date, time, and a difference from UTC.
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)


def instant_of(text: str, now_at: float) -> float | None:
    """UTC seconds of RFC 3339 text, or of a time back from now (``-15m``); None: it is neither."""
    if _BACK.fullmatch(text):
        return now_at - int(text[1:-1]) * _UNIT_S[text[-1]]
    at = text.replace(" ", "+")  # a plus in an address is a blank
    if not _INSTANT.fullmatch(at):
        return None
    try:
        # The next page's address says it in UTC, where not each is one of the years 1 to 9999.
        return datetime.fromisoformat(at.upper()).astimezone(UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def window_of(text: str) -> int | None:
    """The seconds of a length of time such as ``90m``; None: it is none, or too short or too long."""
    return int(text[:-1]) * _UNIT_S[text[-1]] if _WINDOW.fullmatch(text) else None


def rfc3339(at: float) -> str:
    """An instant as text."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
