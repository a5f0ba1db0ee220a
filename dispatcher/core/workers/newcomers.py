"""New boots that wait until it is clear whether the old one lives: at most one for each worker, the latest.

A session that goes takes its newcomers along, so they are found by session, too: nobody looks through all of them.
"""

from __future__ import annotations

from dispatcher.core.workers.registration import Registration

__all__ = ["Newcomers"]


class Newcomers:
    """Who waits for which worker."""

    def __init__(self) -> None:
        #: Worker -> (session, registration).
        self._waiting: dict[str, tuple[str, Registration]] = {}
        #: Session -> the workers that it waits for.
        self._of: dict[str, dict[str, None]] = {}

    def add(self, worker_id: str, session: str, registration: Registration) -> None:
        """It waits for this worker, in the place of any other."""
        self.pop(worker_id)
        self._waiting[worker_id] = (session, registration)
        self._of.setdefault(session, {})[worker_id] = None

    def pop(self, worker_id: str) -> tuple[str, Registration] | None:
        """(session, registration) of the one that waits for this worker, which waits no more; None: nobody does."""
        found = self._waiting.pop(worker_id, None)
        if found is not None:
            workers = self._of[found[0]]
            del workers[worker_id]
            if not workers:
                del self._of[found[0]]
        return found

    def forget(self, session: str) -> list[str]:
        """The session is no more. Returns the workers that it waited for."""
        workers = list(self._of.get(session, ()))
        for worker_id in workers:
            self.pop(worker_id)
        return workers
