"""Knows whether a worker is there, and whether it heeds its offers; sets it aside for a while if it does not.

Theory of operation. Two things keep offers from a worker that has room. Its page may be gone: the worker is *away*
after a sign of that, *quiet* without any. Or it is *set aside*, because it had offers and did not accept them. Both end
by themselves at an instant. Attendance owns those instants (``grace``, ``aside``) and the fields of a worker that
belong to them: its state, ``paused``, ``aside``, its lapses, the counts of what it has done, and of its comings.

It does not know sessions, and ends no attempt: its callers do.
"""

from __future__ import annotations

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Passage, Worker, WorkerState
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.timings import Timings

__all__ = ["Attendance"]

#: A page is set aside after this many offers in a row that it had and did not accept.
MOST_LAPSES = 2
#: So many of its comings and goings are known of a worker.
MOST_LATELY = 20
#: 60 s x 2^10 is 17 hours; a person looks at a page that is of no use for so long.
MOST_DOUBLINGS = 10


class Attendance:
    """Which workers are there, and which of them are of use."""

    def __init__(self, fleet: Fleet, deadlines: Deadlines[Due], timings: Timings) -> None:
        self._fleet = fleet
        self._deadlines = deadlines
        self._timings = timings
        #: Today: days by the clocks on the walls here are numbered.
        self.day = 0

    # -- it is there

    def connected(self, worker: Worker) -> None:
        """Its page is there. The caller changes more of it, and tells the fleet."""
        worker.state = WorkerState.CONNECTED
        self._deadlines.clear(("grace", worker.id))

    def came(self, worker: Worker) -> None:
        """Its page has a new session."""
        worker.connections += 1
        self._note(worker, Passage.CONNECTED)

    def _note(self, worker: Worker, passage: Passage, ago_s: float = 0.0) -> None:
        worker.lately = (*worker.lately[1 - MOST_LATELY :], (self._deadlines.now - ago_s, passage))

    def back(self, worker: Worker) -> None:
        """Its page polls again on the same session: the grace stops."""
        if worker.state is not WorkerState.CONNECTED:
            self._note(worker, Passage.BACK)
            self.connected(worker)
            self._fleet.changed(worker)

    def away(self, worker: Worker, ago_s: float) -> None:
        """There was a sign that its page is gone, so long ago: the grace runs since then."""
        self._note(worker, Passage.AWAY, ago_s)
        worker.state = WorkerState.AWAY
        self._deadlines.start(("grace", worker.id), max(0.0, self._timings.reconnect_grace_s - ago_s))
        self._fleet.changed(worker)

    def quiet(self, worker: Worker) -> None:
        """Its session timed out, and nothing shows that its page is gone."""
        if worker.state is WorkerState.CONNECTED:
            self._note(worker, Passage.QUIET)
            worker.state = WorkerState.QUIET
            self._fleet.changed(worker)

    def let_quiet_go(self, worker: Worker) -> None:
        """A quiet worker that has no lease left to protect is forgotten after the grace, like one that is away."""
        if worker.state is WorkerState.QUIET and not any(attempt.live() for attempt in worker.attempts.values()):
            self._deadlines.start(("grace", worker.id), self._timings.reconnect_grace_s)

    def gone(self, worker: Worker) -> None:
        """The worker is forgotten: nothing waits for it any more."""
        self._deadlines.clear(("grace", worker.id))
        self._deadlines.clear(("aside", worker.id))

    # -- it heeds its offers

    def paused(self, worker: Worker, paused: bool) -> None:
        """Its page wants no offers, or wants them again."""
        worker.paused = paused
        self._fleet.changed(worker)

    def takes_offers(self, worker: Worker) -> None:
        """It has accepted an offer: nothing counts against it any more."""
        worker.lapses = worker.times_aside = 0

    def answered(self, worker_id: str) -> None:
        """A result or an error of its attempt has come, so it takes offers. The worker may have gone meanwhile."""
        worker = self._fleet.workers.get(worker_id)
        if worker is not None:
            self.takes_offers(worker)

    def heeds_no_offer(self, worker: Worker) -> None:
        """It had an offer and did not accept it: it let the offer lapse, or declined it."""
        worker.lapses += 1
        if worker.lapses >= MOST_LAPSES and not worker.aside:
            self._set_aside(worker)

    def _set_aside(self, worker: Worker) -> None:
        """It gets offers and does nothing with them: it is tried again after a while, which is longer each time."""
        worker.aside = True
        aside_s = self._timings.set_aside_s * 2.0 ** min(worker.times_aside, MOST_DOUBLINGS)
        worker.times_aside += 1
        self._fleet.changed(worker)
        self._deadlines.start(("aside", worker.id), aside_s)

    def try_again(self, worker: Worker) -> None:
        """Its time aside is over: it gets offers again."""
        worker.aside = False
        worker.lapses = MOST_LAPSES - 1  # one more, and it is set aside again
        self._fleet.changed(worker)

    # -- what it did today

    def tried(self, worker_id: str, *, done: int = 0, failed: int = 0) -> None:
        """A try of it has ended, well or badly: it counts now, and what its page says of it later does not."""
        worker = self._fleet.workers.get(worker_id)
        if worker is not None:
            self._count(worker, done, failed)

    def _count(self, worker: Worker, done: int, failed: int) -> None:
        before_done, before_failed = self.today(worker)
        worker.day, worker.done, worker.failed = self.day, before_done + done, before_failed + failed

    def today(self, worker: Worker) -> tuple[int, int]:
        """Its tries of today: done, and failed."""
        return (worker.done, worker.failed) if worker.day == self.day else (0, 0)

    def recalled(self, worker: Worker, day: int, done: int, failed: int) -> None:
        """Somebody has noted that it had these tries on this day, before it came."""
        if day == self.day:
            self._count(worker, done, failed)
