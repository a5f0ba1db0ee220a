"""How a server is doing, as one look for people and programs. Everything in it is bounded, however much there is."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.endings import Summary
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES, quantile_s
from dispatcher.core.jobs.views.troubles import Troubles

__all__ = ["HookHealth", "Overview", "Present", "TypeLine"]


class Present(Struct, frozen=True):
    """How workers stand that have not gone. One with room for a job is ready, whatever else it does."""

    ready: int
    busy: int
    paused: int
    #: Skipped for a while, because they ignored their last jobs.
    aside: int
    #: Those that give no sign of life now.
    away: int


class TypeLine(Struct, frozen=True, kw_only=True):
    """One type, with its last hour."""

    known: TypeView
    hour: Summary
    #: UTC seconds: since when the job that is next in line has been ready; None: none waits, or its type is paused.
    since: float | None
    #: Its workers; None: they differ so much that nobody counts them, and ``known`` says how many there are.
    present: Present | None

    @property
    def usual_wait_s(self) -> float | None:
        """What 95 % of the waits of the last hour stay below; None: of so few jobs nobody can say."""
        waits = self.hour.total.wait
        return quantile_s(waits, 0.95) if sum(waits.values()) >= FEW_SAMPLES else None


class HookHealth(Struct, frozen=True, kw_only=True):
    """Webhooks that do not get what they should."""

    #: Names (or ids) of those that the server has given up, with the reason.
    given_up: list[tuple[str, str]] = []
    #: Messages that nobody will get any more, unless they are sent again.
    dead: int = 0
    #: How long the oldest message has waited.
    oldest_s: float = 0.0


class Overview(Struct, frozen=True, kw_only=True):
    """One look."""

    #: UTC seconds.
    at: float
    #: Jobs by state.
    counts: Mapping[str, int]
    present: Present
    #: How the jobs of all types have ended in the last hour.
    hour: Summary
    #: The busiest types, by name; and whether there are others.
    types: list[TypeLine]
    more_types: bool
    troubles: Troubles
    #: By type: since when the job that is next in line has been ready. Of the lanes that have waited longest.
    waits: Mapping[str, float]
    #: Whether all lanes were looked at for it.
    all_waits: bool
    #: Workers that are not here, at most ``most_gone``; and who of them is missed at this hour.
    gone: int
    most_gone: int
    roll: Roll
    #: When the job that has been in doubt longest ended its attempt; None: none is, or they are too many to look at.
    in_doubt_since: float | None
    hooks: HookHealth
    #: The newest backup; None: there is none, or it cannot be seen.
    backup: Backup | None
    draining: bool
    takes_jobs: bool
    has_space: bool
