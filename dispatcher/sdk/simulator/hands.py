"""The attempts that a page holds: offered, accepted, running. Pure; the page carries out its requests.

A task starts when the POST with its accept has been answered 200; with ``confirm``, and by a socket, it waits for
``go``; a quick task starts at once and sends only its result.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .faults import Ending, Faults, Plan
from .tasks import answer
from .wire import Message, encode, encode_report

__all__ = ["Hands", "HeldAttempt", "Owner", "Profile"]

#: How many ended attempts a page remembers, to know an offer that comes again.
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What stays the same about a page, whatever happens to it."""

    types: tuple[str, ...]
    name: str = ""
    slots: int = 1
    token: str | None = None
    #: Tasks start without an accept.
    quick: bool = False
    #: A running task reports its progress this often; 0: never.
    progress_s: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    #: Makes a task's answer (JSON text) from type and data (JSON text).
    task: Callable[[str, str], str] = answer
    #: Does the tasks instead of ``task`` and ``faults``: it is told of each start, and ends the attempt through
    #: ``Hands.finish`` or ``Hands.fail``, at once or later.
    play: Callable[[HeldAttempt], None] | None = None


class Phase(Enum):
    """How far the page is with an attempt."""

    #: The accept may not have arrived.
    ACCEPTING = "accepting"
    #: Accepted; the server's ``go`` has not come yet.
    WAITING = "waiting"
    RUNNING = "running"


@dataclass(slots=True)
class HeldAttempt:
    """An attempt that the page has and has not ended."""

    attempt: str
    job: str
    type: str
    data: str
    confirm: bool
    plan: Plan
    phase: Phase = Phase.ACCEPTING
    #: Set iff running.
    started_at: float | None = None
    #: The task ends at this instant; None: not running, or it never ends.
    ends_at: float | None = None
    progress_at: float | None = None
    #: The accept is sent (again) at this instant.
    accept_at: float | None = None
    #: It was started without an accept; the accept came or comes later.
    late: bool = False

    def elapsed_ms(self, now: float) -> int:
        """The time since its start, for ``holding``; 0 while it waits."""
        return 0 if self.started_at is None else round((now - self.started_at) * 1000)


class Owner(Protocol):
    """What the page does for its hands."""

    def send(self, text: str, *, accepts: str | None = None) -> None:
        """Put a message into the queue."""

    def started(self, held: HeldAttempt) -> None:
        """A task was started."""

    def ended(self, held: HeldAttempt, report: str, *, value_bytes: int) -> None:
        """A task has ended; ``report`` is the text of the message that says so."""

    def seconds(self, setting: str) -> float:
        """A duration that the server has set."""

    def reload(self, *, keep_stash: bool) -> None:
        """Asks to load the page anew."""

    def count(self, name: str) -> None:
        """Counts one more of these."""


class Hands:
    """All attempts that one boot of a page holds."""

    def __init__(self, profile: Profile, *, rng: random.Random, owner: Owner) -> None:
        self._profile = profile
        self._rng = rng
        self._owner = owner
        self._held: dict[str, HeldAttempt] = {}
        self._ended: deque[str] = deque(maxlen=_REMEMBERED)

    def __len__(self) -> int:
        return len(self._held)

    def holding(self, now: float) -> list[dict[str, object]]:
        """The field ``holding`` of a register."""
        return [{"attempt": held.attempt, "elapsed_ms": held.elapsed_ms(now)} for held in self._held.values()]

    def offers(self, profile: Profile) -> None:
        """The page offers other types from now on; what it holds goes on."""
        self._profile = profile

    def registered(self) -> None:
        """A new session begins: accepts that may have been lost are sent again."""
        for held in self._held.values():
            if held.phase is not Phase.RUNNING or held.late:
                self._accept(held)

    def session_over(self) -> None:
        """Nothing is on its way any more."""
        for held in self._held.values():
            held.accept_at = None

    def offered(self, message: Message, now: float) -> None:
        """An offer came whose report is not in the stash."""
        attempt = message.text("attempt")
        if attempt in self._held:
            self._offered_again(self._held[attempt])
        elif attempt in self._ended:
            self._owner.count("offers_of_ended_attempts")
        elif message.text("type") not in self._profile.types or len(self._held) >= self._profile.slots:
            self._owner.count("declined")
            self.release(attempt, "declined")
        else:
            self._take_on(message, now)

    def accept_arrived(self, attempt: str, now: float) -> None:
        """The POST with the accept was answered 200."""
        held = self._held.get(attempt)
        if held is None or held.phase is not Phase.ACCEPTING:
            return
        self._owner.count("accepted")
        if held.confirm:
            held.phase, held.accept_at = Phase.WAITING, now + self._owner.seconds("repeat_ms")
        else:
            self._start(held, now)

    def accept_sent(self, attempt: str, now: float) -> None:
        """The accept has gone by a socket, which answers nothing: it is repeated until ``go`` comes."""
        held = self._held.get(attempt)
        if held is not None and (held.phase is not Phase.RUNNING or held.late):
            held.accept_at = now + self._owner.seconds("repeat_ms")

    def go(self, attempt: str, now: float) -> None:
        """The server says that the task may start."""
        held = self._held.get(attempt)
        if held is None:
            return
        held.accept_at = None
        if held.phase is not Phase.RUNNING:
            self._start(held, now)

    def cancelled(self, attempt: str) -> None:
        """The attempt is over for the server; the page lets go and says so, unless its plan is to hang."""
        held = self._held.get(attempt)
        if held is not None and held.plan.ignores_cancel:
            return
        self.forget(attempt)
        self.release(attempt, "cancelled")

    def release(self, attempt: str, reason: str) -> None:
        """Say that the page does not hold the attempt."""
        self._owner.send(encode("released", attempt=attempt, reason=reason))

    def forget(self, attempt: str) -> None:
        """Stop holding it."""
        if self._held.pop(attempt, None):
            self._ended.append(attempt)

    def finish(self, held: HeldAttempt, value: str) -> None:
        """Its result is there, as JSON text; too late if the page has let go of the attempt."""
        if held.attempt in self._held:
            self.forget(held.attempt)
            self._owner.ended(held, encode_report(held.attempt, value), value_bytes=len(value.encode()))

    def fail(self, held: HeldAttempt, message: str, *, code: str, retry: bool = True) -> None:
        """It ends in an error; too late if the page has let go of the attempt."""
        if held.attempt in self._held:
            self.forget(held.attempt)
            again = None if retry else False
            error = encode("error", attempt=held.attempt, message=message, code=code, retry=again)
            self._owner.ended(held, error, value_bytes=0)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for held in list(self._held.values()):
            self._run_on(held, now)

    def next_deadline(self) -> float | None:
        """The instant at which ``tick`` has something to do; None: nothing is due."""
        held_times = ((held.ends_at, held.progress_at, held.accept_at) for held in self._held.values())
        return min((at for times in held_times for at in times if at is not None), default=None)

    def _offered_again(self, held: HeldAttempt) -> None:
        self._owner.count("offers_again")
        if held.phase is not Phase.RUNNING:
            self._accept(held)

    def _take_on(self, message: Message, now: float) -> None:
        held = HeldAttempt(
            attempt=message.text("attempt"),
            job=message.text("id"),
            type=message.text("type"),
            data=message.data,
            confirm=message.fields.get("confirm") is True,
            plan=self._profile.faults.plan(self._rng),
        )
        self._held[held.attempt] = held
        if self._profile.quick and not held.confirm:
            # The offer of a quick task that is not done soon would lapse.
            held.late = True
            self._start(held, now)
            held.accept_at = now + min(1.0, self._owner.seconds("offer_ttl_ms") / 4)
        else:
            self._accept(held)

    def _accept(self, held: HeldAttempt) -> None:
        held.accept_at = None
        self._owner.send(encode("accept", attempt=held.attempt), accepts=held.attempt)

    def _start(self, held: HeldAttempt, now: float) -> None:
        held.phase, held.started_at, held.accept_at = Phase.RUNNING, now, None
        if self._profile.play is not None:
            self._owner.started(held)
            self._profile.play(held)
            return
        if held.plan.ending is not Ending.NEVER:
            run_s = held.plan.run_s / 2 if held.plan.ending is Ending.RELOAD_BEFORE else held.plan.run_s
            held.ends_at = now + run_s
        if self._profile.progress_s:
            held.progress_at = now + self._profile.progress_s
        self._owner.started(held)
        self._run_on(held, now)

    def _run_on(self, held: HeldAttempt, now: float) -> None:
        if held.ends_at is not None and now >= held.ends_at:
            self._end(held)
        elif held.progress_at is not None and now >= held.progress_at:
            self._progress(held, now)
        elif held.accept_at is not None and now >= held.accept_at:
            self._accept(held)

    def _progress(self, held: HeldAttempt, now: float) -> None:
        held.progress_at = now + self._profile.progress_s
        elapsed_ms, whole_ms = held.elapsed_ms(now), held.plan.run_s * 1000
        percent = round(min(100.0, 100 * elapsed_ms / whole_ms)) if whole_ms else 0
        self._owner.send(encode("progress", attempt=held.attempt, percent=percent, note=f"{elapsed_ms} ms"))
        self._owner.send(encode("log", attempt=held.attempt, line=f"{percent} % done"))

    def _end(self, held: HeldAttempt) -> None:
        held.ends_at = held.progress_at = None
        ending = held.plan.ending
        if ending is not Ending.RELOAD_BEFORE:
            self._report(held)
        if ending in (Ending.RELOAD_BEFORE, Ending.RELOAD_AFTER):
            self._owner.reload(keep_stash=self._rng.random() < self._profile.faults.stash)

    def _report(self, held: HeldAttempt) -> None:
        if held.plan.ending is Ending.FAIL:
            self._owner.count("errors")
            self.fail(held, "simulated failure", code="simulated")
        else:
            self.finish(held, self._profile.task(held.type, held.data))
