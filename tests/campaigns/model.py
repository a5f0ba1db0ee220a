"""Random lives of a node, compared after every step with a reference that shares no code with it: ``tests/core``.

Where the simulator runs the whole dispatcher, the model asks the core alone, and more exactly: which attempts end by
a call, who gets a claim, the instant of the next deadline.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Ended
from dispatcher.core.workers import retry
from dispatcher.core.workers.leases import Leases
from dispatcher.core.workers.reconciler import Reconciler
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.core.model.test_model import Node

FORMS = {
    "short": "50 lives of up to 50 steps",
    "default": "2,000 lives of up to 50 steps",
    "long": "10,000 lives of up to 50 steps",
}
LIVES = {"short": 50, "default": 2_000, "long": 10_000}
#: Of a control: it must be found within so many.
CONTROL_LIVES = 400


class Lives:
    """Lives of the model, counted."""

    def __init__(self) -> None:
        self.lives = self.steps = self.jobs = 0
        self.virtual_s = 0.0

    def found(self, lives: int, seed_of_run: int) -> str | None:
        """Plays this many lives. Returns what was found; None: nothing."""
        count = self

        class Counted(Node):
            def __init__(self) -> None:
                super().__init__()
                count.lives += 1

            @invariant()  # type: ignore[untyped-decorator, unused-ignore]
            def is_counted(self) -> None:
                count.steps += 1

            def teardown(self) -> None:
                super().teardown()
                count.jobs += len(self.world.accepted)
                count.virtual_s += self.world.now

        quick: Any = settings(
            max_examples=lives, stateful_step_count=50, deadline=None, database=None, phases=[Phase.generate],
            report_multiple_bugs=False, print_blob=False, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        try:
            run_state_machine_as_test(seed(seed_of_run)(Counted), settings=quick)
        except Exception as error:  # noqa: BLE001 - whatever it is, it was found
            return f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return None


#: A bug, and how it is planted.
CONTROLS = {
    "what a page holds and the server does not know takes no slot": (Reconciler, "_take_for_over", lambda *args: []),
    "nobody listens for heartbeats": (Leases, "beat", lambda *args: None),
    "nobody is told to go": (Leases, "go", lambda *args: []),
    "what was lost after go runs again": (retry, "in_doubt", lambda attempt, cause, detail: _requeued(attempt, cause)),
}


def _requeued(attempt: Any, cause: Any) -> Any:
    return Ended(attempt.id, cause, Event.REQUEUE, attempt.holder())


def _control(name: str) -> Control:
    owner, function, other = CONTROLS[name]
    lives = Lives()
    with mock.patch.object(owner, function, other):
        found = lives.found(CONTROL_LIVES, 1)
    return Control(f"planted: {name}", int(found is not None), lives.lives, "lives until then", why=(found or "")[:100])


def play(form: str, seed_of_run: int) -> Record:
    """The campaign and its controls."""
    began, lives = time.monotonic(), Lives()
    # Hypothesis prints how a failure comes about, and does so again with the same seed.
    found = lives.found(LIVES[form], seed_of_run)
    real_s = time.monotonic() - began
    return Record(
        campaign="model",
        figures=[
            Figure("steps after which core and reference disagreed, or an invariant did not hold",
                   int(found is not None), lives.steps, "steps", "I2 to I33"),
        ],
        measures=[
            Measure("lives", lives.lives, "lives"),
            Measure("jobs in them, all ended in the end", lives.jobs, "jobs"),
            Measure("virtual time", round(lives.virtual_s / 3_600, 1), "hours"),
            Measure("steps per second", round(lives.steps / real_s), "1/s"),
        ],
        controls=[_control(name) for name in random.Random(seed_of_run).sample(sorted(CONTROLS), 1)]
        if form == "short" else [_control(name) for name in CONTROLS],
        violations=[found] if found is not None else [],
        notes=["Each life ends with a drain: all pages go, one comes that can do everything, and every job must end."],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run("model", FORMS, play, None))
