"""A worker and its attempts, as the core keeps them: what a node alone can know.

Both are plain values with one rule: why a worker takes jobs now, or does not. One part of the core changes each field;
all parts may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.doing import WorkerDoing
from dispatcher.core.jobs.matching import lane_of
from dispatcher.core.jobs.turn import Claim, Holder, LiveAttempt

__all__ = [
    "Attempt",
    "AttemptState",
    "Labels",
    "Passage",
    "Standing",
    "Worker",
    "WorkerState",
    "lane_of_claim",
    "unnamed",
]

#: What a page says of itself: (label, value), in the order of the labels. Its name is not among them.
Labels = tuple[tuple[str, str], ...]


class WorkerState(StrEnum):
    """What is known of a worker's page."""

    CONNECTED = "connected"
    #: Its session timed out, but nothing shows that the page is gone: no offers, its leases run on.
    QUIET = "quiet"
    #: Its connection closed: the grace is running.
    AWAY = "away"


class Standing(StrEnum):
    """Why a worker takes jobs now, or does not: what a waiting job's reason is made of."""

    IDLE = "idle"
    BUSY = "busy"
    PAUSED = "paused"
    ASIDE = "aside"
    #: Quiet, or away.
    AWAY = "away"


class AttemptState(StrEnum):
    """What is known of an attempt."""

    OFFERED = "offered"
    RUNNING = "running"
    #: An earlier run of the server left it open; it waits for its page.
    ADRIFT = "adrift"
    #: It has ended, but the page may still be busy with it and holds the slot until it answers.
    REVOKED = "revoked"


class Attempt(Struct):
    """An attempt that this node has claimed."""

    claim: Claim
    state: AttemptState
    worker: str
    boot: str
    name: str
    #: Of the task that its page has for it; None: the page does not say.
    task_version: str | None = None
    #: The offer stands in a poll's answer; its page may have it.
    written: bool = False
    #: The session in whose outbox the offer waits for a poll; None: in none.
    waits_in: str | None = None
    #: Its page polled again after that: it has the offer, or has thrown it away.
    fetched: bool = False
    #: Its lease was cut short by a restart of the server: a loss uses up nothing.
    restarted: bool = False
    #: No report has told the store that its page has accepted it: it has moved here before that.
    unwritten: bool = False
    #: The page said that the result is in its stash.
    finished: bool = False
    #: ``go`` was sent, or may have been: the effect may have happened.
    went: bool = False
    #: Why it was revoked; its page is told so each time that it may not have heard it.
    revoked: str = "stale"

    @property
    def id(self) -> str:
        """The fence."""
        return self.claim.attempt

    @property
    def lane(self) -> str:
        """The lane that its job returns to."""
        return lane_of_claim(self.claim)

    def live(self) -> bool:
        """Whether it can still end; a revoked one has ended, and is only forgotten."""
        return self.state is not AttemptState.REVOKED

    def holder(self) -> Holder:
        """The worker and the boot that have it."""
        return Holder(self.worker, self.name, self.boot, self.task_version)


class Passage(StrEnum):
    """What happens to the connection of a page."""

    #: It came with a new session.
    CONNECTED = "connected"
    #: There was a sign that it is gone.
    AWAY = "away"
    #: It was not heard of for too long.
    QUIET = "quiet"
    #: It went on with the same session.
    BACK = "back"


class Worker(Struct):
    """A page with a stable identity."""

    # What its page says, and in which session: the registry's to change.
    id: str
    boot: str
    name: str
    types: tuple[str, ...]
    slots: int
    #: The Engine.IO session of its page; None: it has none now.
    session: str | None
    labels: Labels = ()
    #: What its page says itself: an operator's name and labels win.
    said_name: str = ""
    said_labels: Labels = ()
    #: The versions of its tasks, by type, as far as its page says them.
    versions: Mapping[str, str] = {}
    #: Where people look whether a job in doubt was done, by type: what its page says.
    doubt_urls: Mapping[str, str] = {}
    #: The tasks that its page could not load, each with why: none of these is among its types.
    unloaded: Mapping[str, str] = {}
    #: Its page has shown the credential of this worker: no other page may speak for it.
    joined: bool = False
    #: Types that no other worker here offered when it named them.
    brought: frozenset[str] = frozenset()
    #: Sessions that it has had since it was last gone, or since this server started.
    connections: int = 0
    #: Its comings and goings, the oldest first: (monotonic instant, what). ``noted`` writes them.
    lately: tuple[tuple[float, Passage], ...] = ()
    #: Which session of its boot its page spoke in last, as the page counts them; 0: it does not say.
    sessions: int = 0
    #: Monotonic instants; ``opened`` is its session's, or its last one's, and ``registered`` when it came with that:
    #: a page registers in its session again whenever what it says of itself changes.
    opened: float = 0.0
    registered: float = 0.0
    heard: float = 0.0

    # Whether it is there and heeds its offers: the attendance's to change.
    state: WorkerState = WorkerState.CONNECTED
    paused: bool = False
    #: An operator keeps it from jobs: the operators' to change, and so is the next.
    held: Hold | None = None
    #: Its page is to load anew when it has nothing to do.
    reloads: bool = False
    #: Tries on one day (``Attendance.day``, or an earlier one): those that brought a result in time, and those that
    #: failed, timed out or showed no progress. Each counts once, when it ends for this node. Those that were cancelled,
    #: given back or lost with their page count in neither.
    day: int = 0
    done: int = 0
    failed: int = 0
    #: Offers in a row that its page had and did not accept.
    lapses: int = 0
    #: How often it has been set aside since it last took an offer; it gets no offers while ``aside``.
    times_aside: int = 0
    aside: bool = False

    #: All attempts that hold a slot: live ones, and revoked ones that the page has not answered. The leases' to change.
    attempts: dict[str, Attempt] = {}

    # How it stands among the others: the pools' to change.
    pool: int = 0
    #: Order of its last offer; 0: never had one.
    used: int = 0
    #: The room it stands with in its pool.
    listed: int = 0
    #: The standing that its pool counts for it; None: not counted yet.
    counted: Standing | None = None
    #: The name by which the pools find it; None: not yet.
    called: str | None = None

    def standing(self) -> Standing:
        """Why it takes jobs now, or does not."""
        if not self.is_connected():
            return Standing.AWAY
        if self.wants_none():
            return Standing.PAUSED
        if self.aside:
            return Standing.ASIDE
        return Standing.IDLE if len(self.attempts) < self.slots else Standing.BUSY

    def doing(self) -> WorkerDoing:
        """What it does, for lists; it is connected."""
        if self.paused or self.held is not None:
            return WorkerDoing.PAUSED
        jobs = [attempt for attempt in self.attempts.values() if attempt.claim.job]
        if not jobs:
            return WorkerDoing.READY
        return WorkerDoing.BUSY if all(attempt.live() for attempt in jobs) else WorkerDoing.STUCK

    def is_connected(self) -> bool:
        """Whether its page is here now."""
        return self.state is WorkerState.CONNECTED and self.session is not None

    def is_stuck(self) -> bool:
        """Whether all of its slots hold attempts that are over, and whose tasks do not stop."""
        return self.standing() is Standing.BUSY and not any(attempt.live() for attempt in self.attempts.values())

    def wants_none(self) -> bool:
        """Whether somebody keeps it from jobs, the person at its page or an operator; or its page has no task."""
        return self.paused or self.held is not None or self.reloads or not self.types

    def free(self) -> int:
        """How many of its slots hold no attempt."""
        return self.slots - len(self.attempts)

    def room(self) -> int:
        """How many jobs it could take now."""
        return self.free() if self.standing() is Standing.IDLE else 0


def unnamed(worker_id: str) -> str:
    """The name of a worker to whom nobody has given one."""
    return f"page-{worker_id[:6]}"


def lane_of_claim(claim: Claim | LiveAttempt) -> str:
    """The lane of the job that was claimed."""
    return lane_of(claim.type, claim.terms.requires)
