"""The contract of ``dispatcher.store.port.Store``, as a hand on the crank: each call of a ``Desk`` is one turn.

The suite (``test_contract*.py``) runs on every kind in ``KINDS`` and knows none of them: a kind is a name, an address
for ``open_store`` and a way to look at what the port does not show. The clock is turned by hand; ids are counted.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dispatcher.core.jobs.model import JobFilter, JobSpec, JobView
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import (
    Accepted,
    Cause,
    Claim,
    Command,
    CommandReport,
    Demand,
    Ended,
    Holder,
    Report,
    Started,
    Turn,
    TurnReport,
    Verdict,
)
from dispatcher.core.jobs.validate import Snapshot, snapshot_faults
from dispatcher.store.applier.hand import Ids
from dispatcher.store.memory import MemoryStore
from dispatcher.store.opening import open_store
from dispatcher.store.port import Limits, Store
from dispatcher.store.postgres.store import PostgresStore
from dispatcher.store.sqlite.store import SqliteStore
from tests.support.jobs import spec
from tests.support.postgres import empty_database, new_database
from tests.support.rows import in_database, in_memory, in_postgres

__all__ = [
    "DURABLE",
    "FROM_NOTHING",
    "HOLDER",
    "KINDS",
    "MEMORY",
    "NOW",
    "POSTGRES",
    "SQLITE",
    "Desk",
    "Kind",
    "error",
    "lapsed",
    "lost",
    "released",
    "result",
]

NOW = 1_800_000_000.0
HOLDER = Holder("worker-1", "Anna", "boot-1")


class Kind(NamedTuple):
    """An implementation of the port."""

    name: str
    #: Whether written rows survive ``close``.
    durable: bool
    #: Directory -> the address of a new store in it.
    url: Callable[[Path], str]
    #: All of a store's rows; the port does not show them.
    rows: Callable[[Any], Awaitable[Snapshot]]


async def _memory_rows(store: MemoryStore) -> Snapshot:
    return in_memory(store.rows)


async def _sqlite_rows(store: SqliteStore) -> Snapshot:
    return await store._thread.run(lambda: in_database(store._db))


async def _postgres_rows(store: PostgresStore) -> Snapshot:
    return await store._thread.run(lambda: in_postgres(store._link))


MEMORY = Kind("memory", False, lambda tmp: "memory:", _memory_rows)
SQLITE = Kind("sqlite", True, lambda tmp: f"sqlite:///{tmp}/jobs.db", _sqlite_rows)
POSTGRES = Kind("postgresql", True, lambda tmp: new_database(), _postgres_rows)
KINDS = (MEMORY, SQLITE, POSTGRES)
DURABLE = tuple(kind for kind in KINDS if kind.durable)
#: The same where nothing is: the store itself makes all of it.
FROM_NOTHING = (SQLITE, POSTGRES._replace(url=lambda tmp: empty_database()))


def result(attempt: str, value: str = '"done"', holder: Holder | None = HOLDER) -> Ended:
    """The report that the core makes of a page's result."""
    return Ended(attempt, Cause.SUCCEEDED, Event.SUCCEED, holder, value=value, implies_accept=True)


def error(attempt: str, *, delay_s: float | None = 2.0, text: str = '{"message":"no"}') -> Ended:
    """The report that the core makes of an error; ``delay_s`` None: the job has failed."""
    event = Event.FAIL if delay_s is None else Event.BACK_OFF
    return Ended(
        attempt, Cause.ERROR, event, HOLDER, delay_s=delay_s or 0.0,
        reason="error", detail="no", error=text, counts_error=True, implies_accept=True,
    )  # fmt: skip


def lost(attempt: str, *, poison: bool = False, counts: bool = True) -> Ended:
    """The page went away."""
    event, reason = (Event.FAIL, "poison") if poison else (Event.REQUEUE, None)
    return Ended(attempt, Cause.LOST, event, HOLDER, reason=reason, detail="gone", counts_crash=counts)


def lapsed(attempt: str) -> Ended:
    """Nobody accepted the offer."""
    return Ended(attempt, Cause.LAPSED, Event.REQUEUE, detail="nobody accepted")


def released(attempt: str) -> Ended:
    """The page gave it back."""
    return Ended(attempt, Cause.RELEASED, Event.REQUEUE, HOLDER, detail="declined")


class Desk:
    """One store, and the clocks and ids that it is given."""

    def __init__(self, kind: Kind, tmp: Path, **limits: Any) -> None:
        self.kind = kind
        self.now_at = NOW
        self.elapsed_s = 0.0
        self._url = kind.url(tmp)
        self._limits = Limits(**limits)
        self._runner = asyncio.Runner()
        self._job_ids: Iterator[str] = (f"job-{n}" for n in itertools.count(1))
        self._attempt_ids = (f"{n:032x}" for n in itertools.count(1))
        self._is_open = False
        self.open()

    # -- life

    def open(self, **limits: Any) -> None:
        """Opens the store, with these limits from now on."""
        if limits:
            self._limits = Limits(**limits)
        self.store: Store = self.run(
            open_store(
                self._url,
                limits=self._limits,
                ids=Ids(lambda: next(self._job_ids), lambda: next(self._attempt_ids)),
                new_key=lambda: b"k" * 32,
            )
        )
        self._is_open = True
        self.elapsed_s = 0.0

    def close(self) -> None:
        """Closes the store."""
        if self._is_open:
            self._is_open = False
            self.run(self.store.close())

    def reopen(self, **limits: Any) -> None:
        """Closes and opens the store, as a restart of the server does."""
        self.close()
        self.open(**limits)

    def end(self) -> None:
        """After the test."""
        self.close()
        self._runner.close()

    def run(self, awaitable: Any) -> Any:
        """Waits for a call of the store."""

        async def wait() -> Any:
            return await awaitable

        return self._runner.run(wait())

    def pass_time(self, seconds: float) -> None:
        """Turns both clocks."""
        self.now_at += seconds
        self.elapsed_s += seconds

    # -- turns

    def make_turn(
        self,
        *,
        reports: Sequence[Report] = (),
        commands: Sequence[Command] = (),
        submissions: Sequence[JobSpec] = (),
        demand: Sequence[Demand] = (),
    ) -> Turn:
        """A turn at the desk's instant, which then passes: no two turns have the same."""
        turn = Turn(
            epoch=self.store.epoch,
            now_at=self.now_at,
            elapsed_s=self.elapsed_s,
            reports=list(reports),
            commands=list(commands),
            submissions=list(submissions),
            demand=list(demand),
        )
        self.pass_time(0.001)
        return turn

    def turn(self, **items: Any) -> TurnReport:
        """Applies one turn with these items."""
        return self.run(self.store.apply(self.make_turn(**items)))

    def submit(self, *specs: JobSpec) -> list[JobView]:
        """Submits jobs that must be accepted."""
        jobs = [self.taken(accepted) for accepted in self.turn(submissions=specs or [spec()]).accepted]
        return jobs

    @staticmethod
    def taken(accepted: Accepted) -> JobView:
        """The job of a submission that must have been accepted."""
        assert accepted.job is not None, accepted
        return accepted.job

    def claim(self, room: int = 1, *lanes: str) -> list[Claim]:
        """Claims for one pool."""
        return self.turn(demand=[Demand(1, lanes or ("echo",), room)]).claims

    def claim_one(self, *lanes: str) -> Claim:
        """Claims exactly one job."""
        (claim,) = self.claim(1, *lanes)
        return claim

    def start(self, **fields: Any) -> Claim:
        """A job that a page has accepted."""
        self.submit(spec(**fields))
        claim = self.claim_one()
        assert self.report(Started(claim.attempt, HOLDER)) is Verdict.RECORDED
        return claim

    def report(self, report: Report) -> Verdict:
        """One report in a turn of its own."""
        (settled,) = self.turn(reports=[report]).verdicts
        assert settled.attempt == report.attempt
        return settled.verdict

    def command(self, command: Command) -> CommandReport:
        """One command in a turn of its own."""
        (report,) = self.turn(commands=[command]).commands
        return report

    # -- reads

    def job(self, job_id: str) -> JobView:
        """A job that exists."""
        found: JobView | None = self.run(self.store.job(job_id))
        assert found is not None, f"{job_id} is not there"
        return found

    def states(self, *job_ids: str) -> list[str]:
        """The states of these jobs."""
        return [str(self.job(job_id).state) for job_id in job_ids]

    def counts(self) -> dict[str, int]:
        """The counts of jobs by state; states without jobs are left out."""
        counts: dict[str, int] = self.run(self.store.counts())
        assert set(counts) == {str(state) for state in JobState}
        return {state: number for state, number in counts.items() if number}

    def pages(self, **fields: Any) -> Iterator[list[JobView]]:
        """A list, page by page, along its cursors."""
        cursor: str | None = None
        while True:
            page = self.run(self.store.jobs(JobFilter(cursor=cursor, **fields)))
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def listed(self, **fields: Any) -> list[JobView]:
        """A whole list."""
        return [job for page in self.pages(**fields) for job in page]

    def rows(self) -> Snapshot:
        """All rows, as they are now."""
        rows: Snapshot = self.run(self.kind.rows(self.store))
        return rows

    def faults(self) -> list[str]:
        """What is wrong with the rows of a store that is open."""
        return snapshot_faults(self.rows()) if self._is_open else []

    def evidence(self, attempt: str) -> str | None:
        """The part of a stale result that the store has kept."""
        written = (row for attempts in self.rows().attempts.values() for row in attempts)
        return next((row.evidence for row in written if row.id == attempt), None)
