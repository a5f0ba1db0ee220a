"""Heartbeats (S8): silence of the length that a job allows ends its attempt, and nothing shorter does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatcher.core.fleet.worker import Attempt, AttemptState
from dispatcher.core.jobs.turn import Ended

if TYPE_CHECKING:
    from tests.sim.node import Node
    from tests.sim.world import World

__all__ = ["Beats"]

#: The beginnings of messages that count as a sign of life, and in which state of their attempt: not an accept again.
_SIGNS = (
    ('{"op":"progress","attempt":"', AttemptState.RUNNING),
    ('{"op":"accept","attempt":"', AttemptState.OFFERED),
)


class Beats:
    """What the server has heard of each attempt."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._heard: dict[str, float] = {}

    def message(self, node: Node, sid: str, text: str) -> None:
        """A message has come from a page."""
        for sign, state in _SIGNS:
            if text.startswith(sign):
                attempt = node.machine._own(sid, text[len(sign) :].partition('"')[0])
                if attempt is not None and attempt.state is state:
                    self._heard[attempt.id] = self.world.now

    def moves(self, attempt: str) -> None:
        """It goes to another node with its page, which may have said there that it holds it."""
        self._heard[attempt] = self.world.now
        for node in self.world.nodes():
            node.silence_s.pop(attempt, None)

    def silence_s(self, attempt: str) -> float:
        """How long the attempt has been silent; ask right after the step in which the server gave it up."""
        return self.world.now - self._heard.get(attempt, self.world.now)

    def silent(self, node: Node, said: Ended) -> bool:
        """Whether the end blames silence; checks that the silence was long enough."""
        if "no progress within" not in (said.detail or ""):
            return False
        self.world.count("silent tasks given up")
        rows = self.world.disk.rows
        allowed_s = rows.by_seq[rows.all_attempts[said.attempt].job].terms.heartbeat_s
        silence_s = node.silence_s[said.attempt]
        if allowed_s is None or silence_s < allowed_s - 0.001:
            self.world.broken(f"S8: {said.attempt} was given up after {silence_s:.1f} s of silence of {allowed_s}")
        return True

    def listens(self, node: Node, attempt: Attempt) -> None:
        """Checks that the server waits for the heartbeat of every running attempt that has one."""
        rows = self.world.disk.rows
        seq = rows.by_id.get(attempt.claim.job)
        if attempt.finished or seq is None or rows.by_seq[seq].terms.heartbeat_s is None:
            return
        if node.machine._deadlines.get(("beat", attempt.id)) is None:
            self.world.broken(f"S8: nobody listens for the heartbeat of {attempt.id}")
