"""What the promises say about workers, attempts and their deadlines, in the plainest words: the model's other half.

It knows nothing of heaps, pools or effects, and shares no code with the core. Each call says which attempts must end
by it, and how; ``timers`` holds every instant at which something must happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.core.peers import (
    ASIDE_S,
    GRACE_S,
    MOMENT_S,
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
class Reference:
    """The whole node."""

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
    #: Attempts that ended so that nobody knows whether their effect has happened.
    doubts: set[str] = field(default_factory=set)
    #: (session, attempt) that must be told to go by the call that is being made.
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
        able = peer.state == "connected" and not (peer.paused or peer.aside) and peer.session is not None
        return max(0, peer.slots - len(self.of(peer.id))) if able else 0

    def end(self, lease: Lease, cause: str) -> Ends:
        self.forget(lease)
        return self.judge(lease, cause)

    def judge(self, lease: Lease, cause: str) -> Ends:
        """After ``go`` only an answer is no doubt (S15b); a loss through a restart uses up nothing."""
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
            self.ignored(self.peers[lease.worker])
        return self.end(lease, "lapsed" if lease.phase == "offered" else "lost")

    def give_up(self, lease: Lease, cause: str) -> Ends:
        self.revoke(lease)
        return self.judge(lease, cause)

    def ignored(self, peer: Peer) -> None:
        """Two offers in a row that it fetched and did not accept, and it gets none for a while (S7)."""
        peer.lapses += 1
        if peer.lapses >= 2 and not peer.aside:
            peer.aside = True
            self.set("aside", peer.id, ASIDE_S * 2**peer.times_aside)
            peer.times_aside += 1

    def heeded(self, worker: str) -> None:
        if worker in self.peers:
            self.peers[worker].lapses = self.peers[worker].times_aside = 0

    def beat(self, lease: Lease) -> None:
        if lease.heartbeat_s is not None:
            self.set("beat", lease.id, lease.heartbeat_s)

    def forgive(self, late_s: float, now: float) -> None:
        """A timeout is not prolonged by a standstill, everything else is; what is due waits for what arrived (S19)."""
        self.now = now
        for (kind, name), (at, _) in list(self.timers.items()):
            timeout = kind == "lease" and self.leases[name].phase == "running"
            if not timeout or at <= now:
                self.order += 1
                self.timers[kind, name] = (max(at if timeout else at + late_s, now + MOMENT_S), self.order)

    # -- connections

    def away(self, session: str) -> Ends:
        self.forget_newcomer(session)
        peer = self.by_session(session)
        if peer is None or peer.state == "away":
            return []
        peer.state = "away"
        self.set("grace", peer.id, GRACE_S)
        return self.take_back(peer) + self.decide(peer.id)

    def take_back(self, peer: Peer) -> Ends:
        unwritten = [x for x in self.of(peer.id) if x.phase == "offered" and not x.written]
        return [end for lease in unwritten for end in self.end(lease, "lapsed")]

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
        return self.admit(other, Hello(hello.spare, "", hello.boot, hello.types, hello.slots, {}, frozenset()))

    def decide(self, name: str) -> Ends:
        self.clear("probe", name)
        newcomer = self.newcomers.pop(name, None)
        return [] if newcomer is None else self.admit(*newcomer)

    def admit(self, session: str, hello: Hello) -> Ends:
        ends: Ends = []
        peer = self.peers.get(hello.worker)
        if peer is not None and peer.boot != hello.boot:
            ends += self.end_old_boot(peer, hello)
        if peer is None:
            peer = self.peers[hello.worker] = Peer(hello.worker, hello.boot, hello.types, hello.slots, session)
        peer.boot, peer.types, peer.slots, peer.session = hello.boot, hello.types, hello.slots, session
        peer.state = "connected"
        self.clear("grace", peer.id)
        return ends + self.reconcile(peer, hello)

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
            if lease.phase == "offered" and lease.id in has:
                lease.written = True
                if ("lease", lease.id) not in self.timers:
                    self.set("lease", lease.id, OFFER_TTL_S)
            elif lease.phase == "offered":
                lease.written = lease.fetched = False
                self.clear("lease", lease.id)
            elif lease.phase == "running" and lease.id in has:
                self.go(lease)
            elif lease.phase in ("running", "stash") and lease.id not in has:
                ends += self.end(lease, "lost")
        return ends

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

    def restore(self, lease: Lease) -> None:
        lease.phase, lease.written, lease.restarted, lease.went = "adrift", True, True, lease.once
        self.leases[lease.id] = lease
        self.set("lease", lease.id, RESTART_GRACE_S)

    # -- what pages say

    def own(self, session: str, attempt: str) -> Lease | None:
        peer, lease = self.by_session(session), self.leases.get(attempt)
        return lease if peer is not None and lease is not None and lease in self.of(peer.id) else None

    def written(self, attempt: str) -> None:
        lease = self.leases.get(attempt)
        if lease is not None and lease.phase == "offered" and not lease.written:
            lease.written = True
            self.set("lease", attempt, OFFER_TTL_S)

    def polled(self, session: str) -> Ends:
        """What the answer before carried has arrived."""
        peer = self.by_session(session)
        for lease in self.of(peer.id) if peer is not None else []:
            lease.fetched = lease.fetched or lease.written
        return self.heard(session)

    def go(self, lease: Lease) -> None:
        """Its page is told to go, if it may."""
        session = self.peers[lease.worker].session
        if lease.went and session is not None:
            self.gos.append((session, lease.id))

    def started(self, attempt: str) -> None:
        """The accept is durable."""
        lease = self.leases.get(attempt)
        if lease is not None and lease.once and lease.phase in ("running", "stash"):
            lease.went = True
            self.go(lease)

    def progress(self, session: str, attempt: str) -> None:
        if (lease := self.own(session, attempt)) and lease.phase == "running":
            self.beat(lease)

    def accept(self, session: str, attempt: str) -> bool:
        """Whether the accept counts."""
        lease = self.own(session, attempt)
        if lease is not None and lease.phase in ("running", "stash"):
            self.go(lease)
        if lease is None or lease.phase != "offered":
            return False
        lease.phase = "running"
        self.heeded(lease.worker)
        self.set("lease", attempt, lease.timeout_s)
        self.beat(lease)
        return True

    def result(self, attempt: str) -> None:
        if attempt in self.leases:
            self.heeded(self.leases[attempt].worker)
            self.forget(self.leases[attempt])

    def error(self, attempt: str) -> Ends:
        lease = self.leases.get(attempt)
        if lease is not None and lease.phase != "revoked":
            self.heeded(lease.worker)
        return self.answered(lease, "error")

    def released(self, session: str, attempt: str) -> Ends:
        return self.answered(self.own(session, attempt), "released")

    def answered(self, lease: Lease | None, cause: str) -> Ends:
        if lease is not None and lease.phase != "revoked":
            return self.end(lease, cause)
        if lease is not None:
            self.forget(lease)
        return []

    def cancelled(self, attempt: str) -> None:
        lease = self.leases.get(attempt)
        if lease is None or lease.phase == "revoked":
            return
        if lease.phase == "adrift" or (lease.phase == "offered" and not lease.written):
            self.forget(lease)
        else:
            self.revoke(lease)

    # -- who is next

    def next_of_pool(self, types: frozenset[str], avoid: tuple[str, ...]) -> Peer | None:
        """The least recently used worker of these types with room, none of ``avoid`` where there is another."""
        idle = sorted(
            (p for p in self.peers.values() if p.types == types and self.room(p)), key=lambda p: (p.used, p.id)
        )
        others = [peer for peer in idle if peer.id not in avoid]
        return next(iter(others or idle), None)

    def offered(self, peer: Peer, lease: Lease) -> None:
        self.order += 1
        peer.used = self.order
        self.leases[lease.id] = lease
