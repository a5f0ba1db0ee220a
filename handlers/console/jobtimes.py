"""Times as people choose and write them in the form of the list of jobs, by a clock that the form names. Pure.

The API takes instants that say their own difference from UTC, and times back from now. People write ``09:00``. A
script tells the form which difference their clock has; without one they write UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from dispatcher.errors import BadParameter
from handlers.queries import INSTANTS, FilterFields
from handlers.times import instant_of, rfc3339

__all__ = ["ENDED", "TimedFields", "clock_of"]

#: The choices for when a job ended, and what they are called.
ENDED: Mapping[str, str] = {
    "-15m": "in the last 15 minutes",
    "-1h": "in the last hour",
    "-24h": "in the last 24 hours",
    "-7d": "in the last 7 days",
    "today": "today",
    "yesterday": "since yesterday",
}
_DAYS = {"today": 0, "yesterday": 1}
_CLOCK = re.compile(r"([+-]?)([01][0-9]):([0-5][0-9])", re.ASCII)
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", re.ASCII)
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]+([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?))?", re.ASCII)


def clock_of(text: str) -> tzinfo:
    """The clock that is so far from UTC, ``+01:00``; empty: UTC. Raises BadParameter."""
    if not text:
        return UTC
    if (found := _CLOCK.fullmatch(text)) is None:
        raise BadParameter("clock must be a difference from UTC, as in +01:00.", parameter="clock")
    away = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-away if found[1] == "-" else away)


class TimedFields:
    """The fields of a filter, with its times as the API takes them. Of several for one field the narrowest holds."""

    def __init__(self, fields: FilterFields, clock: tzinfo, now_at: float) -> None:
        self._fields, self._clock, self._now_at = fields, clock, now_at

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """The values of a field, in order. Raises BadParameter."""
        texts = self._fields.get_query_arguments(name, strip=strip)
        said = [text for text in texts if text]
        if name not in INSTANTS or not all(map(str.strip, said)):
            return texts  # blanks are refused where all fields are
        chosen = {self._instant(name, text.strip()): text.strip() for text in said}
        if not chosen:
            return []
        at = max(chosen) if name.endswith("_after") else min(chosen)
        return [chosen[at] if instant_of(chosen[at], self._now_at) is not None else rfc3339(at)]

    def _instant(self, name: str, text: str) -> float:
        at = instant_of(text, self._now_at)
        at = self._by_clock(text) if at is None else at
        if at is None:
            ways = "09:00, 2026-11-23 21:04 or 2026-11-23T21:04:05Z, or a time back from now as in -15m or -1h"
            raise BadParameter(f"{text[:50]} is no time: write one as in {ways}.", parameter=name)
        return at

    def _by_clock(self, text: str) -> float | None:
        """What the people's own clock shows then."""
        today = datetime.fromtimestamp(self._now_at, self._clock)
        if text in _DAYS:
            day, time = f"{today - timedelta(days=_DAYS[text]):%Y-%m-%d}", "00:00"
        elif _TIME.fullmatch(text):
            day, time = f"{today:%Y-%m-%d}", text
        elif found := _DAY.fullmatch(text):
            day, time = found[1], found[2] or "00:00"
        else:
            return None
        try:
            at = datetime.fromisoformat(f"{day}T{'0' if time[1] == ':' else ''}{time}").replace(tzinfo=self._clock)
            return at.astimezone(UTC).timestamp()  # the next page's address says it in UTC
        except (ValueError, OverflowError):
            return None
