"""The workers that one order is for: those of a list, in slices, or those with some ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from msgspec.structs import replace

from dispatcher.core.jobs.acts.operations import Found, OperationOrder, OperationView, Treated, WorkerAction
from dispatcher.core.jobs.model import WorkerFilter, WorkerPage
from dispatcher.node.acts.operations import Slice
from dispatcher.node.acts.orders import NAMED, WorkerOrders
from dispatcher.node.acts.testjobs import WorkerTests

__all__ = ["WorkerTargets"]


class WorkerTargets:
    """See Targets. ``read`` gives a page of the list."""

    def __init__(
        self, read: Callable[[WorkerFilter], Awaitable[WorkerPage]], orders: WorkerOrders, tests: WorkerTests
    ) -> None:
        self._read, self._orders, self._tests = read, orders, tests

    async def slice(self, order: OperationOrder, most: int, cursor: str | None) -> Slice:
        """See Targets. They stand by name, so one that comes meanwhile may be among them."""
        assert isinstance(order.wanted, WorkerFilter), "it is an order for workers"
        page = await self._read(replace(order.wanted, limit=most, cursor=cursor))
        return Slice(
            [worker.id or NAMED + worker.name for worker in page.items], page.next_cursor, "", Found(len(page.items))
        )

    async def present(self, order: OperationOrder, ids: tuple[str, ...]) -> Found:
        """See Targets."""
        return Found(len(await self._orders.are_known(ids)))

    async def carry_out(self, view: OperationView, ids: Collection[str]) -> Treated:
        """See Targets. The audit log has one entry for all of them."""
        if view.order.action is WorkerAction.TEST:
            return Treated(await self._tests.several(view, ids))
        return Treated(await self._orders.several(view, ids))
