"""All kinds of stores do the same: random turns bring the same reports and the same views on each kind.

A turn's items are drawn as small numbers and become jobs, attempts and commands of what the run has so far, so that
any two draws make sense; ids differ between the kinds and are compared by the order in which they first appear.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from hypothesis import given, note
from hypothesis import strategies as st
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import (
    Amend,
    Cancel,
    Cause,
    Command,
    Decide,
    Delete,
    Demand,
    Ended,
    Logged,
    OfferedTypes,
    Progressed,
    Reopen,
    Report,
    Retry,
    Started,
    TurnReport,
)
from dispatcher.core.jobs.validate import Snapshot, count_faults, history_faults, snapshot_faults
from tests.store.contract import HOLDER, KINDS, Desk, error, lapsed, lost, released, result
from tests.support.jobs import spec

TYPES = ("a", "b", "c")
#: Lanes of jobs that were changed.
IN_BERLIN = tuple(f'{name} {{"site":"berlin"}}' for name in TYPES)
LIMITS = {"queue_depth": 12, "queue_bytes": 400}
#: Now and then an item is one that no store can hold.
BAD = "\ud800"


class Draw(NamedTuple):
    """One turn, before the run has given its numbers a meaning."""

    pause_s: float
    reports: Sequence[tuple[int, int]]
    commands: Sequence[tuple[int, int]]
    submissions: Sequence[JobSpec]
    demand: Sequence[Demand]


_texts = st.sampled_from(["1", '"x"', '{"a": 1.0}', '"€"', '"' + "y" * 100 + '"', f'"{BAD}"'])
_specs = st.builds(
    spec,
    type=st.sampled_from(TYPES),
    data=_texts,
    priority=st.sampled_from([0, 0, 0, 1, -1, 1000]),
    delay_s=st.sampled_from([0.0, 0.0, 0.0, 3.0, 10.0]),
    expires_s=st.sampled_from([None, None, 2.0, 12.0]),
    # The core decides how many are allowed: no run has so many.
    max_attempts=st.just(100),
    max_crashes=st.just(100),
    effects=st.sampled_from(["repeat", "once"]),
    key=st.sampled_from([None, None, None, "k1", "k2"]),
    fingerprint=st.sampled_from(["f", "f", "g"]),
)
_pair = st.tuples(st.integers(0, 30), st.integers(0, 10))
_demand = st.builds(
    Demand,
    pool=st.integers(1, 3),
    lanes=st.lists(st.sampled_from([*TYPES, *IN_BERLIN]), min_size=1, max_size=3, unique=True).map(tuple),
    room=st.integers(0, 3),
)
_turns = st.lists(
    st.builds(
        Draw,
        pause_s=st.sampled_from([0.0, 0.0, 0.5, 5.0, 70.0]),
        reports=st.lists(_pair, max_size=4),
        commands=st.lists(_pair, max_size=2),
        submissions=st.lists(_specs, max_size=3),
        demand=st.lists(_demand, max_size=3),
    ),
    max_size=15,
)


class Run:
    """One kind of store, and what it has answered so far."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.jobs: list[str] = []
        self.attempts: list[str] = []
        #: The ones among them that belong to jobs with effects once.
        self.once: set[str] = set()
        #: The rows after the turn before, and jobs that were retried or changed since, and removed.
        self.seen: Snapshot | None = None
        self.by_hand: set[str] = set()
        self.removed: set[str] = set()

    def turn(self, draw: Draw, now_at: float, elapsed_s: float) -> TurnReport:
        """Gives the draw its meaning and applies it."""
        self.desk.now_at, self.desk.elapsed_s = now_at, elapsed_s
        commands = [self._command(*pair) for pair in draw.commands]
        self.by_hand = {command.job for command in commands if isinstance(command, Retry | Amend | Reopen)}
        self.removed = {command.job for command in commands if isinstance(command, Delete)}
        report = self.desk.turn(
            reports=[self._report(*pair) for pair in draw.reports],
            commands=commands,
            submissions=draw.submissions,
            demand=draw.demand,
        )
        for accepted in report.accepted:
            if accepted.job is not None and accepted.job.id not in self.jobs:
                self.jobs.append(accepted.job.id)
        self.attempts += [claim.attempt for claim in report.claims]
        self.once |= {claim.attempt for claim in report.claims if claim.terms.once}
        return report

    def _report(self, which: int, what: int) -> Report:
        name = _one_of(self.attempts, which)
        made: list[Report] = [
            Started(name, HOLDER),
            Progressed(name, float(which), None),
            # Never a bad note: a later one of the same turn may hide it from a store that writes rows, not items.
            Progressed(name, None, "note"),
            Logged(name, BAD if which % 7 == 3 else "line"),
            result(name, f'"{BAD}"' if which % 7 == 3 else '"done"'),
            result(name, "2", holder=None),
            error(name, delay_s=3.0),
            error(name, delay_s=None),
            lost(name),
            [lapsed, released][which % 2](name),
            Ended(name, Cause.LOST, Event.DOUBT, HOLDER, reason="lost") if name in self.once else lost(name),
        ]
        return made[what]

    def _command(self, which: int, what: int) -> Command:
        name = _one_of(self.jobs, which)
        if what == 0:
            return OfferedTypes(TYPES[: which % 3 + 1])
        if what > 8:
            return Reopen(name, "I erred") if what % 2 else Decide(name, None, "I looked")
        if what > 6:
            return Delete(name, free_key=bool(which % 2))
        if what > 3:
            return _amend(name, which)
        return Retry(name) if what % 2 else Cancel(name, BAD if which % 7 == 3 else "reason")

    # -- what is compared

    def plain(self, value: Any) -> Any:
        """A value with its ids replaced by the order of their first appearance."""
        known = {name: f"job {n}" for n, name in enumerate(self.jobs)}
        known |= {name: f"attempt {n}" for n, name in enumerate(self.attempts)}
        return _replaced(msgspec.to_builtins(value), known)

    def views(self) -> Any:
        """All that can be read of the store."""
        desk = self.desk
        kept = {row.id: row.evidence for rows in desk.rows().attempts.values() for row in rows}
        types = [
            (view.type, view.offered_at, {state: n for state, n in view.counts.items() if n})
            for view in desk.run(desk.store.types())
        ]
        return self.plain(
            {
                "jobs": [desk.run(desk.store.job(name)) for name in self.jobs],
                "list": desk.listed(limit=3),
                "lists": [desk.listed(states=(state,), type="a", limit=2) for state in JobState],
                "counts": desk.counts(),
                "types": types,
                "evidence": [kept.get(name) for name in self.attempts],
            }
        )


def _amend(job: str, which: int) -> Amend:
    changes: list[dict[str, Any]] = [
        {"priority": which},
        {"delay_s": float(which % 4)},
        {"expires_s": 5.0},
        {"expires_s": None, "delay_s": 0.0},
        {"requires": (("site", ("berlin",)),), "priority": 1},
        {"requires": ()},
    ]
    return Amend(job=job, **changes[which % len(changes)])


def _one_of(names: Sequence[str], which: int) -> str:
    """The newest one for 0; now and then one that never existed."""
    return names[-1 - which % len(names)] if names and which < 28 else "unknown"


def _replaced(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, dict):
        # A file names no node, for it has one.
        return {name: _replaced(item, known) for name, item in value.items() if name != "node"}
    if isinstance(value, list | tuple):
        return [_replaced(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


def _check_rows(run: Run, report: TurnReport) -> None:
    """Checks what holds in any store after any turn, and that it announces the next turn in time."""
    rows = run.desk.rows()
    faults = snapshot_faults(rows) + count_faults(rows.jobs.values(), run.desk.counts())
    if run.seen is not None:
        faults += history_faults(run.seen, rows, by_hand=run.by_hand, removed=run.removed)
    assert not faults, faults
    run.seen = rows
    jobs = list(rows.jobs.values())
    waiting = [job for job in jobs if job.state in (JobState.SCHEDULED, JobState.QUEUED)]
    backing_off = [job for job in waiting if job.backoff_until is not None]
    assert (report.next_backoff_s is not None) >= bool(backing_off)
    runs = [job.run_at for job in waiting if job not in backing_off]
    instants = [at for at in runs + [job.expires_at for job in waiting] if at is not None]
    # A sweep that comes too early does nothing; one that comes too late is a job that starts too late.
    if instants:
        assert report.next_due_at is not None
        assert report.next_due_at <= min(instants)


def _desks(directory: str) -> Iterator[Run]:
    for kind in KINDS:
        place = Path(directory, kind.name)
        place.mkdir()
        yield Run(Desk(kind, place, **LIMITS))


#: All that can be read is compared behind every third turn, and behind the last one: it costs as much as the turns.
_VIEWED_EACH = 3


def _play(runs: list[Run], draws: list[Draw]) -> None:
    now_at, elapsed_s = runs[0].desk.now_at, 0.0
    for number, draw in enumerate(draws, 1):
        now_at, elapsed_s = now_at + draw.pause_s + 0.01, elapsed_s + draw.pause_s
        reports = [run.turn(draw, now_at, elapsed_s) for run in runs]
        for run, report in zip(runs, reports, strict=True):
            _check_rows(run, report)
        # The next instant may come too early, and need not be the same: see _check_rows.
        plain = [
            run.plain(replace(report, next_due_at=None, next_backoff_s=None))
            for run, report in zip(runs, reports, strict=True)
        ]
        note(f"{draw} -> {plain[0]}")
        assert all(report == plain[0] for report in plain)
        if number % _VIEWED_EACH == 0 or number == len(draws):
            views = [run.views() for run in runs]
            assert all(view == views[0] for view in views)


@given(_turns)
def test_every_kind_of_store_answers_the_same_to_the_same_turns(draws: list[Draw]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        runs = list(_desks(directory))
        try:
            _play(runs, draws)
        finally:
            for run in runs:
                run.desk.end()
