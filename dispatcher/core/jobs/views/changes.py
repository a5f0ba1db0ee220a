"""Changes as a follower gets them: each with its number, those that it asked for, and what it has missed. Pure."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change

__all__ = ["ChangeFilter", "ChangePage", "Gap", "NumberedChange"]


class ChangeFilter(Struct, frozen=True, kw_only=True):
    """Which changes a follower gets; an empty field lets all pass."""

    #: Ids of jobs.
    job: frozenset[str] = frozenset()
    #: Ids of workers. Names are not judged: a name may change, and a change does not say it.
    worker: frozenset[str] = frozenset()
    type: frozenset[str] = frozenset()
    #: What the job has become.
    state: frozenset[JobState] = frozenset()
    #: Who submitted the job.
    owner: frozenset[str] = frozenset()

    def passes(self, change: Change) -> bool:
        """The one place where a change is judged for a follower: whoever may not have it is refused here."""
        return (
            (not self.job or change.job in self.job)
            and (not self.worker or change.worker in self.worker)
            and (not self.type or change.type in self.type)
            and (not self.state or change.new in self.state)
            and (not self.owner or change.owner in self.owner)
        )


class NumberedChange(Struct):
    """A change with its number in this life of the server: 1, 2, 3 and so on."""

    number: int
    change: Change
    #: How it is written for a follower; made for the first one, and kept for all others.
    frame: bytes | None = None


class Gap(Struct, frozen=True):
    """Some changes are missing before what comes next."""

    #: ``passed`` or ``other_life``.
    reason: str
    detail: str


class ChangePage(Struct, frozen=True):
    """What a follower gets at once. It may be empty."""

    items: list[NumberedChange]
    #: The life of the server that the numbers belong to.
    life: str
    #: Where the follower stands behind it: the number of the last change that was judged.
    after: int
    #: What is missing before the items.
    gap: Gap | None = None

    def id_of(self, number: int) -> str:
        """The id of a change, or of the place before the first one."""
        return f"{self.life}-{number}"
