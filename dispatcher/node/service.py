"""The dispatcher: core, store and pages on one loop, with one timer and one turn in flight.

Handlers call it. It holds no rule about jobs (the core does) and no SQL (the store does); it knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from dispatcher import ids
from dispatcher.clock import Clock
from dispatcher.config.settings import Settings
from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.states import SETTLED
from dispatcher.core.jobs.turn import Accepted, Change, ForgetTypes
from dispatcher.core.workers.effects import Request
from dispatcher.errors import Draining, PagehandError, StorageTrouble
from dispatcher.node.access import Access
from dispatcher.node.acts.backups import Backups
from dispatcher.node.acts.manyworkers import WorkerTargets
from dispatcher.node.acts.operations import JobTargets, Operations
from dispatcher.node.acts.orders import WorkerOrders
from dispatcher.node.acts.rollouts import Rollouts
from dispatcher.node.acts.testjobs import WorkerTests
from dispatcher.node.acts.types import Types
from dispatcher.node.changes.events import Ring
from dispatcher.node.changes.followers import Feed
from dispatcher.node.doubts import DeskDoubts
from dispatcher.node.holds import DeskHolds
from dispatcher.node.machinery import make_machine
from dispatcher.node.rollcalls import RollCalls
from dispatcher.node.taskfiles import NO_FILES, TaskFiles
from dispatcher.node.timer import PULSE_S, Timer
from dispatcher.node.turns.activity import Activity
from dispatcher.node.turns.busiest import Busiest
from dispatcher.node.turns.diaries import Diaries
from dispatcher.node.turns.failing import Failing, ended_before
from dispatcher.node.turns.gathering import Intake, refusal
from dispatcher.node.turns.readers import Readers
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views.farm import FarmVerbs
from dispatcher.node.views.looking import LookVerbs
from dispatcher.node.views.overview import Looks
from dispatcher.node.views.walks import Walks
from dispatcher.node.waits.batches import BatchVerbs
from dispatcher.node.waits.looks import BatchLooks
from dispatcher.node.waits.waiters import Waiters
from dispatcher.node.webhooks.hooks import Webhooks
from dispatcher.node.webhooks.posting import Poster
from dispatcher.pages.pages import Pages, Transport
from dispatcher.store.port import Store

__all__ = ["Dispatcher"]

log = logging.getLogger("pagehand.service")

#: How often to check the wall clock while something is due by it: the clock may be stepped or slewed, and a due job
#: must still start within a second (S15, S20).
WALL_CHECK_S = 0.5
#: If the timer fires this late, the loop stood still, and the network's deadlines move by that time. The timer's pulse
#: shows the length of every longer standstill. A shorter one is load (and shorter than a catch-up, see ``Pings``).
STANDSTILL_S = PULSE_S
#: A standstill of this length is logged: the process or the machine was stopped.
TOLD_S = 5.0
#: Types that are read at once.
TYPES_READ = 500
#: How often to forget types that have no jobs and no workers.
TYPES_KEPT_S = 600.0


class Dispatcher(BatchVerbs, FarmVerbs, LookVerbs):
    """Make it on the loop that it lives on. ``start`` it before use; ``begin_drain`` and ``close`` at the end."""

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        clock: Clock,
        rng: random.Random,
        new_worker_id: Callable[[], str],
        files: TaskFiles = NO_FILES,
        failed: Callable[[StorageTrouble], None] = lambda error: None,
        now_and_then: Callable[[], None] = lambda: None,
        poster: Poster | None = None,
    ) -> None:
        self.settings = settings
        self._store, self._clock = store, clock
        #: Called every ``store_check_s``, or more often.
        self._now_and_then = now_and_then
        self.machine = make_machine(settings, rng, shared=store.beat_s is not None)
        self._intake = Intake(most_jobs=settings.intake_queue, most_bytes=settings.intake_bytes)
        self._activity, self._waiters = Activity(), Waiters(settings.waiters)
        self._turns = Turns(
            machine=self.machine, store=store, clock=clock, intake=self._intake, activity=self._activity,
            send=lambda effect: self.pages.send(effect), after=self._after_turn, failed=failed, waiters=self._waiters,
        )  # fmt: skip
        self.pages = Pages(
            machine=self.machine, settings=settings, key=store.key, new_worker_id=new_worker_id,
            carry_out=self._turns.carry_out, now=clock.monotonic,
        )  # fmt: skip
        self._timer = Timer(clock, self.tick)
        self._batch_looks = BatchLooks(self.batch, self._waiters)
        self._transport: Transport
        #: An idle server has a turn now and then: for the store's housekeeping, and so that other nodes hear of it.
        self._idle_s = min(settings.store_check_s, store.beat_s or settings.store_check_s)
        self._housekeeping = clock.monotonic() + self._idle_s
        self._types_tidied = clock.monotonic()
        self._failing, self._busiest, self._readers = Failing(), Busiest(), Readers()
        self._accepting = self.draining = False
        #: It looks in a moment whether something is to be done.
        self._looks = False
        self._make_verbs(poster, rng, files)

    def _make_verbs(self, poster: Poster | None, rng: random.Random, files: TaskFiles) -> None:
        """What serves programs and operators, above turns and pages."""
        settings, store, clock = self.settings, self._store, self._clock
        #: For those who follow the changes.
        self.feed = Feed(Ring(settings.events_kept, ids.new_life()), clock, settings.waiters)
        #: For those who read the whole list of jobs.
        self.walks = Walks(self.jobs, settings.waiters)
        self.backups = Backups(store, clock)
        self.access = Access(store, clock, self._turns, armed=self._arm)
        #: The types of jobs, and the pauses that operators order.
        self.types = Types(store, clock, self._turns, self.machine, self._readers, files)
        #: What the workers did lately.
        self.diaries = Diaries(store, clock, self.machine, self.pages.sessions)
        self._turns.diaries = self.diaries.take
        #: Single workers, and what operators order of them.
        self.orders = WorkerOrders(store, clock, self._turns, self.machine, self.pages, self.access.joins, self.diaries)
        #: Test jobs for single workers.
        self.tests = WorkerTests(self.orders, lambda spec, token: self.submit(spec, token_id=token), self.access.note)
        #: Orders for many jobs, and for many workers.
        self.operations = Operations(
            jobs=JobTargets(self.jobs, self._turns, clock),
            workers=WorkerTargets(self.known_workers, self.orders, self.tests), turns=self._turns,
            waiters=self._waiters, clock=clock, new_id=lambda: ids.new_job_id(clock), opens=self.access.open,
        )  # fmt: skip
        #: Pages with old tasks load anew, some at a time.
        self.rollouts = Rollouts(
            machine=self.machine, turns=self._turns, clock=clock, files=files, opens=self.access.open,
            flush=lambda: self._transport.flush(clock.monotonic()), armed=self._arm,
        )  # fmt: skip
        self.webhooks = Webhooks(store, clock, self._turns, settings=settings, poster=poster, rng=rng, woken=self._arm)
        #: Who is usually here at this hour, and is missed.
        self.rolls = RollCalls(
            store=store, clock=clock, machine=self.machine, turns=self._turns, tell=self.webhooks.tell,
            show=self.feed.told,
        )  # fmt: skip
        self._overviews = Looks(
            store=store, clock=clock, machine=self.machine, failing=self._failing, busiest=self._busiest,
            backups=self.backups, webhooks=self.webhooks, rolls=self.rolls,
        )  # fmt: skip
        self._serve_pages()

    def _serve_pages(self) -> None:
        """What pages ask for that these verbs answer."""
        self.pages.doubts, self.pages.holds = DeskDoubts(self._turns), DeskHolds(self.orders)
        gate = self.pages.gate
        gate.tokens, gate.joins, gate.guesses.noted = self.access, self.access.joins, self.access.refused

    # -- life

    def attach(self, transport: Transport) -> None:
        """Joins the transport; call it once, before ``start``."""
        self._transport = self.pages.transport = transport

    async def start(self) -> None:
        """Takes over what an earlier run left open, and runs the first turn."""
        await self.access.start()
        await self.orders.start()
        await self.types.start()
        await self.webhooks.start()
        live = await self._store.live_attempts()
        self.machine.ready(await self._store.ready(), claimed=False)
        await self._see_what_was()
        self._turns.carry_out(self.machine.restore(live, self._clock.monotonic()))
        self._turns.kick()
        await self.idle()
        self._accepting = True
        await self.webhooks.begin()
        self.changed()

    async def _see_what_was(self) -> None:
        """Reads what became of the jobs of an earlier run, some types at a time."""
        after: str | None = None
        while known := await self._store.types("", after, TYPES_READ):
            self._busiest.begin(known, self._clock.monotonic())
            self._activity.know(view.type for view in known)
            after = known[-1].type
        self._failing.begin(await ended_before(self._store.endings, self._clock.utc()))

    def let_in(self) -> None:
        """Pages can come from now on: the grace of attempts that wait for them begins.

        The timer's pulse begins before it: a machine that is suspended right here would otherwise take the whole grace.
        """
        self._timer.arm(None)
        self._store.listen(self._hinted)
        self._turns.carry_out(self.machine.begin_grace(self._clock.monotonic()))
        self._turns.new_life = True
        self.changed()

    def _hinted(self, hint: Hint) -> None:
        """Another node has told something: a turn will read it. Who waits for a job need not wait for that turn."""
        for job_id in hint.settled:
            self._waiters.wake(job_id)
        self._turns.hinted(hint.lanes)

    def begin_drain(self) -> None:
        """Takes no new jobs, makes no more offers, and tells the pages (promise S21)."""
        if self.draining:
            return
        self.draining = True
        self._turns.carry_out(self.machine.drain(self._clock.monotonic()))
        self._transport.flush(self._clock.monotonic())
        self.changed()

    def busy(self) -> int:
        """Attempts that pages are running."""
        return self.machine.busy()

    def tries_again(self) -> bool:
        """A job waits for its next try."""
        return self._turns.next_backoff_at is not None

    async def idle(self, *, housekeeping: bool = False) -> None:
        """Returns when everything gathered is durable and its effects are out; also after housekeeping, if asked."""
        await self._turns.idle(housekeeping=housekeeping)

    async def close(self) -> None:
        """Makes everything gathered durable, answers the waiting requests, and closes the store."""
        self._waiters.wake_all()
        self.rollouts.close()
        self.rolls.close()
        await self.operations.close()
        await self.backups.close()
        await self._readers.leave()
        await self.webhooks.close()
        if (kept := self.diaries.take_all()) is not None:
            self._turns.carry_out([Request(kept)])
        self.diaries.close()
        await self._turns.close()
        await self.feed.close()
        self._timer.stop()
        await self._store.close()

    # -- the loop

    def changed(self) -> None:
        """Something may have happened: a turn begins if one is wanted, and the timer is set.

        The loop looks once for all that it has read at once: to look takes as long as many a request.
        """
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._looks = False
        self._turns.kick()
        self._arm()

    def _arm(self) -> None:
        if self._accepting:  # no deadline counts before: the first turn may take longer than a grace
            self._timer.arm(self._next_deadline())

    def _next_deadline(self) -> float:
        """Asked some times for each job, so it makes no lists."""
        turns, first = self._turns, self._housekeeping
        for at in (
            self.machine.next_deadline(), self._transport.next_deadline(), turns.resume_at, turns.gathers_until(),
            turns.next_backoff_at, self.webhooks.sender.next_at, self.rollouts.next_at, self.rolls.next_at,
        ):  # fmt: skip
            if at is not None and at < first:
                first = at
        for due_at in (turns.next_due_at, self.access.next_end_at):
            if due_at is not None:
                wait_s = max(0.0, min(due_at - self._clock.utc(), WALL_CHECK_S))
                first = min(first, self._clock.monotonic() + wait_s)
        return first

    def tick(self, now: float, late_s: float = 0.0) -> None:
        """The timer has fired, ``late_s`` late: does everything that is due at ``now``."""
        if late_s > TOLD_S:
            log.warning("the server did nothing for %.1f s", late_s, extra={"action": "standstill"})
        if late_s > STANDSTILL_S:
            self._turns.carry_out(self.machine.forgive(late_s, now))
            self._transport.forgive(late_s, now)
        steps = (self._transport.tick, self._end_what_is_due, self._see_what_is_due, self._transport.flush)
        if all([self._guarded(step, now) for step in steps]):
            self.changed()
        else:
            self._turns.kick()  # what is due stays due: the timer's pulse tries again

    def _end_what_is_due(self, now: float) -> None:
        while (effects := self.machine.tick_once(now)) is not None:
            self._turns.carry_out(effects)

    def _see_what_is_due(self, now: float) -> None:
        self.access.tick()
        self.feed.tick(now)
        self.webhooks.sender.tick(now)
        self.rollouts.tick(now)
        self.rolls.tick(now)
        self._turns.resume(now)
        if self._turns.next_due_at is not None and self._turns.next_due_at <= self._clock.utc():
            self._turns.due()
        if self._turns.next_backoff_at is not None and self._turns.next_backoff_at <= now:
            self._turns.due()
        if now >= self._housekeeping:
            self._housekeeping = now + self._idle_s
            self._now_and_then()
            self._turns.due()
        if now >= self._types_tidied + TYPES_KEPT_S:
            self._types_tidied = now
            self._turns.carry_out([Request(ForgetTypes(self.machine.roster.offered()))])

    def _guarded(self, step: Callable[[float], None], now: float) -> bool:
        """The timer's boundary: a fault of ours in one step is logged, and the others still run."""
        try:
            step(now)
        except Exception:
            log.exception("a fault in what was due", extra={"action": "tick_failed"})
            return False
        return True

    def _after_turn(self, changes: list[Change], shown: list[JobView]) -> None:
        self._transport.flush(self._clock.monotonic())
        settled = [change for change in changes if change.new in SETTLED]
        self._failing.seen(settled)
        jobs = {job.id: job for job in shown}
        self._busiest.seen(changes, self._clock.monotonic())
        self.rollouts.seen(changes)
        self.diaries.seen(changes)
        for change in settled:
            self._waiters.wake(change.job, jobs.get(change.job))
        self.feed.told(changes)
        self._arm()

    # -- jobs

    async def submit(self, spec: JobSpec, *, token_id: str = "") -> Accepted:
        """Returns when the job is durable. Raises KeyConflict, WrongState, TooManyJobs, the kinds of Unavailable.

        ``token_id``: the token with which it comes, whose rate it counts in; empty: none of the store's.
        """
        return (await self._taken([spec], token_id))[0]

    async def submit_and_wait(self, spec: JobSpec, timeout_s: float, *, token_id: str = "") -> tuple[Accepted, JobView]:
        """What became of the submission, and the job as ``wait`` tells it. Raises as ``submit`` and ``wait`` do."""
        accepted = await self.submit(spec, token_id=token_id)
        assert accepted.job is not None, "submit() raises where it accepts nothing"
        return accepted, await self.wait(accepted.job.id, timeout_s, is_new=not accepted.replayed)

    async def submit_batch(self, specs: Sequence[JobSpec], *, token_id: str = "") -> list[Accepted]:
        """All of them or none (promise S3). Returns and raises as ``submit`` does."""
        batch_id = ids.new_job_id(self._clock)
        return await self._taken([replace(spec, batch=batch_id) for spec in specs], token_id)

    async def _taken(self, specs: Sequence[JobSpec], token_id: str) -> list[Accepted]:
        """What the turn has made of them. Only new jobs count in the rate of their token."""
        self.access.take(token_id, len(specs))
        try:
            taken = await self._stored(specs)
        except PagehandError:
            self.access.give_back(token_id, len(specs))
            raise
        self.access.give_back(token_id, sum(item.replayed for item in taken))
        return taken

    async def _stored(self, specs: Sequence[JobSpec]) -> list[Accepted]:
        if self.draining or not self._accepting:  # the turn finds out whether there is room
            raise Draining("the server is stopping and takes no new jobs: try again in a moment")
        future = self._turns.submit(specs)
        if self._turns.gathers_until() is not None:
            self._arm()  # others may not come
        taken = await future
        if taken[0].job is None:
            raise refusal(taken[0])
        return taken

    async def counts(self) -> dict[str, int]:
        """Jobs by state, for every state."""
        with self._readers:
            return await self._store.counts()
