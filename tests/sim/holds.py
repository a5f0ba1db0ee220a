"""Operators pause workers, and the people at their pages end that: durably, and no other pause than they mean (S38)."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.kept import KeptWorker
from dispatcher.errors import Draining, PagehandError, StorageTrouble, WorkerNotFound
from dispatcher.sdk.simulator.page import Page
from dispatcher.sdk.simulator.wire import encode

if TYPE_CHECKING:
    from tests.sim.browser import Window
    from tests.sim.world import World

__all__ = ["HeldPage", "Holds"]

_EXPECTED = (WorkerNotFound, StorageTrouble, Draining)
#: How long a page waits for the server's word before it says again that its person has ended a pause.
_REPEAT_S = 5.0


class HeldPage(Page):
    """Hears of holds, as worker.js does."""

    world: World
    window: Window

    def received(self, text: str, now: float) -> None:
        super().received(text, now)
        self.world.holds.heard(self.window, json.loads(text))


class Holds:
    """All holds of a run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = random.Random(f"holds of {world.seed}")
        #: By window: the hold that it shows, and the one that its person has ended. The latter outlives loads.
        self.shown: dict[Window, int] = {}
        self.ended: dict[Window, int] = {}
        #: (worker, since when): pages were told that these are over.
        self.over: set[tuple[str, int]] = set()

    def pause(self) -> None:
        """An operator pauses a worker that is here."""
        node = self.world.some_operator().node
        workers = sorted(node.machine.workers) if node is not None and node.listening else []
        if workers:
            worker = self.rng.choice(workers)
            self.world.submitter.call(lambda d: d.orders.pause(worker, "", actor=Actor("ann")), self._ordered)

    def _ordered(self, outcome: Any) -> None:
        if isinstance(outcome, PagehandError) and not isinstance(outcome, _EXPECTED):
            self.world.broken(f"a worker is paused: {outcome!r}")

    # -- at the page

    def heard(self, window: Window, message: dict[str, Any]) -> None:
        if message["op"] == "registered":
            self.shown.pop(window, None)  # if one holds, the server says so next
        if message["op"] != "hold":
            return
        was = self.shown.pop(window, None)
        identity = window.page.identity
        assert identity is not None
        if not message["paused"]:
            self._is_over(identity.worker, was) if was is not None and was == self.ended.get(window) else None
            return
        self.world.count("pages that heard of a pause")
        since = self.shown[window] = message["since_ms"]
        if since == self.ended.get(window):
            self._say(window, since)
        else:
            self.world.events.later(self.rng.uniform(0.5, 20.0), lambda: self._press(window, since))

    def _press(self, window: Window, since: int) -> None:
        """The person resumes."""
        if self.shown.get(window) == since and not window.gone and not window.frozen:
            self.ended[window] = since
            window.pause(False)
            self._say(window, since)

    def _say(self, window: Window, since: int) -> None:
        if self.shown.get(window) != since or window.gone or self.ended.get(window) != since:
            return
        if window.page.registered and not window.frozen:
            self.world.count("pauses of operators that people end")
            window.page.send(encode("resume", held_since_ms=since))
            window._do(window._pump)
        self.world.events.later(_REPEAT_S, lambda: self._say(window, since))

    # -- what must hold

    def _is_over(self, worker: str, since: int) -> None:
        self.world.count("pauses of operators that people have ended")
        self.over.add((worker, since))
        self._look(self.world.disk.rows.kept._workers.behind("", 1_000), "is kept")

    def check(self) -> None:
        """Now and then: what is over stays over, on the disk and after every restart."""
        self._look(self.world.disk.rows.kept._workers.behind("", 1_000), "is kept")
        for node in self.world.nodes():
            self._look(node.machine.operators.kept.values(), "counts")

    def _look(self, kept: Iterable[KeptWorker], what: str) -> None:
        held = {(one.id, one.paused.since_ms) for one in kept if one.paused is not None}
        if held & self.over:
            self.world.broken(f"S38: a page was told that it is over, and it {what}: {sorted(held & self.over)}")
