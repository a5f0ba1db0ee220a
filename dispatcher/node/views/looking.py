"""What can be seen of the whole node at once: how it is doing, what somebody must look at, and what it measures.

The ``Dispatcher`` is made of this; it has the parts that are named here.
"""

from __future__ import annotations

from dispatcher.core.jobs.views.measures import Measures
from dispatcher.core.jobs.views.overview import Overview
from dispatcher.core.jobs.views.troubles import Troubles
from dispatcher.core.workers.machine import Machine
from dispatcher.node.changes.followers import Feed
from dispatcher.node.turns.activity import Activity
from dispatcher.node.turns.gathering import Intake
from dispatcher.node.turns.readers import Readers
from dispatcher.node.turns.turns import Turns
from dispatcher.node.views.measuring import measured
from dispatcher.node.views.overview import Looks
from dispatcher.node.waits.waiters import Waiters
from dispatcher.node.webhooks.hooks import Webhooks
from dispatcher.pages.pages import Transport
from dispatcher.store.port import Store

__all__ = ["LookVerbs"]


class LookVerbs:
    """Looks at the whole node."""

    machine: Machine
    feed: Feed
    webhooks: Webhooks
    draining: bool
    _store: Store
    _readers: Readers
    _activity: Activity
    _waiters: Waiters
    _intake: Intake
    _transport: Transport
    _turns: Turns
    _accepting: bool
    _overviews: Looks

    def ready(self) -> bool:
        """Whether it takes jobs now."""
        return self._accepting and not self.draining and self.has_space and not self._turns.held_back()

    @property
    def has_space(self) -> bool:
        """The store's disk has space for new jobs, as of the last turn."""
        return self._turns.has_space

    async def measures(self) -> Measures:
        """One look at the node, for metrics."""
        with self._readers:
            return await measured(
                self._store, self._activity, self.machine, self._transport, self._waiters, self._intake,
                webhooks=self.webhooks, feed=self.feed, takes_jobs=self.ready(), draining=self.draining,
                has_space=self.has_space,
            )  # fmt: skip

    async def troubles(self, most: int) -> Troubles:
        """What somebody must look at; at most ``most`` of each kind."""
        with self._readers:
            return await self._overviews.troubles(most)

    async def overview(self) -> Overview:
        """How the node is doing."""
        with self._readers:
            return await self._overviews.overview(
                draining=self.draining, takes_jobs=self.ready(), has_space=self.has_space
            )
