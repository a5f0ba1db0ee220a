"""Bugs planted on purpose: the simulator must find each, or its silence means nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from dispatcher.core import ledger
from dispatcher.core.machine import Machine
from dispatcher.core.turn import Turn, TurnReport
from dispatcher.pages import Pages
from tests.sim.browser import SimPage
from tests.sim.disk import SimStore
from tests.sim.knobs import Knobs

__all__ = ["CONTROLS"]


@contextmanager
def no_fence() -> Iterator[None]:
    """Any attempt's report is taken for the current one's."""
    real = ledger._end

    def end(report: Any, attempt: Any, job: Any, current: bool, *rest: Any) -> Any:
        return real(report, attempt, job, True, *rest)

    with mock.patch.object(ledger, "_end", end):
        yield


@contextmanager
def ack_before_commit() -> Iterator[None]:
    """The report of a turn is acted on before the turn is durable; a crash takes the turn back."""
    real = SimStore._commit

    def commit(store: SimStore, turn: Turn, begun: float, done: Any, report_at: float) -> None:
        world, node = store._node.world, store._node
        saved = _saved(store)
        report: TurnReport = store.write(turn)
        purged, changed = list(store.disk.purged), dict(store.disk.changed)
        world.events.later(0.0, lambda: node.run("io", lambda: done.set_result(report)))

        def durable() -> None:
            if node.alive:
                store.disk.purged, store.disk.changed = purged, changed
                world.checks.committed(node, turn, report, begun)
            else:
                store.disk.__dict__.update(saved)

        world.events.at(report_at, durable)

    assert real is not commit
    with mock.patch.object(SimStore, "_commit", commit):
        yield


def _saved(store: SimStore) -> dict[str, Any]:
    return copy.deepcopy(store.disk.__dict__)


@contextmanager
def sent_is_delivered() -> Iterator[None]:
    """An offer that was sent is believed to have arrived: it never lapses."""
    real = Machine.written

    def written(self: Machine, attempts: Any, now: float) -> Any:
        effects = real(self, attempts, now)
        for name in attempts:
            self._deadlines.set(("lease", name), now + 1e9)
        return effects

    with mock.patch.object(Machine, "written", written):
        yield


@contextmanager
def identity_ignored() -> Iterator[None]:
    """Each register makes a new worker, whatever the page proves."""
    with (
        mock.patch.object(Pages, "_proves", return_value=False),
        mock.patch.object(Machine, "_admitted", return_value=None),
    ):
        yield


@contextmanager
def stash_before_verdict() -> Iterator[None]:
    """A page forgets a result as soon as the POST that carried it was answered."""
    real = SimPage.posted

    def posted(self: SimPage, batch: Any, now: float) -> None:
        real(self, batch, now)
        for out in batch.outs:
            if out.reports is not None:
                self.stash.pop(out.reports)

    with mock.patch.object(SimPage, "posted", posted):
        yield


def _crashes(knobs: Knobs) -> None:
    knobs.kill_every_s = 10.0


def _losses(knobs: Knobs) -> None:
    knobs.lose_answer = 0.1


def _cancels(knobs: Knobs) -> None:
    knobs.cancel, knobs.never_answer, knobs.ignore_cancels = 0.3, 0.0, 0.9


def _cuts(knobs: Knobs) -> None:
    knobs.cut_poll_every_s = 5.0


#: Name -> (the bug, what must go wrong for it to show).
CONTROLS: dict[str, tuple[Callable[[], AbstractContextManager[None]], Callable[[Knobs], None]]] = {
    "no fence": (no_fence, _cancels),
    "acknowledged before it is durable": (ack_before_commit, _crashes),
    "sent is delivered": (sent_is_delivered, _losses),
    "identity ignored": (identity_ignored, _cuts),
    "stash deleted before the verdict": (stash_before_verdict, _crashes),
}
