"""Jobs with effects ``once`` (S15b): after ``go`` no second start anywhere, unless a person wants it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import Cause, Decide, Ended, Reopen, Retry, Turn

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["Once"]

#: (job, how often a person had wanted it run again)
Round = tuple[str, int]

#: Ends after which nobody knows whether the effect has happened, if the page was told to go.
_UNANSWERED = (Cause.LOST, Cause.TIMED_OUT, Cause.RELEASED)


class Once:
    """Counts starts by round: what pages were told and did, not what the server believes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._rounds: Counter[str] = Counter()
        #: Jobs that somebody has had run again, and that no page has got since.
        self._wanted: set[str] = set()
        self._round_of: dict[str, Round] = {}
        #: Rounds, and attempts, of which a page has heard ``go``.
        self._told: set[Round | str] = set()
        self._starts: Counter[Round] = Counter()

    def wanted_again(self, job: str) -> None:
        """A person's decision, durably."""
        self._rounds[job] += 1
        self._wanted.add(job)

    def decided(self, job: str, before: JobRow | None, turn: Turn) -> None:
        """Somebody has settled a doubt. ``before``: the turn."""
        doubtful = before is not None and before.state is JobState.IN_DOUBT
        doubtful = doubtful or any(isinstance(said, Ended) and said.event is Event.DOUBT for said in turn.reports)
        if not doubtful and not any(isinstance(c, Reopen) and c.job == job for c in turn.commands):
            self.world.broken(f"S15b: {job} was decided, and was {before and before.state}")

    def taken_back(self, job: str, before: JobRow | None, turn: Turn) -> None:
        """A decision was taken back: if it was that the job runs again, nobody wants that. ``before``: the turn."""
        decided = (
            before is not None and before.reason == "decided" and before.state in ("succeeded", "failed", "queued")
        )
        if not decided and not any(isinstance(c, Decide | Retry) and c.job == job for c in turn.commands):
            self.world.broken(f"S15b: a decision about {job} was taken back, and it was {before and before.state}")
        if job in self._wanted:
            self._rounds[job] -= 1
            self._wanted.discard(job)

    def claimed(self, job: JobRow, attempt: str) -> None:
        if job.terms.effects != "once":
            return
        self._wanted.discard(job.id)
        this = (job.id, self._rounds[job.id])
        self._round_of[attempt] = this
        if this in self._told:
            self.world.broken(f"S15b: {job.id} is claimed again although its page was told to go")

    def told_to_go(self, attempt: str, *, polls: bool) -> None:
        """A page has heard ``go``. On a socket it also says that an accept has arrived, whatever the job's effects."""
        this = self._round_of.get(attempt)
        if this is None:
            if polls:
                self.world.broken(f"S15b: a page was told to go with {attempt}, and nobody had asked for that")
            return
        self._told |= {this, attempt}

    def started(self, attempt: str) -> None:
        """A page has started its task."""
        this = self._round_of.get(attempt)
        if this is None:
            return
        self.world.count("starts of jobs with effects once")
        self._starts[this] += 1
        if attempt not in self._told:
            self.world.broken(f"S15b: {attempt} was started before its page was told to go")
        if self._starts[this] > 1:
            self.world.broken(f"S15b: {this[0]} has effects once and was started {self._starts[this]} times")

    def ended(self, said: Ended, job: JobRow) -> None:
        """An end was recorded."""
        if said.attempt in self._told and said.cause in _UNANSWERED and said.event is not Event.DOUBT:
            self.world.broken(f"S15b: {said.attempt} was told to go and {said.cause}, and that is no doubt")
        if said.event is Event.DOUBT:
            self.world.count("jobs in doubt")
        if job.state is JobState.IN_DOUBT and job.terms.effects != "once":
            self.world.broken(f"S15b: {job.id} is in doubt, and may be repeated")
