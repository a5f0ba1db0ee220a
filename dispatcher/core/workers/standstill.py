"""Moves deadlines after a standstill of the server, so that it counts against no page (promise S19)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dispatcher.core.fleet.worker import Attempt, AttemptState
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.timings import PROBE_S, Timings

__all__ = ["CATCH_UP_S", "forgive"]

#: A deadline that fell into a standstill, or comes right after it, waits this long, so that messages come first.
CATCH_UP_S = 1.0


def forgive(late_s: float, deadlines: Deadlines[Due], attempts: Mapping[str, Attempt], timings: Timings) -> None:
    """The loop stood still for ``late_s`` (a suspended machine): what the network could not do counts against no page.

    Deadlines of the network move by that time. A deadline that has passed meanwhile, or is about to, gets a moment, so
    that messages which have arrived are processed first.
    """
    now = deadlines.now
    for key, at in deadlines.items():
        kind, name = key
        running = kind == "lease" and attempts[name].state is AttemptState.RUNNING
        moved = at
        if not running or attempts[name].finished:
            most = now + _rule_s(kind, name, attempts, timings)  # a deadline that was set since then needs no more
            moved = min(at + late_s, most)
        deadlines.set(key, max(moved, now + CATCH_UP_S))


def _rule_s(kind: str, name: str, attempts: Mapping[str, Attempt], timings: Timings) -> float:
    """How far ahead such a deadline may lie."""
    if kind == "lease":
        adrift = attempts[name].state is AttemptState.ADRIFT
        return timings.restart_grace_s if adrift else timings.offer_ttl_s
    if kind == "beat":
        return attempts[name].claim.terms.heartbeat_s or 0.0
    known = {"grace": timings.reconnect_grace_s, "reload": timings.reload_after_s, "probe": PROBE_S}
    return known.get(kind, math.inf)
