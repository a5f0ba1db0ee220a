"""Which workers are there, and when something must happen: the lower half of ``reference``, with the same words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.core.model.peers import (
    ASIDE_S,
    GRACE_S,
    MOMENT_S,
    MOST_ASIDE_S,
    OFFER_TTL_S,
    PROBE_S,
    RELOAD_S,
    RESTART_GRACE_S,
    Hello,
    Lease,
    Peer,
)

#: (attempt, cause)
Ends = list[tuple[str, str]]


@dataclass
class Presence:
    """Workers and their sessions, attempts and their timers."""

    now: float = 0.0
    draining: bool = False
    peers: dict[str, Peer] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    newcomers: dict[str, tuple[str, Hello]] = field(default_factory=dict)
    #: (kind, name) -> (instant, order of setting)
    timers: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)
    order: int = 0
    #: Attempts whose loss uses up nothing.
    uncounted: set[str] = field(default_factory=set)
    #: Workers that an operator keeps from jobs: since when, and whether they are to leave.
    held: dict[str, tuple[float, bool]] = field(default_factory=dict)
    #: Attempts whose end leaves it unknown whether their effect has happened.
    doubts: set[str] = field(default_factory=set)
    #: (session, attempt) that the current call must tell to go.
    gos: list[tuple[str, str]] = field(default_factory=list)

    # -- helpers

    def set(self, kind: str, name: str, in_s: float) -> None:
        self.order += 1
        self.timers[kind, name] = (self.now + in_s, self.order)

    def clear(self, kind: str, name: str) -> None:
        self.timers.pop((kind, name), None)

    def next(self) -> float | None:
        return min((at for at, _ in self.timers.values()), default=None)

    def of(self, worker: str) -> list[Lease]:
        return [lease for lease in self.leases.values() if lease.worker == worker and lease.phase != "adrift"]

    def by_session(self, session: str) -> Peer | None:
        return next((peer for peer in self.peers.values() if peer.session == session), None)

    def room(self, peer: Peer) -> int:
        able = (
            peer.state == "connected"
            and not (peer.paused or peer.id in self.held or peer.aside)
            and peer.session is not None
        )
        return max(0, peer.slots - len(self.of(peer.id))) if able else 0

    def end(self, lease: Lease, cause: str) -> Ends:
        self.forget(lease)
        return self.judge(lease, cause)

    def judge(self, lease: Lease, cause: str) -> Ends:
        """After ``go`` any end but an answer is a doubt (S15b); a loss through a restart uses up nothing."""
        if lease.went and cause in ("lost", "timed_out", "released"):
            self.doubts.add(lease.id)
        if lease.id in self.doubts or (cause == "lost" and lease.restarted):
            self.uncounted.add(lease.id)
        return [(lease.id, cause)]

    def forget(self, lease: Lease) -> None:
        for kind in ("lease", "beat", "reload"):
            self.clear(kind, lease.id)
        del self.leases[lease.id]
        if lease.phase != "adrift":
            self.unprotected(lease.worker)

    def unprotected(self, worker: str) -> None:
        peer = self.peers.get(worker)
        if peer is not None and peer.state == "quiet" and all(x.phase == "revoked" for x in self.of(worker)):
            self.set("grace", worker, GRACE_S)

    def revoke(self, lease: Lease) -> None:
        self.clear("lease", lease.id)
        self.clear("beat", lease.id)
        lease.phase = "revoked"
        self.set("reload", lease.id, RELOAD_S)
        self.unprotected(lease.worker)

    def go(self, lease: Lease) -> None:
        """Its page is told to go, if it may."""
        session = self.peers[lease.worker].session
        if lease.went and session is not None:
            self.gos.append((session, lease.id))

    # -- time

    def tick(self, now: float) -> Ends:
        ends: Ends = []
        self.now = now
        while self.timers:
            (kind, name), (at, _) = min(self.timers.items(), key=lambda item: item[1])
            if at > now:
                break
            del self.timers[kind, name]
            if kind == "lease":
                ends += self.lease_over(self.leases[name])
            elif kind == "beat":
                ends += self.give_up(self.leases[name], "lost")
            elif kind == "aside":
                self.peers[name].aside, self.peers[name].lapses = False, 1
            elif kind == "grace":
                ends += self.gone(self.peers[name])
            elif kind == "probe":
                ends += self.decide(name)
        return ends

    def lease_over(self, lease: Lease) -> Ends:
        if lease.phase == "running":
            return self.give_up(lease, "timed_out")
        if lease.phase == "offered" and lease.fetched:
            self.not_taken(self.peers[lease.worker])
        return self.end(lease, "lapsed" if lease.phase == "offered" else "lost")

    def give_up(self, lease: Lease, cause: str) -> Ends:
        self.revoke(lease)
        return self.judge(lease, cause)

    def not_taken(self, peer: Peer) -> None:
        """After two offers in a row that it had and did not accept, it gets none for a while (S7)."""
        peer.lapses += 1
        if peer.lapses >= 2 and not peer.aside:
            peer.aside = True
            self.set("aside", peer.id, min(MOST_ASIDE_S, ASIDE_S * 2**peer.times_aside))
            peer.times_aside += 1

    def heeded(self, worker: str) -> None:
        if worker in self.peers:
            self.peers[worker].lapses = self.peers[worker].times_aside = 0

    def beat(self, lease: Lease) -> None:
        if lease.heartbeat_s is not None:
            self.set("beat", lease.id, lease.heartbeat_s)

    def forgive(self, late_s: float, now: float) -> None:
        """A standstill prolongs everything but a timeout; what is due waits until arrivals have been read (S19)."""
        self.now = now
        for (kind, name), (at, _) in list(self.timers.items()):
            timeout = kind == "lease" and self.leases[name].phase == "running"
            if not timeout or at < now + MOMENT_S:
                self.order += 1
                self.timers[kind, name] = (max(at if timeout else at + late_s, now + MOMENT_S), self.order)

    # -- connections

    def away(self, session: str, ago_s: float = 0.0) -> Ends:
        self.forget_newcomer(session)
        peer = self.by_session(session)
        if peer is None or peer.state == "away":
            return []
        peer.state = "away"
        self.set("grace", peer.id, GRACE_S - ago_s)
        return self.take_back(peer) + self.decide(peer.id)

    def take_back(self, peer: Peer) -> Ends:
        unwritten = [x for x in self.of(peer.id) if x.phase == "offered" and not x.written]
        return [end for lease in unwritten for end in self.end(lease, "lapsed")]

    def keep(self, worker: str, hold: tuple[float, bool] | None) -> Ends:
        """An operator has said so, durably, or a page in the place of one."""
        self.held.pop(worker, None)
        if hold is None:
            return []
        self.held[worker] = hold
        return self.take_back(self.peers[worker]) if worker in self.peers else []

    def may_end_hold(self, worker: str, since: float | None) -> bool:
        """Whether the person at its page ends the hold that the page has heard of (S38)."""
        return since is not None and self.held.get(worker) == (since, False)

    def back(self, session: str) -> Ends:
        peer = self.by_session(session)
        if peer is not None:
            peer.state = "connected"
            self.clear("grace", peer.id)
        return []

    def ended(self, session: str) -> Ends:
        ends = self.away(session)
        peer = self.by_session(session)
        if peer is not None:
            peer.session = None
        return ends

    def quiet(self, session: str) -> Ends:
        self.forget_newcomer(session)
        peer = self.by_session(session)
        if peer is None:
            return []
        peer.session = None
        if peer.state == "connected":
            peer.state = "quiet"
        ends = self.take_back(peer)
        self.unprotected(peer.id)
        return ends + self.decide(peer.id)

    def gone(self, peer: Peer) -> Ends:
        ends: Ends = []
        for lease in self.of(peer.id):
            if lease.phase == "revoked":
                self.forget(lease)
            else:
                ends += self.end(lease, "lapsed" if lease.phase == "offered" else "lost")
        self.clear("grace", peer.id)
        self.clear("aside", peer.id)
        del self.peers[peer.id]
        return ends + self.decide(peer.id)

    # -- registering

    def forget_newcomer(self, session: str) -> None:
        for name in [name for name, (waits, _) in self.newcomers.items() if waits == session]:
            del self.newcomers[name]
            self.clear("probe", name)

    def register(self, session: str, hello: Hello) -> Ends:
        """A boot stays the worker that it has become, whatever it claims to be."""
        known = next((peer.id for peer in self.peers.values() if peer.boot == hello.boot), hello.worker)
        hello = replace(hello, worker=known)
        peer = self.peers.get(hello.worker)
        if peer is None or peer.boot == hello.boot:
            return self.admit(session, hello)
        self.newcomers[peer.id] = (session, hello)
        if peer.state != "connected" or peer.session is None:
            return self.decide(peer.id)
        if ("probe", peer.id) not in self.timers:
            self.set("probe", peer.id, PROBE_S)
        return []

    def heard(self, session: str) -> Ends:
        peer = self.by_session(session)
        if peer is None or peer.id not in self.newcomers:
            return []
        self.clear("probe", peer.id)
        other, hello = self.newcomers.pop(peer.id)
        return self.admit(other, replace(hello, worker=hello.spare, spare="", holding={}, finished=frozenset()))

    def decide(self, name: str) -> Ends:
        self.clear("probe", name)
        newcomer = self.newcomers.pop(name, None)
        return [] if newcomer is None else self.admit(*newcomer)

    def admit(self, session: str, hello: Hello) -> Ends:
        ends: Ends = []
        peer = self.peers.get(hello.worker)
        if peer is not None and peer.boot == hello.boot and hello.opened < peer.opened:
            return self.ended(session)  # of a session that the page has left: it says what was
        again = peer is not None and peer.boot == hello.boot and peer.session == session
        if peer is not None and peer.boot != hello.boot:
            ends += self.end_old_boot(peer, hello)
        if peer is None:
            peer = self.peers[hello.worker] = Peer(hello.worker, hello.boot, hello.types, hello.slots, session)
        peer.boot, peer.types, peer.slots = hello.boot, hello.types, hello.slots
        peer.session, peer.opened = session, hello.opened
        peer.state = "connected"
        self.clear("grace", peer.id)
        return ends + (self.repeat(peer, hello) if again else self.reconcile(peer, hello))

    def end_old_boot(self, peer: Peer, hello: Hello) -> Ends:
        ends: Ends = []
        for lease in self.of(peer.id):
            if lease.phase == "revoked":
                self.forget(lease)
            elif lease.id in hello.finished:
                self.stash(lease)
            else:
                ends += self.end(lease, "lapsed" if lease.phase == "offered" else "lost")
        return ends

    def stash(self, lease: Lease) -> None:
        lease.phase = "stash"
        self.clear("beat", lease.id)
        self.set("lease", lease.id, OFFER_TTL_S)

    def reconcile(self, peer: Peer, hello: Hello) -> Ends:
        ends: Ends = []
        has = hello.finished | set(hello.holding)
        for lease in list(self.leases.values()):
            if lease.phase == "adrift" and (lease.worker == peer.id or lease.id in has):
                ends += self.adopt(lease, peer, hello)
        for lease in self.of(peer.id):
            if lease.phase == "revoked" and lease.id not in has:
                self.forget(lease)
            elif lease.phase in ("running", "stash") and lease.id not in has:
                ends += self.end(lease, "lost")
        for name in [name for name in hello.holding if name not in self.leases][: peer.slots]:
            self.leases[name] = Lease(name, peer.id, 0.0, phase="revoked")
            self.set("reload", name, RELOAD_S)
        for lease in self.of(peer.id):
            if lease.phase == "offered" and lease.id not in has and len(self.of(peer.id)) > peer.slots:
                ends += self.end(lease, "lapsed")
        return ends + self.repeat(peer, hello)

    def repeat(self, peer: Peer, hello: Hello) -> Ends:
        """Repeats what the page may not have heard; its words may be old, so they end nothing."""
        for lease in self.of(peer.id):
            if lease.phase == "offered" and lease.id in hello.finished | set(hello.holding):
                lease.written = True
                if ("lease", lease.id) not in self.timers:
                    self.set("lease", lease.id, OFFER_TTL_S)
            elif lease.phase == "offered":
                lease.written = lease.fetched = False
                self.clear("lease", lease.id)
            elif lease.phase == "running":
                self.go(lease)
        return []

    def adopt(self, lease: Lease, peer: Peer, hello: Hello) -> Ends:
        if lease.id not in hello.finished and lease.id not in hello.holding:
            return self.end(lease, "lost")
        lease.worker = peer.id
        if lease.id in hello.finished:
            self.stash(lease)
            return []
        lease.phase, lease.restarted = "running", False
        elapsed_s = max(0.0, min(hello.holding[lease.id], lease.timeout_s))
        self.set("lease", lease.id, max(lease.timeout_s - elapsed_s, min(lease.timeout_s, RESTART_GRACE_S)))
        self.beat(lease)
        return []
