"""Plays the network and the clock for what a client does step by step."""

from __future__ import annotations

import json
import random
from typing import Any

from dispatcher.sdk.client.exchange import ConnectionLost, ServerAnswer
from dispatcher.sdk.client.plans import Delay, Plans, Send
from dispatcher.sdk.client.retrying import RetryRule

__all__ = ["LOST", "Play", "job", "problem", "says"]

LOST = ConnectionLost("gone")


class Play:
    """Runs a plan against a list of answers. Each answer takes ``each_s``."""

    def __init__(self, *answers: ServerAnswer | ConnectionLost, each_s: float = 0.0) -> None:
        self.now_s = 1_000.0
        self.sent: list[Send] = []
        self.delays: list[float] = []
        self._answers = list(answers)
        self._each_s = each_s
        self.plans = Plans(
            "http://x", RetryRule(60.0), clock=lambda: self.now_s, wall=lambda: 0.0, rng=random.Random(3)
        )

    def run(self, steps: Any) -> Any:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Delay):
                    self.delays.append(step.seconds)
                    self.now_s += step.seconds
                    step = next(steps)
                    continue
                self.sent.append(step)
                self.now_s += min(self._each_s, step.timeout_s)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                step = steps.throw(answer) if isinstance(answer, ConnectionLost) else steps.send(answer)
        except StopIteration as done:
            return done.value


def says(status: int = 200, body: Any = None, **headers: str) -> ServerAnswer:
    return ServerAnswer(status, {"content-type": "application/json", **headers}, json.dumps(body).encode())


def job(state: str) -> ServerAnswer:
    return says(200, {"id": "j1", "type": "echo", "state": state})


def problem(status: int, code: str, **headers: str) -> ServerAnswer:
    return says(status, {"code": code, "status": status, "detail": "no"}, **headers)
