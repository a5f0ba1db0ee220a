"""What somebody must look at, as values: which jobs wait for nobody, and whose jobs fail. Each list is bounded."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.matching import Requirement
from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.unloaded import Unloaded

__all__ = [
    "FailingType",
    "OftenFailing",
    "PausedType",
    "ShutType",
    "StuckType",
    "Troubles",
    "UnloadedType",
    "UntakenLane",
]


class ShutType(Struct, frozen=True):
    """A type that workers offer and none takes."""

    type: str
    #: Its jobs that wait.
    queued: int
    #: Whether some of its workers are paused, and some are set aside.
    paused: bool
    aside: bool
    #: The ids of its workers, if they are few; else none.
    workers: tuple[str, ...] = ()
    #: UTC seconds: since when no worker takes it, if it is operators who keep all of these from jobs; None: unknown.
    since: float | None = None


class UntakenLane(Struct, frozen=True):
    """Jobs that no worker takes because of what they require, though some worker offers their type."""

    type: str
    #: Of one of them.
    requires: Requirement
    #: How many wait for the same workers.
    queued: int
    #: ``no_match``, ``paused`` or ``set_aside``.
    code: str
    #: What keeps them from a worker, in words.
    why: str
    #: UTC seconds: since when the one that is next in line has been ready; None: it has just been taken.
    since: float | None


class FailingType(Struct, frozen=True):
    """A type whose jobs fail one after the other."""

    type: str
    #: How many have failed since the last one that succeeded.
    jobs: int
    #: Whether these are all jobs of the type that are kept and have succeeded or failed.
    all: bool
    #: UTC seconds: when the first of them failed, and the last one.
    since: float
    at: float


class OftenFailing(Struct, frozen=True):
    """A type of whose jobs too many have failed of late."""

    type: str
    failed: int
    #: Those that failed or succeeded.
    tried: int


class PausedType(Struct, frozen=True):
    """A type that jobs wait for and an operator has paused."""

    type: str
    #: Its jobs that wait.
    queued: int
    hold: Hold


class UnloadedType(Struct, frozen=True):
    """A type whose task some pages could not load."""

    type: str
    #: UTC seconds: since when.
    since: float
    by: Unloaded


class StuckType(Struct, frozen=True):
    """A type that jobs wait for, and whose workers are stuck: they have tasks that are over and do not stop."""

    type: str
    #: Its jobs that wait.
    queued: int
    #: These workers: (id, name).
    workers: tuple[tuple[str, str], ...]
    #: How many besides are paused, set aside or away.
    others: int = 0


class Troubles(Struct, frozen=True, kw_only=True):
    """Each list has at most as many as were asked for, by type."""

    #: Types that jobs wait for and no worker offers.
    unserved: list[TypeView] = []
    shut: list[ShutType] = []
    untaken: list[UntakenLane] = []
    paused: list[PausedType] = []
    stuck: list[StuckType] = []
    #: By how long.
    unloaded: list[UnloadedType] = []
    failing: list[FailingType] = []
    often: list[OftenFailing] = []
    #: Types with jobs that an idle worker could take, and for how many seconds none was given one.
    stalled: list[tuple[str, float]] = []
    #: For types among these: since when the job that is next in line has been ready, UTC seconds.
    since: Mapping[str, float] = field(default_factory=dict)
