"""One rollout: what was asked, how far it is, and when a canary says that the new files do harm. Pure.

A rollout has pages with old tasks load anew, some at a time. It knows no page: ``core.fleet.rolling`` does.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.views.deployed import WithheldTask

__all__ = [
    "CANARY_STEPS",
    "ENOUGH_JOBS",
    "MOST_AT_A_TIME",
    "MOST_WITHOUT",
    "WATCH_S",
    "RolloutOrder",
    "RolloutState",
    "RolloutView",
    "TryTally",
    "harm",
]

#: The most pages that may be loading anew at once.
MOST_AT_A_TIME = 1_000
#: So many labels may leave pages out.
MOST_WITHOUT = 100
#: A canary has so many pages with the new files before it looks how they do; after that come all others.
CANARY_STEPS = (1, 4)
#: It goes on after so many jobs of the changed types, or after this time.
ENOUGH_JOBS, WATCH_S = 10, 300.0
#: So many failures are needed for a verdict, and a share that is above this much of the others' share, and this more.
_LEAST_FAILED, _TIMES, _MORE = 3, 2.0, 0.05


class RolloutState(StrEnum):
    """How far it is."""

    RUNNING = "running"
    #: No connected page has an old task, but those that are left out.
    DONE = "done"
    #: The new files have failed on a canary: its pages load anew once more, and have the former ones again.
    GOING_BACK = "going_back"
    #: It has gone back; or somebody stopped it, or it could not go on: then pages keep what they have.
    STOPPED = "stopped"


class RolloutOrder(Struct, frozen=True, kw_only=True):
    """What was asked."""

    #: No more pages are loading anew at once.
    at_a_time: int
    #: One page first, then three, then all; it goes back if these fail more often than the others.
    canary: bool = False
    #: (label, value): a page that has one of these is left out. The label ``name`` is its name.
    without: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    actor: Actor

    def leaves_out(self, name: str, labels: Collection[tuple[str, str]]) -> bool:
        """Whether a page with this name and these labels keeps its old tasks."""
        return any(pair in labels or pair == (NAME, name) for pair in self.without)


class TryTally(Struct, frozen=True):
    """Tries of the changed types that have ended, and how many of them failed or timed out."""

    ended: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        """How many of them failed, from 0 to 1."""
        return self.failed / self.ended if self.ended else 0.0

    def more(self, *, failed: bool) -> TryTally:
        """It with one more."""
        return TryTally(self.ended + 1, self.failed + failed)


class RolloutView(Struct, frozen=True, kw_only=True):
    """A rollout, and what has become of it so far."""

    order: RolloutOrder
    state: RolloutState = RolloutState.RUNNING
    #: Pages that have come back with the new files; once it goes back, with the former ones.
    reloaded: int = 0
    #: Names of those that have been told, and are not back yet.
    reloading: list[str] = []
    #: Of the others that are connected, so many have an old task; once it goes back, so many the one that failed.
    left: int = 0
    #: And so many are left out.
    left_out: int = 0
    #: The types whose files the reloaded pages have anew, by name.
    types: list[str] = []
    #: Of a canary: how the reloaded pages do, and the others since it began.
    new: TryTally = TryTally()
    rest: TryTally = TryTally()
    #: It waits until the reloaded pages have had some jobs.
    watching: bool = False
    #: The tasks whose files it withholds, if it has gone back, and names of pages that did not.
    withheld: list[WithheldTask] = []
    lost: list[str] = []
    #: UTC seconds.
    started_at: float
    ended_at: float | None = None
    #: Why it was stopped: a code, and words. None: it was not.
    stopped: str | None = None
    detail: str | None = None

    @property
    def runs(self) -> bool:
        """It still tells pages to load anew."""
        return self.ended_at is None


def harm(new: TryTally, rest: TryTally, where: str = "") -> str:
    """In words, why the new files seem to do harm; empty: nothing says so. ``where``: what failed on which pages."""
    if new.failed < _LEAST_FAILED or new.share <= _TIMES * rest.share + _MORE:
        return ""
    others = f"{rest.failed:,} of {rest.ended:,}" if rest.ended else "no job"
    told = f" ({where})" if where else ""
    return f"{new.failed:,} of {new.ended:,} tries failed on the reloaded pages{told}, and {others} on the others"
