"""One Engine.IO polling session as a page sees it, without I/O: packets in, messages out, ping deadline.

Protocol: https://github.com/socketio/engine.io-protocol (version 4). The caller makes the requests.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from .wire import SEPARATOR, join

__all__ = ["PageSession", "SessionOver"]

#: Added to the ping times, for the way of a request and its answer.
_SLACK_S = 5.0


class SessionOver(Exception):
    """The session cannot be used any more. ``at_once``: the server forgot it, so a new one need not wait."""

    def __init__(self, why: str, *, at_once: bool = False) -> None:
        super().__init__(why)
        self.at_once = at_once


class PageSession:
    """The values of the handshake, and the pongs that are owed."""

    def __init__(
        self, *, sid: str, ping_interval_s: float, ping_timeout_s: float, max_payload: int, now: float
    ) -> None:
        self.sid = sid
        self.max_payload = max_payload
        self._silence_s = ping_interval_s + ping_timeout_s + _SLACK_S
        self._pongs = 0
        #: The instant at which a session without a ping is given up.
        self.deadline = now + self._silence_s

    @classmethod
    def open(cls, status: int, body: bytes, now: float) -> PageSession:
        """Read the answer to the handshake. Raises SessionOver."""
        text = _text(status, body)
        if not text.startswith("0"):
            raise SessionOver(f"not a handshake: {text[:80]!r}")
        try:
            facts = json.loads(text[1:])
            return cls(
                sid=str(facts["sid"]),
                ping_interval_s=float(facts["pingInterval"]) / 1000,
                ping_timeout_s=float(facts["pingTimeout"]) / 1000,
                max_payload=int(facts["maxPayload"]),
                now=now,
            )
        except (ValueError, KeyError, TypeError) as error:
            raise SessionOver(f"bad handshake: {error!r}") from None

    def receive(self, status: int, body: bytes, now: float) -> list[str]:
        """The messages in a poll's answer. Raises SessionOver."""
        messages = []
        for packet in _text(status, body).split(SEPARATOR):
            kind = packet[:1]
            if kind == "4":
                messages.append(packet[1:])
            elif kind == "2":
                self._pongs += 1
                self.deadline = now + self._silence_s
            elif kind == "1":
                raise SessionOver("closed by the server")
            elif kind != "6":
                raise SessionOver(f"not an Engine.IO packet: {packet[:80]!r}")
        return messages

    @property
    def owes_pong(self) -> bool:
        """Whether a POST is due even without messages."""
        return self._pongs > 0

    def body(self, messages: Sequence[str]) -> bytes:
        """The body of a POST with the messages, owed pongs first."""
        packets = ["3"] * self._pongs + ["4" + message for message in messages]
        self._pongs = 0
        return join(packets)


def _text(status: int, body: bytes) -> str:
    if status != 200:
        raise SessionOver(f"status {status}: {body[:80]!r}", at_once=status == 400)
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SessionOver("an answer that is not UTF-8") from None
