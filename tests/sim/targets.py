"""Pages with labels, and jobs for some of them (S29): who is offered what, as pages and submitters see it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from dispatcher.core.jobs.matching import Requirement, matches, requirement_of, said
from dispatcher.core.jobs.rows import JobRow, lane_of_row
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Turn, TurnReport

if TYPE_CHECKING:
    from tests.sim.browser import Window
    from tests.sim.world import World

__all__ = ["KINDS", "Face", "Targets"]

#: So few that pages share them, and so many that some are often not there.
_SITES, _PRINTERS, _NAMES = ("berlin", "paris"), ("brother", "zebra"), ("DESK-1", "DESK-2", "DESK-3")
#: With more jobs in the queue, none is given that requires something.
_MOST_QUEUED = 30
#: The pages that are there have so long for a job, once everything is healed. Then a new one comes for it.
_PATIENCE_S = 300.0

#: What a job may require, and how it is counted.
KINDS: Mapping[str, tuple[Mapping[str, str | tuple[str, ...]], ...]] = {
    "one label": ({"site": "berlin"}, {"site": "paris"}, {"printer": "zebra"}),
    "several labels": tuple({"site": site, "printer": printer} for site in _SITES for printer in _PRINTERS),
    "any of several": ({"printer": _PRINTERS}, {"site": ("oslo", "paris")}, {"name": _NAMES[:2], "site": _SITES}),
    "a name": tuple({"name": name} for name in _NAMES),
    "nobody until the heal": ({"name": "NOBODY"}, {"site": "berlin", "printer": "oki"}),
}
_WEIGHTS = (4, 3, 3, 4, 1)


class Face(Struct, frozen=True):
    """What a page says of itself: its name and its labels."""

    name: str
    labels: Mapping[str, str] = {}

    def has(self, requirement: Requirement) -> bool:
        """Whether it is one that the job is for."""
        return matches(requirement, self.labels, self.name)


class Targets:
    """Draws the labels and what is required, and watches the offers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rng = random.Random(f"targets of {world.seed}")
        self._healed_at: float | None = None
        #: Jobs that are for nobody, and are cancelled for it: what they require.
        self._given_up: dict[Requirement, bool] = {}
        self._cancelled: set[str] = set()
        self._brought: list[Window] = []

    # -- pages

    def face(self, name: str) -> Face:
        """Of a new page; ``name``: its own, if it has no label."""
        rng = self._rng
        if not self.world.knobs.labelled or rng.random() < 0.1:
            return Face(name)
        labels = {"site": rng.choice(_SITES), "printer": rng.choice(_PRINTERS)}
        kept = {label: value for label, value in labels.items() if rng.random() < 0.8}
        return Face(rng.choice(_NAMES) if rng.random() < 0.7 else name, kept)

    def again(self, window: Window) -> Face:
        """Of a page that is loaded anew, or comes back."""
        if self._rng.random() >= self.world.knobs.relabel:
            return window.face
        self.world.count("pages loaded with other labels")
        return self.face(window.name)

    def switch_off(self, window: Window) -> None:
        """Somebody switches a page's machine off, and on again after a while; those who need it wait."""
        self.world.count("pages switched off for a while")
        window.crash()
        self.world.events.later(self._rng.choice((5.0, 30.0, 120.0)), lambda: self._switch_on(window))

    def _switch_on(self, window: Window) -> None:
        if not self.world.over:
            self.world.open_window(window.types, face=self.again(window), identity=window.page.identity)

    # -- jobs

    def requirement(self) -> Requirement:
        """Of a new job."""
        rng, world = self._rng, self.world
        if rng.random() >= world.knobs.labelled or len(world.disk.rows.waiting) > _MOST_QUEUED:
            return ()
        [kind] = rng.choices(list(KINDS), _WEIGHTS)
        required = requirement_of(rng.choice(KINDS[kind]))
        world.count(f"jobs for {kind}")
        if not any(window.face.has(required) for window in self._there()):
            world.count("jobs for a page that was not there")
        return required

    def _there(self) -> list[Window]:
        return [window for window in self.world.windows if not window.gone]

    # -- offers

    def offered(self, window: Window, message: Mapping[str, Any]) -> None:
        """I21: a page was offered a job: one that it matches, as it registered in this session."""
        data = message["data"]
        spec = self.world.history.submitted.get(data["token"]) if isinstance(data, dict) else None
        if spec is None or not spec.terms.requires:
            return
        self.world.count("offers of jobs that require labels")
        if not any(face.has(spec.terms.requires) for face in window.faces):
            what = f"{message['attempt']} requires {said(spec.terms.requires)}"
            self.world.broken(f"I21: {what}, and was offered to {window.faces}")

    def claimed(self, turn: Turn, report: TurnReport) -> None:
        """I32: of the jobs that a page could take, it gets the first; others stand in nobody's way."""
        rows = self.world.disk.rows
        last: dict[int, tuple[float, int]] = {}
        for claim in report.claims:
            place = _place(rows.by_seq[rows.by_id[claim.job]])
            last[claim.pool] = max(place, last.get(claim.pool, place))
        if not last:
            return
        lanes = {pool: [d.lanes for d in turn.demand if d.pool == pool] for pool in last}
        for row in rows.waiting.values():
            lane, place = lane_of_row(row), _place(row)
            if any(place < last[pool] and any(lane in wanted for wanted in lanes[pool]) for pool in last):
                self.world.broken(f"I32: {row.id} was overtaken")

    # -- the end

    def watch(self) -> None:
        """Once everything is healed: for whom there is nobody, somebody comes, or the job is cancelled."""
        if not self.world.over:
            return
        self._healed_at = self._healed_at or self.world.now
        for row in list(self.world.disk.rows.by_seq.values()):
            if row.state in (JobState.QUEUED, JobState.SCHEDULED) and row.terms.requires:
                self._help(row, row.terms.requires)

    def _help(self, row: JobRow, required: Requirement) -> None:
        assert self._healed_at is not None
        there = any(window.face.has(required) and row.type in window.types for window in self._there())
        if there and self.world.now < self._healed_at + _PATIENCE_S:
            return
        if not there and self._given_up.setdefault(required, self._rng.random() < 0.5):
            self._cancel(row.id)
        elif not any(window.face.has(required) and not window.gone for window in self._brought):
            self._bring(required)

    def _cancel(self, job: str) -> None:
        if job not in self._cancelled:
            self._cancelled.add(job)
            self.world.count("jobs for nobody, cancelled in the end")
        self.world.submitter.cancel(job)

    def _bring(self, required: Requirement) -> None:
        self.world.count("pages brought in the end, for jobs that waited for their labels")
        labels = {label: self._rng.choice(values) for label, values in required}
        face = Face(labels.pop("name", f"page{len(self.world.windows)}"), labels)
        self._brought.append(self.world.open_window(self.world.types, face=face))


def _place(row: JobRow) -> tuple[float, int]:
    return (row.rank or 0.0, row.seq)
