"""The applier's requests to a database, at most five sets of rows a turn, and their answers.

Rows in, rows out, inside one open transaction. The applier yields a request and gets its answer; it never calls a
database, and a database knows no rule of a turn. Each request reads the state in which the transaction began: the
applier writes once, at its end, and allows for what it is about to write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change, HeardNews, LiveAttempt, MoveAttempts
from dispatcher.core.jobs.views.endings import Endings

__all__ = [
    "MOST_FORGOTTEN",
    "MOST_MISSING",
    "Counted",
    "Due",
    "DueRows",
    "LaneGroup",
    "Load",
    "Loaded",
    "Purge",
    "Purged",
    "Ready",
    "ReadyJob",
    "ReadyRows",
    "Save",
    "Saved",
    "SetRequest",
    "StoreDriver",
    "Tally",
]


#: Most workers that are gone and known; those that have been gone longest are forgotten.
MOST_MISSING = 10_000
#: Most workers that are forgotten at once.
MOST_FORGOTTEN = 1_000


class Tally(Struct, gc=False):
    """How many jobs of a lane are in a state, and the bytes of their data."""

    jobs: int = 0
    bytes: int = 0


#: A lane's key, and a state of its jobs.
Counted = tuple[str, JobState]


class Load(Struct, frozen=True, kw_only=True):
    """Loads what the turn names: always the first request."""

    #: Since the store was opened.
    elapsed_s: float
    #: Ids of attempts that are reported on; their jobs are loaded too, and so are those of ids that have no row yet.
    attempts: frozenset[str]
    #: Ids of jobs that commands name; with them their current attempts.
    jobs: frozenset[str]
    #: Ids of jobs whose attempts are all wanted.
    histories: frozenset[str]
    #: Idempotency keys of submissions.
    keys: frozenset[str]
    #: Types that submissions and workers name.
    types: frozenset[str]
    #: How many numbers are wanted that no job has had.
    numbers: int
    #: Pages that have come: what they had at other nodes is this node's from here on.
    moves: Sequence[MoveAttempts] = ()
    #: What ``Ready`` will ask for, unless the turn makes jobs ready: a store may look for it while reports are settled.
    groups: Sequence[LaneGroup] = ()


class Loaded(Struct, kw_only=True):
    """The rows are the applier's to change: no other request hands out the same ones."""

    #: It goes on while the store is open, and no wall clock changes it.
    queue_clock: float
    #: By number; those that exist.
    jobs: dict[int, JobRow]
    #: By id; those that have rows.
    attempts: dict[str, AttemptRow]
    #: By the job's number; oldest first.
    histories: dict[int, list[AttemptRow]]
    #: The known ones among ``Load.types``, and how many types are known in all.
    types: frozenset[str]
    types_known: int
    #: Open jobs, and the bytes of their data.
    held: Tally
    numbers: Sequence[int]
    #: Reported attempts that another node has.
    elsewhere: frozenset[str] = frozenset()
    #: What has moved, for each of ``Load.moves``.
    moved: Mapping[MoveAttempts, tuple[LiveAttempt, ...]] = {}
    #: Those of ``Load.moves`` that were long on their way: their pages have gone on since, in newer sessions.
    late: frozenset[MoveAttempts] = frozenset()
    #: What other nodes have told; None: no other shares the store.
    heard: HeardNews | None = None


class Due(Struct, frozen=True):
    """Jobs that wait and have expired by the wall clock, and scheduled ones whose time has come: a delay by the wall
    clock, a backoff by the queue clock. At most ``limit`` of each, the earliest first.
    """

    now_at: float
    queue_clock: float
    limit: int


class DueRows(Struct):
    """See Due; and when something else will be due: an instant of the wall clock, one of the queue clock."""

    overdue: list[JobRow]
    due: list[JobRow]
    next_due_at: float | None
    next_backoff: float | None


class LaneGroup(Struct, frozen=True):
    """Lanes that the same takers match, and the most jobs that are wanted from them."""

    lanes: tuple[str, ...]
    most: int


class Ready(Struct, frozen=True):
    """The first ready jobs of each group, by rank over all of its lanes, with their data."""

    groups: Sequence[LaneGroup]
    #: Jobs that the turn has in hand and wants the data of.
    in_hand: Sequence[int] = ()
    #: What the turn will write. The jobs that are done stay as they are: a store may write them while jobs are chosen.
    writes: WriteSet | None = None


class ReadyJob(Struct, gc=False):
    """A job that could be claimed."""

    job: JobRow
    #: JSON text.
    data: str


class ReadyRows(Struct):
    """See Ready. If there are fewer jobs than were wanted, the group has no more, or another node has them in hand."""

    groups: list[list[ReadyJob]]
    #: The data of the jobs in hand, by number.
    data: Mapping[int, str]
    #: For each job that a worker has had: all workers that had it, the last one first.
    had: Mapping[int, tuple[str, ...]]


class ActsPurge(Struct, frozen=True):
    """Which acts are forgotten: from the oldest one on, in the order of their numbers."""

    #: Those that are older than this instant of the queue clock.
    before: float
    #: And those beyond so many.
    kept: int
    #: At most so many in one turn.
    limit: int


class Purge(Struct, frozen=True):
    """Removes ended jobs, with all that belongs to them, at most ``limit``. Instants of the queue clock say before when
    they must have ended: one for jobs without a key, the other for jobs with one.
    """

    ended_before: float
    keyed_before: float
    limit: int
    #: Jobs that the turn has in hand stay.
    spare: frozenset[int]
    #: Also removes what is known of workers that were gone before this; at most ``MOST_FORGOTTEN``.
    gone_before: float
    #: Also forgets the oldest acts.
    acts: ActsPurge
    #: By the wall clock: also forgets how jobs ended long ago.
    now_at: float


class Purged(Struct):
    """The rows of what was removed."""

    jobs: list[JobRow]
    #: Whether there may be more acts, endings, or messages of deleted endpoints, to forget.
    more_acts: bool = False


class Save(Struct, kw_only=True):
    """Saves everything that the turn has changed: always the last request."""

    writes: WriteSet
    #: The amounts to add to the counters.
    deltas: Mapping[Counted, Tally]
    queue_clock: float
    #: When the first job that this turn has made wait is due. None: it has made none wait.
    next_due_at: float | None
    next_backoff: float | None
    #: Types that a worker begins to offer in this turn.
    offered: Sequence[str]
    offered_at: float
    #: Workers offer these types: lanes of others that have no jobs are forgotten. None: nothing is forgotten.
    forget_but: frozenset[str] | None
    #: The counts of these lanes are wanted.
    lanes: Sequence[str]
    #: How jobs have ended in this turn, at ``offered_at``, by type.
    ended: Mapping[str, Endings]
    #: The latest end, by the queue clock, of which no row will tell: its job goes, or goes on.
    ends_lost_clock: float
    #: The numbers of those jobs.
    ends_lost: Sequence[int] = ()
    #: For other nodes: the transitions of this turn, and the jobs that it leaves ready, by lane and number.
    changes: Sequence[Change] = ()
    left_ready: Mapping[str, Mapping[int, JobRow]] = {}


class Saved(Struct):
    """How many jobs wait in each of the lanes that were asked for."""

    queued: Mapping[str, int]


SetRequest = Load | Due | Ready | Purge | Save


class StoreDriver(Protocol):
    """A database's side of a turn. Runs inside one open transaction that its store has begun."""

    def load(self, request: Load) -> Loaded:
        """See Load."""
        ...

    def due(self, request: Due) -> DueRows:
        """See Due."""
        ...

    def ready(self, request: Ready) -> ReadyRows:
        """See Ready."""
        ...

    def purge(self, request: Purge) -> Purged:
        """See Purge."""
        ...

    def save(self, request: Save) -> Saved:
        """See Save. Writes all of it or raises."""
        ...
