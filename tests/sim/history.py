"""The histories that submitters and pages have seen with their own eyes; nothing here is read from the server."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import FINAL
from dispatcher.store.attempts import job_of

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["History"]


class History:
    """The histories that the rows are checked against."""

    def __init__(self, world: World) -> None:
        self.world = world
        #: Token -> what was asked for; token -> job that the answer named.
        self.submitted: dict[str, JobSpec] = {}
        self.acked: dict[str, str] = {}
        #: Jobs that retention has removed, rightly.
        self.purged: set[str] = set()
        #: Attempts in the order of their offers' arrival at a page.
        self.offered: list[str] = []
        #: Attempt -> instant at which a page first said that it accepts.
        self.accepted_at: dict[str, float] = {}
        #: Attempt -> values (JSON text) that pages sent as its result.
        self.sent: dict[str, set[str]] = {}
        #: Job -> (boot, attempt) of every start of a task.
        self.executions: dict[str, list[tuple[str, str]]] = {}
        self._executed: set[str] = set()
        #: Job -> results (JSON text) that people decided on.
        self.decided: dict[str, set[str]] = {}
        #: Attempts that a lie was told about.
        self.lied: set[str] = set()
        #: Boot -> instant of the last sign that its page may be gone.
        self.evidence: dict[str, float] = {}
        #: Session -> since when a proxy has closed the connection of its last poll, and no other poll has come.
        self.parted: dict[str, float] = {}
        #: Boots whose page was loaded anew or closed.
        self.dead_boots: set[str] = set()
        #: Job -> final state and result that a submitter was shown.
        self._final: dict[str, tuple[str, str | None]] = {}
        self._boots: dict[str, set[str]] = {}
        self._answers = 0

    def answer(self, job_type: str, data: str) -> str:
        """The answer of an honest page's task: a new one each time."""
        self._answers += 1
        return f'{{"n":{self._answers},"of":{data}}}'

    def registers(self, boot: str, worker: str | None) -> None:
        """A boot says whose window it is, or is told so."""
        if worker is not None:
            self._boots.setdefault(worker, set()).add(boot)

    def has_rivals(self, boot: str) -> bool:
        """Whether another boot has claimed the same worker: a frozen page is then taken for gone (S12)."""
        return any(boot in boots and len(boots) > 1 for boots in self._boots.values())

    def executed(self, boot: str, attempt: str, job: str) -> None:
        # A quick task starts without an accept; its time counts from here.
        self.accepted_at.setdefault(attempt, self.world.now)
        if attempt in self._executed:
            self.world.broken(f"{attempt} was started twice")
        self._executed.add(attempt)
        self.world.checks.once.started(attempt)
        self.executions.setdefault(job, []).append((boot, attempt))

    def by_hand(self, job: JobRow) -> bool:
        """Whether its result is one that a person decided on, or adopted from a page's late answer."""
        result = self.world.disk.rows.results.get(job.seq)
        if job.reason == "decided":
            return result in self.decided.get(job.id, ())
        late = (values for attempt, values in self.sent.items() if job_of(attempt) == job.seq)
        return job.reason == "adopted" and any(result in values for values in late)

    def acknowledged(self, token: str, job: str) -> None:
        earlier = self.acked.setdefault(token, job)
        if earlier != job and earlier not in self.purged:
            self.world.broken(f"{token} was acknowledged as {earlier} and as {job}")
        self.acked[token] = job
        if job not in self.world.disk.rows.by_id and job not in self.purged:
            self.world.broken(f"I1: {job} was acknowledged, and the rows do not have it")

    def told(self, attempt: str, verdict: str) -> None:
        """A page got a verdict: what is said to be recorded must be in the rows (they are durable)."""
        if verdict not in ("recorded", "duplicate"):
            return
        row = self.world.disk.rows.all_attempts.get(attempt)
        known = row is not None and (row.cause in ("succeeded", "error") or row.late_at is not None)
        if not known and not self.purged:
            self.world.broken(f"a page was told that {attempt} is {verdict}, and the rows do not know it")

    def saw(self, job: JobView) -> None:
        """A submitter was shown a job."""
        if job.state not in FINAL or job.id in self.world.checks.retried:
            return
        shown = (str(job.state), job.result)
        if self._final.setdefault(job.id, shown) != shown:
            self.world.broken(f"{job.id} was {self._final[job.id]} and is {shown}")

    def repeated_executions(self) -> Counter[str]:
        """Executions beyond the first of each job, by how the attempt before them had ended."""
        causes: Counter[str] = Counter()
        attempts = self.world.disk.rows.all_attempts
        for starts in self.executions.values():
            for (boot, attempt), (_, later) in itertools.pairwise(starts):
                row, next_row = attempts.get(attempt), attempts.get(later)
                cause = "purged" if row is None else str(row.cause)
                if cause == "lost":
                    cause += ", page gone" if boot in self.dead_boots else ", page not heard of"
                if next_row is not None and next_row.cause == "lapsed":
                    cause = "started after its offer had lapsed"
                causes[cause] += 1
        return causes
