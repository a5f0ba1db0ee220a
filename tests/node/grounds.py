"""The real dispatcher with the real sessions: pages are requests without a network, the clock is turned by hand."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.node.timer import PULSE_S
from dispatcher.pages.protocol import VERSION
from dispatcher.transport.exchange import Connection
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.house import JSON, House
from tests.support.polling import QUERY, sid_in
from tests.transport.support import FakeExchange

__all__ = ["Grounds", "Window"]


class Grounds(House):
    """A house whose transport is ``transport.Sessions``."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.sessions = Sessions(SessionLimits.of(self.settings, sessions=1_000), self.pages)
        self.dispatcher.attach(self.sessions)

    def request(self, method: str, query: str, body: str = "", connection: Connection | None = None) -> FakeExchange:
        """Makes the calls that the front makes."""
        exchange, now = FakeExchange(method, query, connection=connection), self.clock.monotonic()
        refusal = self.sessions.begin(exchange, now)
        if refusal is not None:
            exchange.answer(refusal)
        else:
            self.sessions.complete(exchange, body.encode(), now)
        self.settle()
        return exchange

    def stand_still(self, seconds: float, armed_s: float = PULSE_S) -> None:
        """The loop stands still; its timer, armed for ``armed_s``, fires before anything is read."""
        began = self.clock.monotonic()
        deadlines = [self.dispatcher.machine.next_deadline(), self.sessions.next_deadline()]
        at = max(began, min([began + armed_s, *(due for due in deadlines if due is not None)]))
        now = max(self.clock.advance(seconds), at)
        self.dispatcher.tick(now, now - at)

    def settle(self) -> None:
        """Does what the front does after each event."""
        self.sessions.flush(self.clock.monotonic())
        self.dispatcher.changed()


class Window:
    """One page: a session, its poll, and all its messages."""

    def __init__(self, grounds: Grounds, name: str) -> None:
        self.grounds, self.name = grounds, name
        self.connection = Connection()
        self.poll: FakeExchange | None = None
        self.heard: list[JSON] = []
        #: Packets that are not messages, mostly pings, as they came.
        self.packets: list[str] = []
        opened = grounds.request("GET", QUERY, connection=self.connection)
        self.sid = sid_in(opened.body)
        self.query = f"{QUERY}&sid={self.sid}"

    def ask(self) -> None:
        """Polls."""
        self.poll = self.grounds.request("GET", self.query, connection=self.connection)
        self.read()

    def read(self) -> None:
        """Takes the answer to its poll, if there is one."""
        if self.poll is None or self.poll.answered is None:
            return
        packets, self.poll = self.poll.body.split("\x1e"), None
        self.heard += [json.loads(packet[1:]) for packet in packets if packet[0] == "4"]
        self.packets += [packet for packet in packets if packet[0] != "4"]

    def post(self, packet: str) -> int:
        """Posts one packet; returns the status of the answer."""
        return self.grounds.request("POST", self.query, packet).status

    async def say(self, **message: Any) -> None:
        """Sends a message; returns after the turns that it leads to."""
        assert self.post(f"4{json.dumps(message)}") == 200
        await self.grounds.dispatcher.idle(housekeeping=True)

    async def register(self, **fields: Any) -> None:
        """Joins, and hears that it has."""
        known = {"types": ["echo"], "boot": f"boot-{self.name}", "name": self.name, "version": VERSION}
        await self.say(op="register", **(known | fields))
        self.ask()

    def disconnect(self) -> None:
        """The connection of its polls closes."""
        now = self.grounds.clock.monotonic()
        if self.poll is not None:
            self.poll.open = False
            self.grounds.sessions.abandon(self.poll, now)
            self.poll = None
        self.grounds.sessions.disconnected(self.connection, now)
        self.connection = Connection()
        self.grounds.settle()

    def offers(self) -> list[str]:
        """The attempts that it was offered."""
        self.read()
        return [message["attempt"] for message in self.heard if message["op"] == "job"]

    # -- pings

    def answer(self) -> None:
        """Does a page's usual work: answers pings, and polls."""
        self.read()
        while "2" in self.packets:
            self.packets.remove("2")
            assert self.post("3") == 200, f"{self.name} has lost its session"
        if self.poll is None:
            self.ask()
            assert self.poll is None or self.poll.is_open(), f"{self.name} is refused"
