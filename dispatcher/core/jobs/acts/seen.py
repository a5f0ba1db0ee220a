"""The workers of a node as other nodes see them, what moves with them, and what they order of those; the store keeps it
while they live.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from dispatcher.core.jobs.news import Coming

__all__ = ["MoveAttempts", "ReloadPage", "SeeWorkers", "SeenWorker", "WorkersMoved"]


class SeenWorker(Struct, frozen=True, kw_only=True):
    """A worker that a node has."""

    worker: str
    #: Its page, and which session of this boot it spoke in last (0: unknown).
    boot: str
    sessions: int
    name: str
    #: As people see it (``WorkerStatus``).
    state: str
    #: By the person at its page.
    paused: bool
    types: tuple[str, ...]
    #: (label, value), in the order of the labels; without its name.
    labels: tuple[tuple[str, str], ...]
    slots: int


class SeeWorkers(Struct, frozen=True):
    """What has changed of a node's workers since its last turn."""

    here: tuple[SeenWorker, ...] = ()
    #: By their ids.
    gone: tuple[str, ...] = ()


class ReloadPage(Struct, frozen=True):
    """Whichever node has this worker tells its page to load anew: at once, or when it is idle."""

    worker: str
    at_once: bool


class MoveAttempts(Struct, frozen=True):
    """A page has come: what it had at another node is this node's from here on (promise S25)."""

    page: Coming
    #: Those that it names. Those that this boot of it has accepted move as well.
    attempts: tuple[str, ...]
    #: Its session waits for the answer.
    session: str


class WorkersMoved(Struct, frozen=True):
    """Workers that have come or gone, by name."""

    here: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    #: Whoever an earlier life of the node has left as here is gone; comes first.
    nobody: bool = False
    #: By name: the id of the worker that has it, or had it. If that worker has gone under another name, it was renamed:
    #: that name is gone, and its habit goes over.
    whose: Mapping[str, str] = {}
    #: Names that their workers have given up for none: nobody misses them.
    dropped: tuple[str, ...] = ()
