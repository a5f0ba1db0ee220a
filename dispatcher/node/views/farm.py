"""What can be asked of the farm: which workers there are, and why a job waits for one.

The ``Dispatcher`` is made of this; it has the parts that are named here.
"""

from __future__ import annotations

from dispatcher.clock import Clock
from dispatcher.core.jobs.doubturl import filled
from dispatcher.core.jobs.model import JobView, WorkerFilter, WorkerPage
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.nodes import NodeState, NodeView
from dispatcher.core.jobs.views.outlook import RATE_WINDOW_S
from dispatcher.core.workers.machine import Machine
from dispatcher.node.acts.types import Types
from dispatcher.node.turns.readers import Readers
from dispatcher.node.views import waiting, workerlist
from dispatcher.node.views.cursors import cursor_of, place_of
from dispatcher.node.views.waiting import Why
from dispatcher.pages.pages import Pages
from dispatcher.store.port import Store

__all__ = ["FarmVerbs"]


class FarmVerbs:
    """Reads of workers."""

    machine: Machine
    pages: Pages
    _clock: Clock
    _store: Store
    _readers: Readers
    types: Types

    def workers(self, wanted: WorkerFilter | None = None) -> WorkerPage:
        """Pages that this node knows, by name. Raises BadRequest for a cursor that is not ours."""
        wanted, now = wanted or WorkerFilter(), self._clock.monotonic()
        after = None if wanted.cursor is None else place_of(wanted.cursor, 2)
        node = self._store.node
        found, last = self.machine.roster.page(wanted, None if after is None else (after[0], after[1]))
        workers = [self.machine.workers[name] for name in found]
        items = [
            workerlist.present(worker, self.pages.sessions, now, today=self.machine.today(worker), node=node)
            for worker in workers
        ]
        return WorkerPage(items=items, next_cursor=None if last is None else cursor_of(*last))

    async def known_workers(self, wanted: WorkerFilter) -> WorkerPage:
        """The same, with those of other nodes, and those that have gone: of these only the name is known."""
        here = self.workers(wanted)
        if self._store.beat_s is not None:
            place = None if wanted.cursor is None else place_of(wanted.cursor, 2)
            with self._readers:
                behind = None if place is None else (place[0], place[1])
                others = await self._store.seen.page(workerlist.elsewhere(wanted), behind, wanted.limit + 1)
            here = workerlist.with_others(here, others, wanted, self.machine.operators.kept)
        name = workerlist.name_of_gone(wanted)
        if name is None:
            return here
        after = None if wanted.cursor is None else place_of(wanted.cursor, 2)[0]
        with self._readers:
            missing = await self._store.names.missing(name, after, wanted.limit + 1)
        missing = [one for one in missing if workerlist.fits(one, wanted)]
        return workerlist.merged(here, missing, wanted, self.machine.roster, self._clock.utc())

    async def nodes(self) -> list[NodeView]:
        """All nodes that have the store, by name; those among them that are gone."""
        with self._readers:
            nodes = await self._store.nodes()
        return nodes or [
            NodeView(
                node=self._store.node, epoch=self._store.epoch, state=NodeState.LIVE, seen_at=self._clock.utc(),
                workers=len(self.machine.workers), attempts=self.machine.busy(), is_own=True,
            )
        ]  # fmt: skip

    def worker_counts(self) -> dict[str, int]:
        """How many workers of this node are in each state; empty states are left out."""
        return self.machine.roster.states()

    async def all_worker_counts(self) -> dict[str, int]:
        """The same for all nodes."""
        counts = self.worker_counts()
        if self._store.beat_s is not None:
            with self._readers:
                for state, workers in (await self._store.seen.counts()).items():
                    counts[state] = counts.get(state, 0) + workers
        return counts

    def called(self, name: str) -> int:
        """How many workers have this name, without those that are away."""
        return self.machine.roster.called(name)

    def why(self, job: JobView) -> Why | None:
        """Why a job waits, in words and in counts; None if it does not wait."""
        return waiting.why(job, self.machine)

    async def why_exactly(self, job: JobView) -> Why | None:
        """The same with when the job may start, which costs two short reads; without, if the server is about to end."""
        why = self.why(job)
        if why is None or job.state is not JobState.QUEUED or self._readers.closed:
            return why
        with self._readers:
            stands = await self._store.in_line(job.id)
            if stands is None:  # a turn has taken it meanwhile
                return why
            ended = await self.types.ended(job.type, RATE_WINDOW_S) if waiting.rate_tells(why, job) else None
        return waiting.with_outlook(why, stands, ended, self.machine.slots_of(job.type))

    def doubt_url(self, job: JobView) -> str | None:
        """Where a person looks whether this job in doubt was done. ``job``: with its data. None: no page has said."""
        if job.state is not JobState.IN_DOUBT:
            return None
        url = self.machine.doubt_urls.of(job.type, job.worker)
        return None if url is None else filled(url, job.data)

    def why_waits(self, job: JobView) -> str | None:
        """The words alone."""
        return why.words if (why := self.why(job)) is not None else None
