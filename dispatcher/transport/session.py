"""One session: its outbox and its state. It decides nothing and tells nobody; ``sessions`` does."""

from __future__ import annotations

from dispatcher.transport.carrier import Carriers, Socket
from dispatcher.transport.codec import PING_PACKET, SEPARATOR
from dispatcher.transport.exchange import Connection, Exchange

__all__ = ["Outbox", "Session"]

#: Offers that can lapse are those in a worker's slots: older ones are over, and need no proof.
_MOST_UNPROVED = 1_024


class Outbox:
    """Packets that wait for a poll, oldest first, with their attempts."""

    __slots__ = ("items", "size")

    def __init__(self) -> None:
        #: (packet, attempt); others only read it. It is empty in nearly all sessions, and an empty deque has 600
        #: bytes: so it is a list.
        self.items: list[tuple[bytes, str | None]] = []
        #: Bytes in it, separators included.
        self.size = 0

    def __len__(self) -> int:
        return len(self.items)

    def put(self, packet: bytes, attempt: str | None) -> None:
        self.items.append((packet, attempt))
        self.size += len(packet) + 1

    def put_first(self, packet: bytes) -> None:
        """For a ping: it must not wait behind megabytes, and pages rely on the order of messages only."""
        self.items.insert(0, (packet, None))
        self.size += len(packet) + 1

    def batch(self, limit: int) -> list[tuple[bytes, str | None]]:
        """The packets that fit into ``limit`` bytes, at least one; they stay here until ``drop``."""
        if self.size <= limit:
            return list(self.items)
        batch: list[tuple[bytes, str | None]] = []
        for item in self.items:
            limit -= len(item[0]) + 1
            if limit < 0 and batch:
                break
            batch.append(item)
        return batch

    def drop(self, count: int) -> None:
        """The first ``count`` have been written."""
        if count == len(self.items):
            return self.clear()
        self.size -= sum(len(packet) + 1 for packet, _ in self.items[:count])
        del self.items[:count]

    def take_out(self, attempt: str) -> bool:
        """Removes the offer of this attempt. False: it was not here."""
        kept = [item for item in self.items if item[1] != attempt]
        if len(kept) == len(self.items):
            return False
        self.items = kept
        self.size = sum(len(packet) + 1 for packet, _ in kept)
        return True

    def clear(self) -> None:
        self.items.clear()
        self.size = 0


class Session:
    """The state of one session."""

    __slots__ = (
        "away", "candidate", "connection", "ended", "ending", "key", "on_socket", "outbox", "ping", "pinged", "poll",
        "post", "probed", "sid", "socket", "unproved",
    )  # fmt: skip

    #: Values of ``ping``: none outstanding; one in the outbox; one written and not yet answered.
    NONE, QUEUED, WRITTEN = 0, 1, 2

    def __init__(self, sid: str) -> None:
        self.sid = sid
        #: What the client showed at its handshake, and shows with each request since; "": nothing.
        self.key = ""
        self.outbox = Outbox()
        #: The parked GET; at most one.
        self.poll: Exchange | None = None
        #: The POST whose body is being read; at most one.
        self.post: Exchange | None = None
        #: The connection of the last poll; None once that is closed, or if it was not kept alive.
        self.connection: Connection | None = None
        #: A WebSocket carries it, or did: it does not poll any more.
        self.on_socket = False
        #: The WebSocket that carries it; None: it is closed, or polls carry the session.
        self.socket: Socket | None = None
        #: A WebSocket that wants to take it over, and whether its probe has been answered.
        self.candidate: Socket | None = None
        self.probed = False
        #: On a socket: the offers written since the last ping, and those written before it and not yet proved.
        self.unproved: list[str] = []
        self.pinged: list[str] = []
        #: Reported away and not yet back.
        self.away = False
        #: The server wants it ended: its page gets what waits and a close packet.
        self.ending = False
        #: No longer known; whoever still holds it must not use it.
        self.ended = False
        self.ping = Session.NONE

    def next_answer(self, limit: int) -> tuple[bytes, int, list[str]]:
        """The body of the next poll answer, how many packets it takes, and the attempts they carry."""
        batch = self.outbox.batch(limit)
        body = SEPARATOR.join([packet for packet, _ in batch])
        return body, len(batch), [attempt for _, attempt in batch if attempt is not None]

    def taken(self, count: int) -> None:
        """The answer with the first ``count`` packets has been written."""
        if self.ping == Session.QUEUED and count:  # a ping is always first
            self.ping = Session.WRITTEN
        self.outbox.drop(count)

    def forget_old_offers(self) -> None:
        """Keeps the newest offers of those that wait for proof."""
        del self.unproved[:-_MOST_UNPROVED], self.pinged[:-_MOST_UNPROVED]

    def let_go(self) -> Carriers:
        """What carries it, and may carry it no more."""
        carriers = Carriers(self.poll, tuple(each for each in (self.socket, self.candidate) if each is not None))
        self.poll = self.post = self.socket = self.candidate = None
        self.probed = False
        return carriers

    def put_ping(self) -> None:
        self.outbox.put_first(PING_PACKET)
        self.ping = Session.QUEUED
