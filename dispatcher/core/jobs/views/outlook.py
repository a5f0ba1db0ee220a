"""When a ready job may start: how many go before it, and at which rate jobs of its type have run. Pure.

A job goes before another one of its lane if its rank is lower: it came earlier, or has a higher priority. Jobs of other
lanes are not counted: other workers may take them.
"""

from __future__ import annotations

from math import floor, log10

from msgspec import Struct

from dispatcher.core.jobs.views.histograms import FEW_SAMPLES

__all__ = ["MOST_BEFORE", "RATE_WINDOW_S", "InLine", "Outlook", "outlook"]

#: So many jobs are counted that go before another, and one more, which says that there are more.
MOST_BEFORE = 1_000
#: The time of which the rate is taken.
RATE_WINDOW_S = 900


class InLine(Struct, frozen=True):
    """Where a ready job stands among those of its lane."""

    #: How many go before it, at most MOST_BEFORE + 1.
    before: int
    #: Those of them that came after it.
    later: int
    #: All ready jobs of the lane.
    of: int


class Outlook(Struct, frozen=True, kw_only=True):
    """When a job may start."""

    #: From 1, which is claimed first; None: more than MOST_BEFORE go before it.
    place: int | None
    of: int
    overtaken_by: int
    #: In about so many seconds; None: nobody can tell.
    estimate_s: float | None = None
    #: How many jobs of its type have run in RATE_WINDOW_S, from which that is told; None: they tell nothing of it.
    samples: int | None = None


def outlook(stands: InLine, ran: int | None, over_s: float) -> Outlook:
    """``ran``: how many jobs of its type ended in the last ``over_s`` after a run; None: that tells nothing of it."""
    place = stands.before + 1 if stands.before <= MOST_BEFORE else None
    told = place is not None and ran is not None and ran >= FEW_SAMPLES
    return Outlook(
        place=place,
        of=stands.of,
        overtaken_by=stands.later,
        estimate_s=_about(place * over_s / ran) if told and place and ran else None,
        samples=ran,
    )


def _about(seconds: float) -> float:
    """With two digits that count: more would say more than is known."""
    return round(seconds, 1 - floor(log10(seconds))) if seconds > 0.0 else 0.0
