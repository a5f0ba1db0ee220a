"""When a ready job may start: how many go before it, and how fast its workers do jobs of its type. Pure.

A job goes before another one of its lane if its rank is lower: it came earlier, or has a higher priority. Jobs of other
lanes are not counted: other workers may take them. So it is too short where the workers do much else.
"""

from __future__ import annotations

from math import floor, log10

from msgspec import Struct

from dispatcher.core.jobs.views.histograms import FEW_SAMPLES

__all__ = ["MOST_BEFORE", "RATE_WINDOW_S", "InLine", "Outlook", "Throughput", "outlook"]

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


class Throughput(Struct, frozen=True):
    """How jobs of a type have run of late, and how many can run at once."""

    #: How many ended after a run, in how many seconds, and how long a run took on average.
    ran: int
    over_s: float
    run_s: float | None
    #: Slots of the workers that can take them now.
    slots: int

    def per_s(self) -> float:
        """Jobs in a second: those that ended, or more if all slots can do more. The rate of a quiet time is demand."""
        able = self.slots / self.run_s if self.run_s else 0.0
        return max(able, self.ran / self.over_s if self.over_s else 0.0)


def outlook(stands: InLine, throughput: Throughput | None) -> Outlook:
    """``throughput``: of its type; None: that tells nothing of it."""
    place = stands.before + 1 if stands.before <= MOST_BEFORE else None
    rate = throughput.per_s() if throughput is not None and throughput.ran >= FEW_SAMPLES else 0.0
    return Outlook(
        place=place,
        of=stands.of,
        overtaken_by=stands.later,
        estimate_s=_about(place / rate) if place is not None and rate else None,
        samples=None if throughput is None else throughput.ran,
    )


def _about(seconds: float) -> float:
    """With two digits that count: more would say more than is known."""
    return round(seconds, 1 - floor(log10(seconds))) if seconds > 0.0 else 0.0
