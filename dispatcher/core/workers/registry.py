"""Knows which worker each session belongs to: sessions come and go, pages register, old boots end.

Theory of operation. A page proves which worker it is, and its *boot* says which load of the page it is. One boot is one
worker, and one session belongs to one worker. A new boot of a worker whose old page may still be there is a *newcomer*:
the old page is asked for a sign of life, and until that is decided (``probe``) the newcomer waits for its answer. If
the old page answers, there are two windows, and the newcomer becomes a worker of its own.

The registry owns sessions, boots, newcomers and the deadline ``probe``. It makes workers and forgets them.
``attendance`` knows whether a worker is there; ``reconciler`` and ``leases`` take care of its attempts.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from dispatcher.core.fleet.fleet import Fleet
from dispatcher.core.fleet.worker import Worker, WorkerState
from dispatcher.core.jobs.acts.kept import Hold, KeptWorker
from dispatcher.core.jobs.news import Coming
from dispatcher.core.jobs.turn import OfferedTypes
from dispatcher.core.workers.attendance import Attendance
from dispatcher.core.workers.deadlines import Deadlines, Due
from dispatcher.core.workers.effects import Drop, Effect, HoldOrder, Order, Probe, Refuse, Request, Welcome
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.newcomers import Newcomers
from dispatcher.core.workers.operators import Operators
from dispatcher.core.workers.reconciler import Reconciler
from dispatcher.core.workers.registration import Registration
from dispatcher.core.workers.timings import PROBE_S

__all__ = ["MOST_TYPES_BROUGHT", "MOST_TYPES_TOLD", "Registry"]

#: Most types that a page may name over all its registrations while no other page offers them: the store keeps each.
MOST_TYPES_BROUGHT = 1_000
#: A page is told the names of this many types that found no room in the store.
MOST_TYPES_TOLD = 10


class Registry:
    """Workers and their sessions."""

    def __init__(
        self, fleet: Fleet, attendance: Attendance, leases: Leases, deadlines: Deadlines[Due], operators: Operators
    ) -> None:
        self._fleet = fleet
        self._attendance = attendance
        self._leases = leases
        self._reconciler = Reconciler(leases)
        self._operators = operators
        self._deadlines = deadlines
        self._by_session: dict[str, Worker] = {}
        self._newcomers = Newcomers()
        #: Boot -> worker, for every worker.
        self._boots: dict[str, str] = {}
        #: The node is stopping: no more offers.
        self.draining = False

    def worker_of(self, session: str) -> Worker | None:
        """The worker that this session belongs to; None: it has not registered."""
        return self._by_session.get(session)

    def away(self, session: str, ago_s: float = 0.0) -> list[Effect]:
        """The session's connection closed, so long ago: a sign that the page may be gone. The grace runs (S11)."""
        self._forget_newcomer(session)
        worker = self._by_session.get(session)
        if worker is None or worker.state is WorkerState.AWAY:
            return []
        self._attendance.away(worker, ago_s)
        return self._leases.take_back(worker) + self.decide(worker.id)

    def back(self, session: str) -> None:
        """The page polls again on the same session: the grace stops."""
        worker = self._by_session.get(session)
        if worker is not None:
            self._attendance.back(worker)

    def ended(self, session: str) -> list[Effect]:
        """The page itself left this session (a close, overlapping polls): a sign, as in ``away``."""
        effects = self.away(session)
        self._unbind(session)
        return effects

    def quiet(self, session: str) -> list[Effect]:
        """The session timed out, its connection did not close: no offers, but every lease runs on (S8, S11)."""
        self._forget_newcomer(session)
        worker = self._unbind(session)
        if worker is None:
            return []
        self._attendance.quiet(worker)
        effects = self._leases.take_back(worker)
        self._attendance.let_quiet_go(worker)
        return effects + self.decide(worker.id)

    def heard(self, session: str) -> list[Effect]:
        """The page of this session made a request. If it is the old boot of a newcomer, there are two windows."""
        worker = self._by_session.get(session)
        if worker is None:
            return []
        worker.heard = self._deadlines.now
        newcomer = self._newcomers.pop(worker.id)
        if newcomer is None:
            return []
        self._deadlines.clear(("probe", worker.id))
        other_session, registration = newcomer
        if registration.joined:
            return [Refuse(other_session, "other_window", _OTHER_WINDOW)]
        return self._admit(other_session, replace(registration, worker=registration.spare, holding=(), finished=()))

    def gone(self, worker: Worker, detail: str) -> list[Effect]:
        """The worker's page is gone for good, with all that it had."""
        self._boots.pop(worker.boot, None)
        effects: list[Effect] = []
        for attempt in list(worker.attempts.values()):
            effects += self._leases.abandoned(attempt, detail)
        self._attendance.gone(worker)
        if worker.session is not None:
            del self._by_session[worker.session]
            effects.append(Drop(worker.session))
        self._fleet.remove(worker)
        return effects + self.decide(worker.id)

    def came_elsewhere(self, page: Coming) -> list[Effect]:
        """A page has come to another node. If it is this boot, or this boot is gone, nobody comes back here.

        If the old boot is still connected here, there are two windows: it goes on.
        """
        worker = self._fleet.workers.get(page.worker)
        if worker is None:
            return []
        if worker.boot == page.boot:
            return self._went_on_elsewhere(worker, page)
        if worker.state is not WorkerState.CONNECTED or page.after == worker.boot:
            return self.gone(worker, "the page was reloaded")
        return []

    def _went_on_elsewhere(self, worker: Worker, page: Coming) -> list[Effect]:
        if not 0 < page.sessions < worker.sessions:
            return self.gone(worker, "its page went to another node")
        # That was long on its way: the page has come here since. What it has may have moved there meanwhile; with
        # its next session all of it comes along.
        return [] if worker.session is None else self.drop(worker.session)

    def drop(self, session: str) -> list[Effect]:
        """Ends a session that its page has left, or shall leave."""
        return [*self.ended(session), Drop(session)]

    def drain(self) -> list[Effect]:
        """No more offers; running attempts may end. Pages are told."""
        self.draining = True
        effects: list[Effect] = [Order(session, "drain") for session in self._by_session]
        for worker in self._fleet.workers.values():
            effects += self._leases.take_back(worker)
        return effects

    def _forget_newcomer(self, session: str) -> None:
        """Forgets a newcomer that went away while it waited: it must not be bound to a session that is gone.

        If its page is still there, it registers again.
        """
        for worker_id in self._newcomers.forget(session):
            self._deadlines.clear(("probe", worker_id))

    def _unbind(self, session: str) -> Worker | None:
        worker = self._by_session.pop(session, None)
        if worker is not None:
            worker.session = None
            self._fleet.changed(worker)
        return worker

    # -- what operators say

    def keep(self, one: KeptWorker) -> list[Effect]:
        """An operator has said something of a worker, durably: its page is told, and it counts from here on."""
        self._operators.keep(one)
        worker = self._fleet.workers.get(one.id)
        if worker is None:
            return []
        if one.blocked is not None:
            told = [] if worker.session is None else self._turn_away(worker.session, one.blocked)
            return told + self.gone(worker, "an operator has blocked it")
        called, held = (worker.name, worker.labels), worker.held
        self._operators.apply(worker)
        self._fleet.changed(worker)
        effects = [] if worker.held is None else self._leases.take_back(worker)
        if worker.session is None:
            return effects
        if (worker.name, worker.labels) != called:
            effects += self._welcome(worker, worker.session)
        elif worker.held != held:
            effects.append(HoldOrder(worker.session, worker.held))
        return effects

    def reload(self, worker: Worker, *, at_once: bool) -> list[Effect]:
        """Its page is to load anew: at once, or when it is idle, and then it gets no offers until it has."""
        if worker.session is None:
            return []
        if at_once:
            return [Order(worker.session, "reload")]
        worker.reloads = True
        self._fleet.changed(worker)
        return [*self._leases.take_back(worker), Order(worker.session, "reload_idle")]

    def _turn_away(self, session: str, blocked: Hold) -> list[Effect]:
        return [Refuse(session, "blocked", f"this worker was blocked{blocked.words()}")]

    # -- registering

    def register(self, session: str, registration: Registration) -> list[Effect]:
        """A page says who it is. A new boot ends the old page's attempts; the same boot goes on with its own."""
        if self._brings_too_many(session, registration):
            return [Refuse(session, "too_many_types", _TOO_MANY_TYPES)]
        known = self._admitted(registration)
        if known is not None and self._is_strange(known, registration):
            return [Refuse(session, "bad_token", _STRANGE)]
        blocked = self._operators.blocked(known or registration.worker)
        if blocked is not None:
            return self._turn_away(session, blocked)
        if known is not None:
            return self._admit(session, replace(registration, worker=known))
        worker = self._fleet.workers.get(registration.worker)
        if worker is None or worker.boot == registration.boot:
            return self._admit(session, registration)
        self._newcomers.add(worker.id, session, registration)
        alone = registration.after == worker.boot or worker.state is not WorkerState.CONNECTED
        if alone or worker.session is None or worker.session == session:
            return self.decide(worker.id)
        if self._deadlines.get(("probe", worker.id)) is not None:
            return []  # repeated while the old boot is being probed: that gives the old boot no more time
        self._deadlines.start(("probe", worker.id), PROBE_S)
        return [Probe(worker.session, self._deadlines.now)]

    def decide(self, worker_id: str) -> list[Effect]:
        """The old boot gave no sign of life: the newcomer is the same window, loaded anew (S12)."""
        self._deadlines.clear(("probe", worker_id))
        newcomer = self._newcomers.pop(worker_id)
        if newcomer is None:
            return []
        blocked = self._operators.blocked(worker_id)  # perhaps since the newcomer began to wait
        return self._admit(*newcomer) if blocked is None else self._turn_away(newcomer[0], blocked)

    def _brings_too_many(self, session: str, registration: Registration) -> bool:
        """Whether the page would have named more new types than one page may, under all its identities."""
        known = (
            self._fleet.workers.get(self._boots.get(registration.boot, registration.worker)),
            self._by_session.get(session),
        )
        new = self._unoffered(registration)
        return len(new.union(*(worker.brought for worker in known if worker is not None))) > MOST_TYPES_BROUGHT

    def _unoffered(self, registration: Registration) -> frozenset[str]:
        """The types of the registration that no worker here offers."""
        return frozenset(name for name in registration.types if not self._fleet.roster.offering(name))

    def _admitted(self, registration: Registration) -> str | None:
        """The worker that this boot has become before. The page may not know: our answer was late, or was lost."""
        return self._boots.get(registration.boot)

    def _is_strange(self, known: str, registration: Registration) -> bool:
        """Whether a page uses the boot of a worker of which it, or that worker's page, has shown a credential.

        A boot alone makes nobody a worker that has joined, and nobody who has joined another worker.
        """
        if registration.joined:
            return known != registration.worker
        return self._fleet.workers[known].joined

    def _admit(self, session: str, registration: Registration) -> list[Effect]:
        worker = self._fleet.workers.get(registration.worker)
        if worker is not None and worker.boot == registration.boot and registration.opened < worker.opened:
            # It was long on its way: the page has left this session for a newer one.
            return self.drop(session)
        new = self._unoffered(registration)
        # The same page repeats what it has said in this session, or the network repeats it, perhaps late.
        repeated = worker is not None and (worker.session, worker.boot) == (session, registration.boot)
        effects: list[Effect] = []
        if worker is not None and worker.boot != registration.boot:
            effects += self._reconciler.end_old_boot(worker, registration)
        other = self._by_session.get(session)
        if other is not None and other is not worker:
            self._unbind(session)  # so that this session is not dropped with it
            effects += self.gone(other, "its page became another worker")
        if worker is None:
            worker = Worker(registration.worker, registration.boot, "", (), 1, None, attempts={})
            self._fleet.add(worker)
        worker.brought = worker.brought.union(new, () if other is None else other.brought)
        effects += self._bind(worker, session, registration)
        effects += self._reconciler.reconcile(worker, registration, repeated)
        self._fleet.changed(worker)
        if new:
            effects.append(Request(OfferedTypes(tuple(sorted(new)), worker.id)))
        return effects

    def no_room(self, worker_id: str, types: Sequence[str]) -> list[Effect]:
        """The store has no room for these types: the page is told, for people to see."""
        worker = self._fleet.workers.get(worker_id)
        if worker is None or worker.session is None:
            return []
        return [Refuse(worker.session, "types_full", _TYPES_FULL.format(types=", ".join(types[:MOST_TYPES_TOLD])))]

    def _bind(self, worker: Worker, session: str, registration: Registration) -> list[Effect]:
        """The session is this worker's now, and its page speaks for the worker. A session that it had is dropped."""
        effects: list[Effect] = []
        if worker.session is not None and worker.session != session:
            del self._by_session[worker.session]
            effects.append(Drop(worker.session))
        self._by_session[session] = worker
        self._boots.pop(worker.boot, None)
        self._boots[registration.boot] = worker.id
        self._attendance.connected(worker)
        if worker.session != session:
            self._attendance.came(worker)
            worker.registered = self._deadlines.now
        self._operators.describe(worker, registration)
        self._fleet.doubt_urls.heard(worker)
        worker.session, worker.opened, worker.sessions = session, registration.opened, registration.sessions
        worker.heard = self._deadlines.now
        return effects + self._welcome(worker, session)

    def _welcome(self, worker: Worker, session: str) -> list[Effect]:
        """With a welcome a page forgets what it was told before: it is told so again."""
        stops: list[Effect] = [Order(session, "drain")] if self.draining else []
        return [Welcome(session, worker.id, worker.name, worker.labels), *stops, *self._operators.told(worker, session)]


_OTHER_WINDOW = "another window with this page's credential is this worker: a page that joins of its own is another one"
_STRANGE = "this load of the page belongs to another worker: a credential opens the identity of its own worker alone"
_TOO_MANY_TYPES = (
    f"a page may name {MOST_TYPES_BROUGHT:,} types that no other page offers, over all its registrations, "
    "and this one would have named more: let it offer fewer"
)
_TYPES_FULL = "the server knows as many types as it may (--most-types), and takes no jobs of: {types}"
