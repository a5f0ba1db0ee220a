"""One node with its pages: it tells what pages do to the machine and to ``reference`` at once."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.core.jobs.acts.kept import Hold, KeepWorker, KeptWorker
from dispatcher.core.workers.effects import Answer, CancelOrder, Effect, HoldOrder, Offer, Record, Welcome
from dispatcher.core.workers.registration import Registration
from tests.core.model.pages import Page, Session
from tests.core.model.peers import GRACE_S, Hello
from tests.core.model.server_half import WALL, ServerHalf

__all__ = ["WALL", "Page", "World"]


class World(ServerHalf):
    """Server and pages."""

    # -- pages

    def open(self, page: Page, *, late: bool = False) -> None:
        """A new session for a page, which registers; ``late``: the page has left the session before that."""
        if page.session is not None:
            return
        page.session = self.new_id("s")
        page.boot = page.boot or self.new_id("b")
        self.session_count += 1
        self.sessions[page.session] = Session(page, self.session_count)
        if not late:
            self.register(page)
            return
        self.sessions[page.session].said = self.said_of(page)
        page.session = None

    def register(self, page: Page) -> None:
        assert page.session is not None
        registration, hello = self.said_of(page)
        session = self.sessions[page.session]
        session.said = session.said or (registration, hello)
        ends = self.ref.register(page.session, hello)
        self.call(self.machine.register(page.session, registration, self.now), ends)

    def said_of(self, page: Page) -> tuple[Registration, Hello]:
        """The register that the page sends now, for the machine and for the reference."""
        assert page.session is not None
        opened = self.sessions[page.session].opened
        bound = self.ref.by_session(page.session)
        worker = page.worker or (bound.id if bound is not None else self.new_id("w"))
        holding = {name: self.now - (at if at is not None else self.now) for name, at in page.has.items()}
        spare = self.new_id("w")
        types, stash = frozenset(page.types), frozenset(page.stash)
        hello = Hello(worker, spare, page.boot, types, page.slots, holding, stash, opened)
        registration = Registration(
            worker=worker, spare=spare, boot=page.boot, name=page.name, types=page.types, slots=page.slots,
            holding=tuple(holding.items()), finished=tuple(page.stash), opened=float(opened),
        )  # fmt: skip
        return registration, hello

    def replay(self, name: str) -> None:
        """The network delivers the session's first register again, however old it is."""
        said = self.sessions[name].said
        if said is not None:
            ends = self.ref.register(name, said[1])
            bound = self.machine.worker_of(name)
            if bound is not None and bound.boot == said[0].boot:
                assert not ends, "a repetition has ended something"
            self.call(self.machine.register(name, said[0], self.now), ends)

    def on_offer(self) -> list[str]:
        """Jobs that a page was offered and has not accepted."""
        offered = {lease.id for lease in self.ref.leases.values() if lease.phase == "offered"}
        return [row.id for row in self.rows.by_seq.values() if row.attempt in offered]

    def everybody_reconnects(self) -> None:
        """A new session for each page."""
        for page in self.pages:
            self.leaves(page)
            self.open(page)

    def poll(self, page: Page, *, lost: bool = False) -> None:
        """A poll answer takes the outbox away; the network may lose it."""
        session = self.sessions.get(page.session or "")
        if session is None or session.away:
            return
        assert page.session is not None
        self.call(self.machine.polled(page.session, self.now), self.ref.polled(page.session))
        outbox, session.outbox = session.outbox, []
        offers = [e.claim.attempt for e in outbox if isinstance(e, Offer)]
        for name in offers:
            self.ref.written(name)
        self.call(self.machine.written(offers, self.now), [])
        for effect in [] if lost else outbox:
            self.receive(page, effect)

    def hear(self, page: Page) -> None:
        """A sign of life other than a poll."""
        if page.session is not None:
            self.call(self.machine.heard(page.session, self.now), self.ref.heard(page.session))

    def progress(self, page: Page, attempt: str, percent: float | None) -> None:
        assert page.session is not None
        self.ref.progress(page.session, attempt)
        self.call(self.machine.progress(page.session, attempt, percent, "x", self.now), [])
        self.call(self.machine.log(page.session, attempt, "a line", self.now), [])

    def receive(self, page: Page, effect: Effect) -> None:
        if isinstance(effect, Offer) and effect.claim.attempt not in page.stash:
            page.has.setdefault(effect.claim.attempt, None)
        elif isinstance(effect, CancelOrder):
            page.told.append(effect.attempt)
        elif isinstance(effect, Answer):
            page.stash.pop(effect.attempt, None)
        elif isinstance(effect, HoldOrder):
            page.heard = effect.hold
        elif isinstance(effect, Welcome):
            page.heard = None

    def accept(self, page: Page, attempt: str) -> None:
        assert page.session is not None
        counted = self.ref.accept(page.session, attempt)
        effects = self.machine.accept(page.session, attempt, self.now)
        assert any(isinstance(e, Record) for e in effects) == counted
        if page.has.get(attempt, self.now) is None:
            page.has[attempt] = self.now
        self.call(effects, [])

    def answer_late(self, attempts: Iterable[str | None]) -> None:
        """A page that can brings these results."""
        self.settle()
        able = [page for page in self.pages if page.session is not None and self.ref.by_session(page.session)]
        for attempt in attempts if able else []:
            self.result(able[0], attempt or "")

    def stash(self, page: Page, attempt: str) -> None:
        """It has a result, which it has not sent yet."""
        page.has.pop(attempt, None)
        page.stash[attempt] = self.values.setdefault(attempt, f'"{attempt}"')

    def result(self, page: Page, attempt: str) -> None:
        assert page.session is not None
        self.stash(page, attempt)
        self.ref.result(attempt)
        effects = self.machine.result(page.session, attempt, self.values[attempt], self.now)
        self.moved_in_flight = True
        self.take(effects)

    def error(self, page: Page, attempt: str, retry: bool) -> None:
        assert page.session is not None
        page.has.pop(attempt, None)
        ends = self.ref.error(attempt)
        self.call(self.machine.error(page.session, attempt, "{}", "it failed", retry, self.now), ends)

    def release(self, page: Page, attempt: str) -> None:
        assert page.session is not None
        page.has.pop(attempt, None)
        ends = self.ref.released(page.session, attempt)
        self.call(self.machine.released(page.session, attempt, "", self.now), ends)

    def pause(self, page: Page, paused: bool) -> None:
        assert page.session is not None
        peer = self.ref.by_session(page.session)
        if peer is not None:
            peer.paused = paused
        self.call(self.machine.pause(page.session, paused, self.now), [])

    def hold(self, worker: str, *, leaves: bool) -> None:
        """An operator pauses it, or lets it drain."""
        hold = Hold(WALL + self.now, "ann", "", leaves)
        self.commands.append(KeepWorker(KeptWorker(id=worker, paused=hold), "worker.pause"))

    def resume(self, page: Page) -> None:
        """The person at the page goes on, and ends the hold that the page has heard of; orders come one by one."""
        self.settle()
        if page.session is None:
            return
        self.pause(page, False)
        peer = self.ref.by_session(page.session)
        if peer is None or page.heard is None:
            return
        kept = self.machine.operators.without_hold(peer.id, page.heard.since_ms)
        assert (kept is not None) == self.ref.may_end_hold(peer.id, page.heard.at), f"{peer.id}: {page.heard}"
        if kept is not None:
            self.commands.append(KeepWorker(kept, "worker.resume"))

    def closes(self, page: Page, ago_s: float = 0.0) -> None:
        """The connection of its poll closed, so long ago."""
        session = self.sessions.get(page.session or "")
        if session is not None and page.session is not None and not session.away:
            session.away = True
            self.call(self.machine.away(page.session, self.now, ago_s), self.ref.away(page.session, ago_s))

    def closed_a_while_ago(self, page: Page) -> None:
        """It closed between two polls, and the next one has not come."""
        self.closes(page, GRACE_S / 3)

    def returns(self, page: Page) -> None:
        """It polls again on the same session."""
        session = self.sessions.get(page.session or "")
        if session is not None and page.session is not None and session.away:
            session.away = False
            self.call(self.machine.back(page.session, self.now), self.ref.back(page.session))

    def times_out(self, page: Page) -> None:
        """Its session ends for want of a pong."""
        if page.session in self.sessions:
            self.session_times_out(page.session)

    def session_times_out(self, name: str) -> None:
        """Drops a session that was away; its page may have left it long ago."""
        session = self.sessions.pop(name)
        if session.page.session == name:
            session.page.session = None
        if session.away:
            self.call(self.machine.ended(name, self.now), self.ref.ended(name))
        else:
            self.call(self.machine.quiet(name, self.now), self.ref.quiet(name))

    def leaves(self, page: Page) -> None:
        """It closes its session: a close packet."""
        if page.session is not None:
            name, page.session = page.session, None
            self.sessions.pop(name, None)
            self.call(self.machine.ended(name, self.now), self.ref.ended(name))

    def bye(self, page: Page) -> None:
        if page.session is None:
            return
        peer = self.ref.by_session(page.session)
        ends = self.ref.gone(peer) if peer is not None else []
        self.call(self.machine.bye(page.session, self.now), ends)

    def reload(self, page: Page, *, keep: bool, noticed: bool) -> None:
        """A new boot: memory is gone, the stash may be kept; the server may see the old connection close."""
        if noticed:
            self.closes(page)
        page.session, page.boot = None, ""
        page.has, page.told = {}, []
        if not keep:
            page.stash = {}
        self.open(page)
