"""Which faults simulated pages have, and how often. Values only."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from enum import Enum

__all__ = ["Ending", "Faults", "Plan"]


class Ending(Enum):
    """How one run of a task ends."""

    ANSWER = "answer"
    FAIL = "fail"
    #: The task hangs; the page lives on and obeys a cancel.
    NEVER = "never"
    #: The page is loaded anew in the middle of the run.
    RELOAD_BEFORE = "reload before the answer"
    #: The page is loaded anew between stashing the answer and sending it.
    RELOAD_AFTER = "reload after the answer"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen in one run of a task."""

    run_s: float
    ending: Ending
    ignores_cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Shares are 0 to 1, durations seconds; the default is a page without faults."""

    #: A task runs this long: shortest and longest.
    slow_s: tuple[float, float] = (0.0, 0.0)
    #: Share of runs that never end.
    never_answer: float = 0.0
    #: Share of runs that end in an error.
    fail: float = 0.0
    #: Share of runs whose cancel the page does not answer.
    ignore_cancels: float = 0.0
    #: Share of runs in which the page is loaded anew: half before the answer, half after, before it is sent.
    reload: float = 0.0
    #: The page is also loaded anew at random instants, this far apart on average; 0: never.
    reload_every_s: float = 0.0
    #: Share of reloads after which the stash of unanswered results is still there.
    stash: float = 0.5
    #: Share of poll answers that are lost on the way: read, thrown away, connection closed, new session.
    drop_polls: float = 0.0
    #: Share of poll answers that are thrown away unnoticed: the page polls on in the same session.
    swallow_polls: float = 0.0
    #: A poll that is not answered within this time loses its connection; 0: never.
    cut_polls_s: float = 0.0
    #: Share of POSTs that are sent again on the same connection after their answer.
    repeat_posts: float = 0.0
    #: Share of POSTs whose answer is thrown away and that are sent again on a new connection.
    lose_post_answers: float = 0.0

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name == "slow_s":
                good = 0 <= value[0] <= value[1]
            else:
                good = 0 <= value <= (float("inf") if item.name.endswith("_s") else 1)
            if not good:
                raise ValueError(f"{item.name} cannot be {value!r}")

    def plan(self, rng: random.Random) -> Plan:
        """Draw what happens in the next run; draws equally many numbers each time."""
        run_s = rng.uniform(*self.slow_s)
        ending, ignores = self._ending(rng.random()), rng.random() < self.ignore_cancels
        return Plan(run_s, ending, ignores)

    def _ending(self, draw: float) -> Ending:
        shares = (
            (self.never_answer, Ending.NEVER),
            (self.fail, Ending.FAIL),
            (self.reload / 2, Ending.RELOAD_BEFORE),
            (self.reload / 2, Ending.RELOAD_AFTER),
        )
        for share, ending in shares:
            if draw < share:
                return ending
            draw -= share
        return Ending.ANSWER
