"""One load of a worker page: the protocol's logic, without I/O, clock or randomness of its own.

The driver tells it what arrived and what time it is (monotonic seconds). It answers with messages to POST and
with the next instant at which it wants to be called. It keeps the rules of ``static/worker/*.js``:

- in each new session it says ``register``, again and again until ``registered`` comes;
- it accepts an offer, and starts the task when the POST with the accept has been answered 200 or, by a socket,
  ``go`` has come (``hands.py``);
- it stashes a result before it first sends it, and repeats it until a verdict comes (``stash.py``);
- it sends again in the next session what a lost one may have swallowed.

A page dies with its memory: ``reloaded`` makes the next one, with or without the stash.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from .hands import Hands, HeldAttempt, Profile
from .journal import Execution, Journal, Outcome
from .sendqueue import Outgoing, PacketGroup, SendQueue
from .stash import Report, Stash
from .wire import Message, NotAMessage, encode, parse

__all__ = ["Identity", "PacketGroup", "Page", "Profile", "Report"]

#: The version of the worker protocol.
VERSION = 1
#: Used until the server has sent its own settings; the names are those of ``registered``.
_SETTINGS = {
    "packet_limit": 16,
    "post_limit": 1_000_000,
    "result_limit": 1_000_000,
    "offer_ttl_ms": 10_000,
    "repeat_ms": 5_000,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What a page keeps over reloads, in sessionStorage."""

    worker: str
    secret: str


class Page:
    """One boot of a worker. Every ``now`` is monotonic seconds; calls must not go back in time."""

    def __init__(
        self,
        profile: Profile,
        *,
        boot: str,
        rng: random.Random,
        journal: Journal,
        identity: Identity | None = None,
        stash: Iterable[Report] = (),
    ) -> None:
        self.profile = profile
        self.boot = boot
        self.identity = identity
        self.registered = False
        #: The server said ``drain``.
        self.draining = False
        #: The code with which the server refused to register the page: trying again is pointless.
        self.rejected: str | None = None
        #: Set if the page must be loaded anew. True: its stash stays; False: it does not.
        self.wants_reload: bool | None = None
        #: The server's limits and times.
        self.settings = dict(_SETTINGS)
        self.stash = Stash(stash)
        self.hands = Hands(profile, rng=rng, owner=self)
        self._rng = rng
        self._journal = journal
        self._queue = SendQueue()
        self._connected = False
        self._sessions = 0
        self._max_payload = _SETTINGS["post_limit"]
        self._register_at: float | None = None

    # What the session tells.

    def connected(self, now: float, *, max_payload: int) -> None:
        """A new session is open; a POST may carry ``max_payload`` bytes."""
        self._connected, self._max_payload = True, max_payload
        self._sessions += 1
        self._register(now)

    def disconnected(self) -> None:
        """The session is over; unanswered messages are sent again in the next one."""
        self._connected = self.registered = False
        self._register_at = None
        self._queue.clear()
        self.stash.session_over()
        self.hands.session_over()

    def received(self, text: str, now: float) -> None:
        """A message came. Unknown ops are ignored, as the protocol asks of a page."""
        try:
            message = parse(text)
        except NotAMessage:
            self.count("bad_messages")
            return
        handle = _HANDLERS.get(message.op)
        if handle is None:
            self.count("unknown_ops")
        else:
            handle(self, message, now)

    def posted(self, batch: PacketGroup, now: float) -> None:
        """The POST with the batch was answered 200: accepted tasks start."""
        for out in batch.outs:
            if out.accepts is not None:
                self.hands.accept_arrived(out.accepts, now)

    def sent(self, batch: PacketGroup, now: float) -> None:
        """The batch has gone by what answers nothing."""
        for out in batch.outs:
            if out.accepts is not None:
                self.hands.accept_sent(out.accepts, now)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._register_at is not None and now >= self._register_at:
            self._register(now)
        self.hands.tick(now)
        for report in self.stash.due(now):
            self.count("repeated_reports")
            self._send_report(report)

    # What it wants.

    def take(self, now: float) -> PacketGroup:
        """Take messages for one POST out of the queue."""
        # One packet stays free for a pong.
        batch = self._queue.take(max_bytes=self._post_room, max_packets=self.settings["packet_limit"] - 1)
        for out in batch.outs:
            if out.reports is not None:
                self.stash.taken(out.reports, now + self.seconds("repeat_ms"))
        return batch

    def next_deadline(self) -> float | None:
        """The instant at which ``tick`` has something to do; None: nothing is due."""
        instants = (self._register_at, self.hands.next_deadline(), self.stash.next_deadline())
        return min((at for at in instants if at is not None), default=None)

    @property
    def idle(self) -> bool:
        """Nothing runs, waits or is unanswered."""
        return not self.hands and not self.stash

    # What a person or a host does to it.

    def say(self, op: str) -> None:
        """Send ``pause``, ``resume`` or ``bye``."""
        self.send(encode(op))

    def offer(self, types: Iterable[str], now: float) -> None:
        """Offer these types from now on: it is registered anew, with what it holds."""
        self.profile = replace(self.profile, types=tuple(types))
        self.hands.offers(self.profile)
        self.registered = False
        if self._connected:
            self._register(now)

    def reload(self, *, keep_stash: bool) -> None:
        """Ask the driver to load the page anew."""
        if self.wants_reload is None:
            self.wants_reload = keep_stash

    def reloaded(self, boot: str) -> Page:
        """The next load of this page: the same worker, without its memory; it keeps the stash iff ``wants_reload``."""
        return Page(
            self.profile,
            boot=boot,
            rng=self._rng,
            journal=self._journal,
            identity=self.identity,
            stash=self.stash.kept() if self.wants_reload else (),
        )

    # What its hands ask for.

    def send(self, text: str, *, accepts: str | None = None) -> None:
        """Put a message into the queue; without a session it is dropped, as the next session sends it again."""
        if self._connected:
            self._queue.put(Outgoing(text, accepts=accepts))

    def started(self, held: HeldAttempt) -> None:
        """A task was started."""
        self._journal.execution(Execution(held.job, held.attempt, self._worker))

    def ended(self, held: HeldAttempt, report: str, *, value_bytes: int) -> None:
        """A task has ended: stash its report, then send it."""
        entry = Report(held.attempt, held.job, report, value_bytes=value_bytes)
        self.stash.put(entry)
        if self.registered:
            self._send_report(entry)

    def seconds(self, setting: str) -> float:
        """A duration that the server has set."""
        return self.settings[setting] / 1000

    def count(self, name: str) -> None:
        """Counts one more of these."""
        self._journal.count(name)

    # Registering.

    @property
    def _worker(self) -> str:
        return self.identity.worker if self.identity else ""

    def _register(self, now: float) -> None:
        profile, identity = self.profile, self.identity
        self._register_at = now + self.seconds("repeat_ms")
        self.count("registers")
        message = encode(
            "register",
            version=VERSION,
            types=profile.types,
            boot=self.boot,
            sessions=self._sessions,
            name=profile.name or None,
            slots=profile.slots,
            token=profile.token,
            worker=identity.worker if identity else None,
            secret=identity.secret if identity else None,
            holding=self.hands.holding(now),
            finished=self.stash.attempts(),
            labels=dict(profile.labels) or None,
            page={"agent": "pagehand simulate"},
        )
        self.send(message)

    def _on_registered(self, message: Message, now: float) -> None:
        identity = Identity(message.text("worker"), message.text("secret"))
        if self.identity and self.identity.worker != identity.worker:
            self.count("new_identities")
        told = message.fields.get("settings")
        if isinstance(told, dict):
            self.settings |= {name: int(told[name]) for name in _SETTINGS.keys() & told.keys()}
        self.identity = identity
        self._register_at = self.rejected = None
        if self.registered:
            return  # The answer to a repeated register.
        self.registered = True
        self.count("registered")
        self.hands.registered()
        for report in self.stash:
            self._send_report(report)

    # Reports and their answers.

    @property
    def _post_room(self) -> int:
        """Bytes for messages in one POST, beside a pong."""
        return min(self._max_payload, self.settings["post_limit"]) - 2

    def _send_report(self, report: Report) -> None:
        if report.queued or not self._connected:
            return
        if report.value_bytes > self.settings["result_limit"] or Outgoing(report.text).size > self._post_room:
            self.count("too_large")
            report.value_bytes = 0
            detail = "the result is larger than the server takes"
            code = "result_too_large"
            report.text = encode("error", attempt=report.attempt, message=detail, code=code, retry=False)
        report.queued = True
        self._queue.put(Outgoing(report.text, reports=report.attempt))

    def _on_recorded(self, message: Message, now: float) -> None:
        self._answered(message.text("attempt"), message.text("verdict"))

    def _answered(self, attempt: str, verdict: str) -> None:
        report = self.stash.pop(attempt)
        if report is None:
            self.count("answers_again")
        else:
            self._journal.outcome(Outcome(report.job, attempt, self._worker, verdict, report.kind))

    def _on_refused(self, message: Message, now: float) -> None:
        code, attempt = message.text("code"), message.text("attempt")
        self.count(f"refusals:{code}")
        if attempt in self.stash:
            self._answered(attempt, f"refused:{code}")
        elif attempt:
            if code == "unknown_attempt":
                self.hands.cancelled(attempt)
        elif code in ("bad_token", "token_ended", "too_many_wrong_tokens", "bad_version", "too_many_types"):
            self.rejected, self._register_at = code, None
        elif code == "not_registered" and self.registered:
            self.registered = False
            self._register(now)

    # What else the server says.

    def _on_job(self, message: Message, now: float) -> None:
        self.count("offers")
        report = self.stash.get(message.text("attempt"))
        if report is not None:
            self._send_report(report)
        else:
            self.hands.offered(message, now)

    def _on_go(self, message: Message, now: float) -> None:
        self.hands.go(message.text("attempt"), now)

    def _on_cancel(self, message: Message, now: float) -> None:
        self.count("cancels")
        attempt = message.text("attempt")
        if attempt not in self.stash:  # Else the report answers the cancel, and is repeated until heard.
            self.hands.cancelled(attempt)

    def _on_drain(self, message: Message, now: float) -> None:
        self.count("drains")
        self.draining = True

    def _on_resume(self, message: Message, now: float) -> None:
        self.draining = False

    def _on_reload(self, message: Message, now: float) -> None:
        self.count("reloads_asked")
        self.reload(keep_stash=True)


_HANDLERS: Mapping[str, Callable[[Page, Message, float], None]] = {
    "registered": Page._on_registered,
    "job": Page._on_job,
    "go": Page._on_go,
    "recorded": Page._on_recorded,
    "refused": Page._on_refused,
    "cancel": Page._on_cancel,
    "drain": Page._on_drain,
    "resume": Page._on_resume,
    "reload": Page._on_reload,
}
