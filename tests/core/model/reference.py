"""The promises about workers, attempts and their deadlines in the simplest code: the model's other half.

It knows nothing of heaps, pools or effects, and shares no code with the core. Each call says which attempts must end
by it, and how; ``timers`` holds every instant at which something must happen.
"""

from __future__ import annotations

from tests.core.model.peers import OFFER_TTL_S, RESTART_GRACE_S, Lease, Peer
from tests.core.model.presence import Ends, Presence

__all__ = ["Ends", "Reference"]


class Reference(Presence):
    """The whole node."""

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
        """The previous answer has arrived."""
        peer = self.by_session(session)
        for lease in self.of(peer.id) if peer is not None else []:
            lease.fetched = lease.fetched or lease.written
        return self.heard(session)

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
        """Gives back a running attempt, or declines an offer; a paused page may do so."""
        lease = self.own(session, attempt)
        if lease is not None and lease.phase == "offered":
            peer = self.peers[lease.worker]
            if not (peer.paused or peer.id in self.held or self.draining):
                self.not_taken(peer)
        return self.answered(lease, "released")

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

    # -- which worker is next

    def next_of_pool(self, types: frozenset[str], avoid: tuple[str, ...], wanted: str) -> list[Peer]:
        """The least recently used worker of these types with room, none of ``avoid`` where there is another.

        Where these types have no other, anyone of other types who can run what is wanted. Empty: nobody has room.
        """
        free = sorted((p for p in self.peers.values() if self.room(p)), key=lambda p: (p.used, p.id))
        idle = [peer for peer in free if peer.types == types]
        others = [peer for peer in idle if peer.id not in avoid]
        elsewhere = [peer for peer in free if wanted in peer.types and peer.id not in avoid]
        return others[:1] or (elsewhere if idle else []) or idle[:1]

    def offered(self, peer: Peer, lease: Lease) -> None:
        self.order += 1
        peer.used = self.order
        self.leases[lease.id] = lease
