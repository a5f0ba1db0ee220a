"""Gathers what happens into turns: one turn is in flight while the next gathers.

It owns the order "commit, then answer, acknowledge and offer": nothing leaves this module before the store has said
that its turn is durable. It decides nothing; the core does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import islice

from dispatcher.clock import Clock
from dispatcher.core.jobs.acts.seen import SeeWorkers
from dispatcher.core.jobs.diaries import KeepDiaries
from dispatcher.core.jobs.ledger import is_result
from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.turn import (
    Accepted,
    Change,
    Command,
    CommandReport,
    Logged,
    Progressed,
    Report,
    Turn,
    TurnReport,
    WorkersMoved,
)
from dispatcher.core.workers.effects import Effect, Record, Request
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import Draining, StorageAway, StorageFull, StorageTrouble
from dispatcher.node.turns.activity import Activity
from dispatcher.node.turns.foreseen import coming, moved_of, wanted
from dispatcher.node.turns.gathering import Intake, Submitted, told_of
from dispatcher.node.turns.outcomes import Asked, Outcomes, resolve
from dispatcher.node.waits.waiters import Waiters
from dispatcher.store.port import Store
from dispatcher.webhooks.endpoints import Endpoint

__all__ = ["FULL_PAUSE_S", "MOST_CLAIMS", "MOST_ITEMS", "MOST_REPORTS", "Turns"]

log = logging.getLogger("pagehand.turns")

#: Most submissions and reports that one turn carries; the next turn carries the rest.
MOST_ITEMS = 1_024
#: Jobs that one turn claims at most.
MOST_CLAIMS = 1_024
#: When this many reports wait for a slow or full disk, progress and log lines are dropped: no page waits for them.
MOST_REPORTS = 10_000
#: How long reports of pages wait when the disk has no room even for them.
FULL_PAUSE_S = 1.0

#: The error itself stands in the log alone, for it may reveal the server's inside.
_UNKNOWN = (
    "the store has failed, and whether it holds this change is unknown: "
    "ask again in a moment, with the same Idempotency-Key"
)
#: While pages hold jobs that they may answer any moment, a turn waits for their answers: for this share of the time
#: that the last turn took, and no longer than the limit below. Otherwise pages fall into two groups that wait for each
#: other's turns, and the same jobs cost more turns and more polls (bench/README.md). So it is with submitters, most of
#: which come again when they are answered. A turn that nobody waits for always has the time of the limit: the result of
#: a short task then goes with its accept.
GATHER_SHARE = 0.5
GATHER_S = 0.005


class Turns:
    """The loop of turns.

    ``send`` carries out effects that go to pages; ``after`` is called when a turn's effects are out, with all of
    its changes and the jobs that it shows; ``failed`` when the store has failed and the process must end.
    """

    #: Pages can come from now on: whoever was here in an earlier life is gone until it comes.
    new_life = False
    #: The store's disk has space for new jobs, as of the last turn.
    has_space = True
    #: When the next turn may begin, after one that has not happened; None: at once.
    resume_at: float | None = None
    #: UTC instant at which the store wants a turn; None: none.
    next_due_at: float | None = None
    #: The same by the monotonic clock, for backoffs.
    next_backoff_at: float | None = None

    def __init__(
        self,
        *,
        machine: Machine,
        store: Store,
        clock: Clock,
        send: Callable[[Effect], None],
        after: Callable[[list[Change], list[JobView]], None],
        failed: Callable[[StorageTrouble], None],
        intake: Intake,
        activity: Activity,
        waiters: Waiters,
    ) -> None:
        self._machine, self._store, self._clock = machine, store, clock
        self._send, self._after, self._failed = send, after, failed
        self._intake, self._activity, self._waiters = intake, activity, waiters
        self.opened = clock.monotonic()
        #: Who is told of the changes of the turns to come, and who is to hear that there are messages.
        self.endpoints: tuple[Endpoint, ...] = ()
        self.told: Callable[[Collection[str]], None] = lambda targets: None
        #: What is to be kept of what workers did lately.
        self.diaries: Callable[[], KeepDiaries | None] = lambda: None
        self._reports: list[Report] = []
        #: A page waits until the reports that were gathered are durable.
        self._awaited = False
        self._commands: list[Asked] = []
        #: Lane -> 1, of lanes in which another node has ready jobs.
        self._hinted: dict[str, int] = {}
        self._more = True
        self._begun = self._broken = self._closed = False
        self._running: asyncio.Future[TurnReport] | None = None
        #: The turn in flight holds something that was gathered (or is the first one), not housekeeping alone.
        self._carries = True
        #: Why the last turn has not happened and what pages said waits: the disk is full, reserve and all, or the
        #: database is away. None: it has happened.
        self._holding: StorageFull | StorageAway | None = None
        self.outcomes = Outcomes(machine, self.carry_out)
        #: Monotonic instants until which the next turn waits for more; the second one if nobody waits for the turn.
        self._gather_until = self._linger_until = 0.0
        #: How many requests with jobs were in the last turn, or waited at its end, if one turn can hold them all.
        self._submitters = 0

    # -- gathering

    def carry_out(self, effects: Iterable[Effect]) -> None:
        """Takes the core's effects: what must be stored goes into the next turn, the rest to the pages."""
        for effect in effects:
            if isinstance(effect, Record):
                self._report(effect.report)
            elif isinstance(effect, Request):
                self._commands.append(Asked(effect.command, None))
            else:
                self._send(effect)

    def _report(self, report: Report) -> None:
        if len(self._reports) < MOST_REPORTS or not isinstance(report, Progressed | Logged):
            self._reports.append(report)
            self._awaited = self._awaited or self._machine.awaits(report)

    def submit(self, specs: Sequence[JobSpec]) -> asyncio.Future[list[Accepted]]:
        """Puts a job, or a batch of at most ``MOST_ITEMS``, into the next turn; done when that is durable.

        Raises StorageTrouble, Unavailable, Draining.
        """
        self._check()
        future = self._intake.add(specs)
        self.kick()
        return future

    def held_back(self) -> bool:
        """Whether the disk is full, or the database away: nothing becomes durable until a turn finds room."""
        return self._holding is not None

    async def command(self, command: Command) -> CommandReport:
        """Puts a command into the next turn and answers when that is durable. Raises StorageTrouble, Draining."""
        return await self.order(command)

    def order(self, command: Command) -> asyncio.Future[CommandReport]:
        """The same for who does not wait: done when that is durable. Raises at once as ``command`` does."""
        self._check()
        future: asyncio.Future[CommandReport] = asyncio.get_running_loop().create_future()
        self._commands.append(Asked(command, future))
        self.kick()
        return future

    async def commands(self, wanted: Sequence[Command]) -> list[CommandReport]:
        """Puts all of these into one turn. Returns and raises as ``command`` does."""
        return list(await asyncio.gather(*map(self.order, wanted)))

    def _check(self) -> None:
        if self._broken:
            raise StorageTrouble("the store has failed and the server is stopping: try again in a moment")
        if self._holding is not None:
            raise told_of(self._holding)
        if self._closed:
            raise Draining("the server is stopping: try again in a moment")

    def due(self) -> None:
        """A turn is wanted: something in the store has become due."""
        self._more = True
        # Nothing more is due until that turn has said so: else the timer would fire again and again meanwhile.
        self.next_due_at = self.next_backoff_at = None
        self.kick()

    def hinted(self, lanes: Iterable[str]) -> None:
        """Another node has told something, and has ready jobs in these lanes: the next turn asks for them."""
        self._hinted |= dict.fromkeys(lanes, 1)
        self.due()

    def kick(self) -> None:
        """Begins a turn soon, if there is anything for one to do and none is in flight."""
        stays = self._begun or self._broken or self._closed or self.resume_at is not None
        if stays or not self._wanted() or self.gathers_until() is not None:
            return
        self._begun = True
        asyncio.get_running_loop().call_soon(self._begin)  # what else comes in this round of the loop goes with it

    def _wanted(self) -> bool:
        return self._more or self._gathered()

    def _busy(self, housekeeping: bool) -> bool:
        return self._begun or self._wanted() if housekeeping else self._carries or self._gathered()

    def _gathered(self) -> bool:
        return bool(self._reports or self._intake or self._commands or self._machine.hungry())

    def resume(self, now: float) -> None:
        """The pause of a full disk may be over: tries again."""
        if self.resume_at is not None and self.resume_at <= now:
            self.resume_at = None
            self.kick()

    def gathers_until(self) -> float | None:
        """The monotonic instant until which the next turn waits for pages or submitters; None: it waits for nobody."""
        due = self._gather_until if self._is_awaited() else self._linger_until
        if due <= self._clock.monotonic():
            return None
        if not self._reports:
            return due if 0 < 5 * len(self._intake) < 4 * self._submitters else None
        return due if 4 * len(self._machine.attempts) > len(self._reports) else None

    def _is_awaited(self) -> bool:
        """Whether anybody waits for the next turn: there is more than accepts, progress and log lines."""
        return self._awaited or self._more or bool(self._intake or self._commands or self._machine.hungry())

    # -- one turn

    def _begin(self) -> None:
        self._more = False
        reports, self._reports = self._reports[:MOST_ITEMS], self._reports[MOST_ITEMS:]
        self._awaited = bool(self._reports)
        submitted = self._intake.take(MOST_ITEMS)
        asked, self._commands = [*self._commands, *self._news()], []
        specs = [spec for item in submitted for spec in item.specs]
        turn = Turn(
            node=self._store.node,
            epoch=self._store.epoch,
            now_at=self._clock.utc(),
            elapsed_s=self._clock.monotonic() - self.opened,
            reports=reports,
            commands=[item.command for item in asked],
            submissions=specs,
            demand=self._machine.demand(MOST_CLAIMS, self._hinted | coming(specs, reports)),
            most_claims=MOST_CLAIMS,
            endpoints=self.endpoints,
            shown=wanted(reports, self._waiters),
        )
        self._hinted = {}
        items = [item for item in asked if not isinstance(item.command, WorkersMoved | SeeWorkers | KeepDiaries)]
        self._carries = self._carries or bool(reports or items or specs or turn.demand)
        began = self._clock.monotonic()
        self._running = asyncio.ensure_future(self._store.apply(turn))
        self._running.add_done_callback(partial(self._ended, turn, asked, submitted, began))

    def _ended(
        self, turn: Turn, asked: list[Asked], submitted: list[Submitted], began: float,
        applied: asyncio.Future[TurnReport],
    ) -> None:  # fmt: skip
        if applied.cancelled():
            return  # the loop is being ended, and nobody waits any more
        try:
            done = applied.result()
            self._begun = self._carries = False
            ended = self._clock.monotonic()
            fit = len(turn.submissions) + self._intake.jobs <= MOST_ITEMS
            self._submitters = len(submitted) + len(self._intake) if fit else 0
            self._gather_until = ended + min(GATHER_S, GATHER_SHARE * (ended - began))
            self._linger_until = ended + GATHER_S
            self._activity.turn(ended - began, done.changes)
            self._finish(turn, done, asked, submitted)
        except (StorageFull, StorageAway) as error:
            self._hold_back(error, turn, asked, submitted)
        except StorageTrouble as error:
            self._break(error, asked, submitted)
        except Exception as error:
            log.exception("a turn failed", extra={"action": "turn_failed"})
            self._break(StorageTrouble(f"a turn failed: {error}"), asked, submitted)

    def _news(self) -> list[Asked]:
        """Who has come and gone: it goes with the next turn, whatever that is for, and makes none."""
        news, nobody = self._machine.roster.take_news(), self.new_life
        self.new_life = False
        moved = moved_of(news, nobody=nobody) if news or nobody else None
        told = (self._machine.seen(), moved, self.diaries())
        return [Asked(command, None) for command in told if command is not None]

    def _hold_back(
        self, error: StorageFull | StorageAway, turn: Turn, asked: list[Asked], submitted: list[Submitted]
    ) -> None:
        """The disk is full, reserve and all, or the database is away: nothing of this turn has happened (S23).

        People and programs are told so. What pages said is kept, in order, and given again after a pause; until it is
        durable no page hears ``recorded``, and each repeats its result.
        """
        if self._holding is None:
            action = "disk_full" if isinstance(error, StorageFull) else "store_away"
            log.error("%s; what pages say waits", error, extra={"action": action})
        if isinstance(error, StorageFull):
            self.has_space = False
        self._holding, self._more = error, True
        self._begun = self._carries = False
        self._reports, self._awaited = turn.reports + self._reports, True
        waiting = asked + self._commands  # also what came while it was under way
        self._commands = [item for item in waiting if item.future is None]
        for future in [item.future for item in waiting] + [item.future for item in submitted]:
            if future is not None and not future.done():
                future.set_exception(told_of(error))
        self.resume_at = self._clock.monotonic() + FULL_PAUSE_S
        self._after([], [])

    def _break(self, error: StorageTrouble, asked: list[Asked], submitted: list[Submitted]) -> None:
        """The outcome of this turn is unknown: everybody is told so, and no other turn begins (S23)."""
        log.error("%s", error, extra={"action": "store_failed"})
        self._broken = True
        asked, self._commands = asked + self._commands, []
        submitted = submitted + self._intake.take_all()
        for future in [item.future for item in asked] + [item.future for item in submitted]:
            if future is not None and not future.done():
                future.set_exception(StorageTrouble(_UNKNOWN))
        self._failed(error)

    def _finish(self, turn: Turn, done: TurnReport, asked: list[Asked], submitted: list[Submitted]) -> None:
        now = self._clock.monotonic()
        self._more = self._more or done.more  # the machine knows whether more can be claimed
        self.next_due_at = done.next_due_at
        self.next_backoff_at = None if done.next_backoff_s is None else self.opened + done.next_backoff_s
        self.has_space, self._holding = done.has_space, None
        self.carry_out(self._machine.settled(turn.reports, done.verdicts, now))
        self._void({live.attempt for report in done.commands for live in report.moved})
        others = self.outcomes.heard(done.heard, now)
        self.outcomes.commands(asked, done.commands, now)
        accepted = iter(done.accepted)
        for submission in submitted:
            resolve(submission.future, list(islice(accepted, len(submission.specs))))
        self.carry_out(self._machine.claimed(done.claims, now))
        self._machine.ready(done.ready, claimed=bool(done.claims))
        if done.told:
            self.told(done.told)
        self._after([*others, *done.changes] if others else done.changes, done.shown)
        self.kick()

    def _void(self, moved: Collection[str]) -> None:
        """What was said of attempts before they came from another node counts no more, but for results."""
        if moved:
            self._reports = [said for said in self._reports if said.attempt not in moved or is_result(said)]

    async def idle(self, *, housekeeping: bool = False) -> None:
        """Returns when everything that was gathered is durable; housekeeping may go on (promise S31).

        ``housekeeping`` True: returns when no turn is in flight and none is wanted. On a full disk what was gathered is
        not durable, and nothing of it was acknowledged.
        """
        while not self._broken and self.resume_at is None and self._busy(housekeeping):
            self._gather_until = self._linger_until = 0.0  # the next turn begins without waiting for answers of pages
            self.kick()
            await self._in_flight()

    async def _in_flight(self) -> None:
        """Waits for the turn in flight, or for the next round of the loop, with which the next turn begins."""
        if self._running is None or self._running.done():
            await asyncio.sleep(0)
        else:
            await asyncio.wait([self._running])

    async def close(self) -> None:
        """Lets what was gathered become durable. Later messages are not answered: their senders repeat them to the next
        server, as after a crash.
        """
        await self.idle()
        self._closed = True
        while self._begun and not self._broken:
            await self._in_flight()  # a slice of housekeeping
