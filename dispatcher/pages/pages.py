"""Between the transport and the core: messages of pages become calls of the core, its effects become messages.

Owns what is known about a session besides its worker: where it comes from and what its page says about itself. Checks
who a page is (its token, its worker's secret); decides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, assert_never

import msgspec
from msgspec import UNSET, UnsetType

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.about import NOTHING_SAID, About
from dispatcher.core.workers.effects import (
    Answer,
    CancelOrder,
    Drop,
    Effect,
    Go,
    HoldOrder,
    Offer,
    Order,
    Probe,
    Refuse,
    Welcome,
    Withdraw,
)
from dispatcher.core.workers.machine import Machine
from dispatcher.errors import MessageRefused
from dispatcher.pages import protocol
from dispatcher.pages.doubts import Doubts, NoDoubts, command_of, person_at
from dispatcher.pages.gate import ENDED, Admitted, PageGate, Shown
from dispatcher.pages.holds import Holds, NoHolds
from dispatcher.pages.orders import ORDERS, hold_message
from dispatcher.pages.protocol import PageMessage, Refused
from dispatcher.pages.refusals import MessageRefusals
from dispatcher.pages.registrar import Registrar, clean, page_texts, told_settings
from dispatcher.pages.sessioninfo import SessionInfo
from dispatcher.pages.slowness import slowness_of

__all__ = ["Pages", "Transport"]


class Transport(Protocol):
    """What the service needs from the sessions of pages; ``transport.Sessions`` is one."""

    def send(self, sid: str, data: str | bytes, attempt: str | None = None) -> bool:
        """Queues a message; ``attempt`` marks an offer. False: there is no such session."""

    def withdraw(self, sid: str, attempt: str) -> bool:
        """Takes an offer that no poll has carried away out of the outbox."""

    def end(self, sid: str) -> None:
        """Ends a session, after its page has had the waiting messages."""

    def probe(self, sid: str, now: float) -> bool:
        """Asks a page for a sign of life."""

    def flush(self, now: float) -> None:
        """Writes the waiting messages to every page that polls."""

    def next_deadline(self) -> float | None:
        """When ``tick`` has something to do."""

    def forgive(self, late_s: float, now: float) -> None:
        """The loop stood still for ``late_s``; called before ``tick``."""

    def tick(self, now: float) -> None:
        """Does what is due."""

    def counted(self) -> Mapping[str, int]:
        """What has happened since the start, by name, for metrics."""

    def carriers(self) -> Mapping[str, int]:
        """How many sessions there are now, by what carries them."""


class Pages:
    """The transport's listener. ``carry_out`` takes the core's effects."""

    def __init__(
        self,
        *,
        machine: Machine,
        settings: Settings,
        key: bytes,
        new_worker_id: Callable[[], str],
        carry_out: Callable[[Iterable[Effect]], None],
        now: Callable[[], float],
    ) -> None:
        self._machine = machine
        self._settings = settings
        #: Who may join.
        self.gate = PageGate(settings.token, settings.wrong_tokens)
        self.registrar = Registrar(key, new_worker_id)
        #: Who knows of jobs in doubt; given once, before the first page comes.
        self.doubts: Doubts = NoDoubts()
        #: Who keeps what operators have ordered; given once, too.
        self.holds: Holds = NoHolds()
        self._carry_out, self._now = carry_out, now
        #: Given once, by ``Dispatcher.attach``.
        self.transport: Transport
        self.sessions: dict[str, SessionInfo] = {}
        self._told = told_settings(settings)
        self._refusals = MessageRefusals()

    # -- the transport's listener

    def opened(self, sid: str, remote: str, user_agent: str, now: float) -> None:
        """See transport.Listener."""
        self.sessions[sid] = SessionInfo(remote, user_agent, now)

    def message(self, sid: str, text: str, now: float) -> None:
        """See transport.Listener. A message that cannot be obeyed is refused with a reason and ends nothing."""
        try:
            message = protocol.decode(text)
            if not isinstance(message, protocol.Register) and self._machine.worker_of(sid) is None:
                raise MessageRefused("register first", code="not_registered")
            self._carry_out(self._obey(sid, message, now))
        except MessageRefused as refusal:
            self._note_refusal(refusal, sid, now)
            self._say(sid, Refused(refusal.code, refusal.detail, refusal.attempt))

    def _note_refusal(self, refusal: MessageRefused, sid: str, now: float) -> None:
        info = self.sessions.get(sid)
        self._refusals.note(refusal, "nobody" if info is None else info.remote, now)

    def written(self, sid: str, attempts: list[str], now: float) -> None:
        """See transport.Listener."""
        if effects := self._machine.written(attempts, now):
            self._carry_out(effects)

    def away(self, sid: str, now: float, ago_s: float = 0.0) -> None:
        """See transport.Listener."""
        self._carry_out(self._machine.away(sid, now, ago_s))

    def back(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        self._carry_out(self._machine.back(sid, now))

    def quiet(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        self._forget(sid)
        self._carry_out(self._machine.quiet(sid, now))

    def dropped(self, sid: str, now: float) -> None:
        """See transport.Listener. The worker is away."""
        self.ended(sid, now)

    def ended(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        self._forget(sid)
        self._carry_out(self._machine.ended(sid, now))

    def polled(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        if effects := self._machine.polled(sid, now):
            self._carry_out(effects)

    def received(self, sid: str, attempts: list[str], now: float) -> None:
        """See transport.Listener."""
        self._carry_out(self._machine.received(sid, attempts, now))

    def upgraded(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        info = self.sessions.get(sid)
        if info is not None:
            info.transport = "websocket"

    def heard(self, sid: str, now: float) -> None:
        """See transport.Listener."""
        if effects := self._machine.heard(sid, now):
            self._carry_out(effects)

    # -- what pages say

    def _obey(self, sid: str, message: PageMessage, now: float) -> Iterable[Effect]:
        machine = self._machine
        match message:  # what comes most often stands first
            case protocol.Result():
                return self._result(sid, message, now)
            case protocol.Accept(attempt):
                return machine.accept(sid, attempt, now, answered=self._polls(sid))
            case protocol.Progress(attempt, percent, note):
                return machine.progress(sid, attempt, percent, None if note is None else clean(note), now)
            case protocol.Log(attempt, line, n):
                return machine.log(sid, attempt, clean(line), now, n)
            case protocol.ErrorMessage():
                return self._error(sid, message, now)
            case protocol.Register():
                return self._register(sid, message, now)
            case _:
                return self._obey_rarely(sid, message, now)

    def _obey_rarely(
        self,
        sid: str,
        message: protocol.Released | protocol.Pause | protocol.Resume | protocol.Doubt | protocol.Bye,
        now: float,
    ) -> Iterable[Effect]:
        machine = self._machine
        match message:
            case protocol.Released(attempt, reason):
                return machine.released(sid, attempt, clean(reason), now)
            case protocol.Pause():
                return machine.pause(sid, True, now)
            case protocol.Resume(held_since_ms):
                self._end_hold(sid, held_since_ms)
                return machine.pause(sid, False, now)
            case protocol.Doubt():
                return self._doubt(sid, message)
            case protocol.Bye():
                return machine.bye(sid, now)
            case _:
                assert_never(message)

    def _polls(self, sid: str) -> bool:
        """Whether what the page sends is answered: a POST is, a frame is not."""
        info = self.sessions.get(sid)
        return info is None or info.transport == "polling"

    def _doubt(self, sid: str, message: protocol.Doubt) -> Iterable[Effect]:
        worker, info = self._machine.worker_of(sid), self.sessions.get(sid)
        if worker is not None and info is not None:
            told = partial(self._tell_doubt, sid, message.attempt)
            self.doubts.heard(sid, command_of(message, worker, info.remote), told)
        return ()

    def _end_hold(self, sid: str, since_ms: int | UnsetType) -> None:
        """The person at the page goes on; UNSET: an operator's hold stays."""
        worker, info = self._machine.worker_of(sid), self.sessions.get(sid)
        if since_ms is not UNSET and worker is not None and info is not None:
            self.holds.ended(worker.id, since_ms, person_at(worker, info.remote))

    def _tell_doubt(self, sid: str, attempt: str, state: str, reason: str) -> None:
        if sid in self.sessions:  # its page may have left meanwhile
            self._say(sid, protocol.DoubtMessage(attempt, state, reason or UNSET))
            self.transport.flush(self._now())

    def _register(self, sid: str, message: protocol.Register, now: float) -> Iterable[Effect]:
        info = self.sessions.get(sid)
        shown = self.registrar.shown(message, "" if info is None else info.remote)
        admitted = self.gate.admit(shown, now)
        if not admitted.joins or admitted.token is None:
            return self._enter(sid, shown, message, admitted, now)
        if shown.worker is None:
            worker = self.registrar.new_worker_id()
            self._say(sid, protocol.IdentityMessage(worker, self.registrar.secret(worker)))
        elif self._machine.operators.blocked(shown.worker) is not None:
            return self._enter(sid, shown, message, admitted, now)  # it is turned away, and spends no use
        else:
            entry = partial(self._joined, sid, info, shown, message, admitted)
            self.gate.joins.join(admitted.token, shown.worker, shown.remote, entry)
        return ()

    def _joined(
        self,
        sid: str,
        info: SessionInfo | None,
        shown: Shown,
        message: protocol.Register,
        admitted: Admitted,
        told: str | MessageRefused,
    ) -> None:
        """The page has a credential, durably, or cannot have one. It may have left meanwhile: then it comes again."""
        now = self._now()
        if info is None or self.sessions.get(sid) is not info:
            return
        if isinstance(told, MessageRefused):
            self._note_refusal(told, sid, now)
            self._say(sid, Refused(told.code, told.detail, None))
        else:
            self._say(sid, protocol.CredentialMessage(told))
            self._carry_out(self._enter(sid, shown, message, admitted, now))
        self.transport.flush(now)

    def _enter(
        self, sid: str, shown: Shown, message: protocol.Register, admitted: Admitted, now: float
    ) -> Iterable[Effect]:
        """The page was let in."""
        info = self.sessions.get(sid)
        if info is not None:
            key = self.registrar.key(shown, admitted)
            info.let_in(self.gate.tokens.open(key, lambda: self._shut(sid)) if key else None)
            info.page = page_texts(message.page)
            info.slowness = slowness_of(message.page, now)
        opened = now if info is None else info.opened
        return self._machine.register(sid, self.registrar.registration(shown, message, admitted, opened), now)

    def _shut(self, sid: str) -> None:
        """The token with which the page came opens nothing any more: it is told, and its session ends."""
        now = self._now()
        self._say(sid, Refused("token_ended", ENDED))
        self._forget(sid)
        self._carry_out(self._machine.bye(sid, now, "its token was revoked or has expired"))
        self._carry_out(self._machine.ended(sid, now))  # it may have waited to be let in
        self.transport.end(sid)
        self.transport.flush(now)

    def _forget(self, sid: str) -> None:
        """The session is over."""
        info = self.sessions.pop(sid, None)
        if info is not None and info.opening is not None:
            info.opening.close()

    def _result(self, sid: str, message: protocol.Result, now: float) -> Iterable[Effect]:
        raw = bytes(message.value)
        if len(raw) > self._settings.body_limit:
            return self._too_large(sid, message.attempt, len(raw), now)
        return self._machine.result(sid, message.attempt, raw.decode(), now)

    def _too_large(self, sid: str, attempt: str, size: int, now: float) -> Iterable[Effect]:
        detail = f"the result has {size} bytes, the limit is {self._settings.body_limit} (--body-limit)"
        error = msgspec.json.encode({"message": detail, "code": "result_too_large"}).decode()
        return self._machine.error(sid, attempt, error, detail, False, now)

    def _error(self, sid: str, message: protocol.ErrorMessage, now: float) -> Iterable[Effect]:
        fields = {"message": message.message, "stack": message.stack, "code": message.code}
        error = msgspec.json.encode({name: text for name, text in fields.items() if text is not None}).decode()
        detail = clean(message.message)[:500]
        return self._machine.error(sid, message.attempt, error, detail, message.retry, now)

    # -- what pages are told

    def send(self, effect: Effect) -> None:
        """Carries out an effect that goes to a page; it leaves with the next flush."""
        if isinstance(effect, Offer):
            self._offer(effect)
        elif isinstance(effect, Answer):
            self._say(effect.session, protocol.Recorded(effect.attempt, str(effect.verdict)))
        elif isinstance(effect, Withdraw):
            self.transport.withdraw(effect.session, effect.attempt)
        elif isinstance(effect, Drop):
            self._forget(effect.session)
            self.transport.end(effect.session)
        elif isinstance(effect, Probe):
            self.transport.probe(effect.session, effect.now)
        else:
            self._say_rarely(effect)

    def _offer(self, effect: Offer) -> None:
        claim = effect.claim
        message = protocol.JobMessage(
            claim.attempt,
            claim.job,
            claim.type,
            msgspec.Raw(claim.data.encode()),
            claim.number,
            round(claim.terms.timeout_s * 1000),
            claim.terms.once,
            *_carried(claim.about),
        )
        self.transport.send(effect.session, protocol.encode(message), claim.attempt)

    def _say_rarely(self, effect: Effect) -> None:
        if isinstance(effect, Welcome):
            secret = self.registrar.secret(effect.worker)
            labels = dict(effect.labels) or UNSET
            self._say(effect.session, protocol.Registered(effect.worker, secret, effect.name, self._told, labels))
        elif isinstance(effect, Go):
            self._say(effect.session, protocol.GoMessage(effect.attempt))
        elif isinstance(effect, CancelOrder):
            self._say(effect.session, protocol.CancelMessage(effect.attempt, effect.reason))
        elif isinstance(effect, Refuse):
            self._say(effect.session, Refused(effect.code, effect.detail, effect.attempt))
        elif isinstance(effect, HoldOrder):
            self._say(effect.session, hold_message(effect.hold))
        elif isinstance(effect, Order):
            self._say(effect.session, ORDERS[effect.op])

    def _say(self, sid: str, message: protocol.ServerMessage) -> None:
        self.transport.send(sid, protocol.encode(message), None)


def _carried(about: About) -> tuple[Any, ...]:
    """What the page is told of it: the last fields of an offer."""
    if about is NOTHING_SAID:
        return ()
    return about.tags or UNSET, about.summary or UNSET, about.traceparent or UNSET
