"""The ring: the newest changes and roll events of this life of the server, by number, for those who follow them.

It is a plain data structure: it knows no clock, no loop and nobody who follows. A follower is a number into it, so
what somebody has not taken yet costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dispatcher.core.jobs.views.changes import ChangeFilter, FeedEvent, Gap, NumberedEvent
from dispatcher.errors import BadParameter

__all__ = ["OLDEST", "Ring"]

#: The word for the oldest change that is kept, in the place of an id.
OLDEST = "oldest"
_ID = re.compile(r"([0-9a-z]{1,32})-([0-9]{1,15})")
_ODD_ID = "{name} is not the id of a change: take it unchanged from an earlier answer, or say oldest."
_AHEAD = "{name} has not been told to anybody: take it unchanged from an earlier answer, or say oldest."
_CATCH_UP = "Read the jobs and workers that matter to you, then go on with what follows."
_PASSED = "{count:,} changes are no longer kept (--events-kept). " + _CATCH_UP
_OTHER_LIFE = "The id is of another life of the server, whose changes are not kept. " + _CATCH_UP


class Ring:
    """Holds at most ``kept`` events; ``life`` names this life of the server in their ids."""

    def __init__(self, kept: int, life: str) -> None:
        self.life = life
        #: The number of the newest event; 0: there was none.
        self.end = 0
        self._kept = kept
        #: Event ``n`` stands at ``(n - 1) % kept``.
        self._slots: list[NumberedEvent] = []

    @property
    def passed(self) -> int:
        """The number of the newest event that is no longer kept; 0: all are."""
        return self.end - len(self._slots)

    def add(self, events: Sequence[FeedEvent]) -> None:
        """What one turn has changed, in its order, or what a look has found. It takes the place of the oldest."""
        slots, kept, number = self._slots, self._kept, self.end
        for event in events:
            number += 1
            if len(slots) < kept:
                slots.append(NumberedEvent(number, event))
            else:
                slots[(number - 1) % kept] = NumberedEvent(number, event)
        self.end = number

    def take(self, after: int, wanted: ChangeFilter, *, most: int, judged: int) -> tuple[list[NumberedEvent], int]:
        """At most ``most`` events behind ``after``, and the number of the last one that was judged.

        It judges at most ``judged`` events, so that a long way through the ring can be gone in steps.
        """
        items: list[NumberedEvent] = []
        last = min(self.end, after + judged)
        while after < last and len(items) < most:
            item = self._slots[after % self._kept]
            after += 1
            if wanted.passes(item.event):
                items.append(item)
        return items, after

    # -- ids

    def place(self, name: str | None) -> tuple[int, Gap | None]:
        """The number behind which a follower begins: None: only what is new. Raises BadParameter.

        The id of another life leads to the oldest change, and to a gap.
        """
        if name is None:
            return self.end, None
        if name == OLDEST:
            return self.passed, None
        found = _ID.fullmatch(name)
        if found is None:
            raise BadParameter(_ODD_ID.format(name=repr(name[:100])), parameter="after")
        if found[1] != self.life:
            return self.passed, Gap("other_life", _OTHER_LIFE)
        if int(found[2]) > self.end:
            raise BadParameter(_AHEAD.format(name=name), parameter="after")
        return int(found[2]), None

    def gap(self, after: int) -> Gap | None:
        """What somebody who stands at ``after`` has missed; None: nothing."""
        return Gap("passed", _PASSED.format(count=self.passed - after)) if after < self.passed else None
