"""What a follower gets: changes and roll events with their numbers, those that it asked for, and its gaps. Pure."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.telling import JOB, RollEvent

__all__ = ["ChangeFilter", "ChangePage", "FeedEvent", "Gap", "NumberedEvent"]

#: What is told to those who follow.
FeedEvent = Change | RollEvent


class ChangeFilter(Struct, frozen=True, kw_only=True):
    """What a follower gets: the events that ``event`` names, and of changes those that pass the other fields.

    An empty one of these lets all changes pass.
    """

    #: Ids of jobs.
    job: frozenset[str] = frozenset()
    #: Ids of workers. Names are not judged: a name may change, and a change does not say it.
    worker: frozenset[str] = frozenset()
    type: frozenset[str] = frozenset()
    #: What the job has become.
    state: frozenset[JobState] = frozenset()
    #: Who submitted the job.
    owner: frozenset[str] = frozenset()
    #: Some of ``FOLLOWED``. Whoever does not know of an event does not get it.
    event: frozenset[str] = frozenset({JOB})

    def passes(self, event: FeedEvent) -> bool:
        """The one place where an event is judged for a follower: whoever may not have it is refused here."""
        return event.name in self.event if isinstance(event, RollEvent) else self._passes(event)

    def _passes(self, change: Change) -> bool:
        return (
            JOB in self.event
            and (not self.job or change.job in self.job)
            and (not self.worker or change.worker in self.worker)
            and (not self.type or change.type in self.type)
            and (not self.state or change.new in self.state)
            and (not self.owner or change.owner in self.owner)
        )


class NumberedEvent(Struct):
    """A change or a roll event with its number in this life of the server: 1, 2, 3 and so on."""

    number: int
    event: FeedEvent
    #: How it is written for a follower; made for the first one, and kept for all others.
    frame: bytes | None = None


class Gap(Struct, frozen=True):
    """Some events are missing before what comes next."""

    #: ``passed`` or ``other_life``.
    reason: str
    detail: str


class ChangePage(Struct, frozen=True):
    """What a follower gets at once. It may be empty."""

    items: list[NumberedEvent]
    #: The life of the server that the numbers belong to.
    life: str
    #: Where the follower stands behind it: the number of the last event that was judged.
    after: int
    #: What is missing before the items.
    gap: Gap | None = None

    def id_of(self, number: int) -> str:
        """The id of an event, or of the place before the first one."""
        return f"{self.life}-{number}"
