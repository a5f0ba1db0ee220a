"""Pages that come from another node of the store, and wait until what they had there is this node's.

A page that shows its identity may have been elsewhere. So its registration waits while the store is asked, in a turn,
to move its attempts here; then it goes on as one of a page that comes back after a restart. What a page had nowhere
else costs the same turn. A node that has its store for itself asks nothing.

It knows sessions and registrations, and no attempt.
"""

from __future__ import annotations

from collections import Counter

from dispatcher.core.jobs.news import Coming
from dispatcher.core.jobs.turn import MoveAttempts
from dispatcher.core.workers.registration import Registration

__all__ = ["Movers"]


class Movers:
    """The registrations that wait, by session: of each the latest."""

    def __init__(self) -> None:
        self._waiting: dict[str, Registration] = {}
        #: How many sessions of each page wait, by worker and boot.
        self._pages: Counter[tuple[str, str]] = Counter()

    def has(self, worker: str, boot: str) -> bool:
        """Whether this page waits here: it is not gone."""
        return (worker, boot) in self._pages

    def ask(self, session: str, registration: Registration) -> MoveAttempts | None:
        """The registration waits; None: the same page has asked already."""
        before = self._take(session)
        self._waiting[session] = registration
        self._pages[registration.worker, registration.boot] += 1
        if before is not None and before.boot == registration.boot:
            return None
        named = dict.fromkeys([*(name for name, _ in registration.holding), *registration.finished])
        page = Coming(registration.worker, registration.boot, registration.after, registration.sessions)
        return MoveAttempts(page, tuple(named), session)

    def answered(self, command: MoveAttempts) -> Registration | None:
        """The registration that has waited for this; None: its session is over, or asks for another page now."""
        found = self._waiting.get(command.session)
        if found is None or found.boot != command.page.boot:
            return None
        return self._take(command.session)

    def forget(self, session: str) -> None:
        """The session is over: its page registers again, here or elsewhere."""
        self._take(session)

    def _take(self, session: str) -> Registration | None:
        found = self._waiting.pop(session, None)
        if found is not None:
            page = (found.worker, found.boot)
            self._pages[page] -= 1
            if not self._pages[page]:
                del self._pages[page]
        return found
