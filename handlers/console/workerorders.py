"""Orders for many workers, for people: the buttons below the list of workers. The rest is as for jobs (``orders``)."""

from __future__ import annotations

import json
from typing import ClassVar
from urllib.parse import parse_qs

from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationOrder, WorkerAction
from dispatcher.errors import BadParameter, BadRequest
from handlers.console.orders import WORKER_ACTIONS, AskedFilter, OrderPage
from handlers.orders import MOST_IDS
from handlers.queries import PLACE, WORKERS, worker_filter

__all__ = ["WORKER_FIELDS", "CountWorkersPage"]

#: The fields of the list's filter that say which workers it shows.
WORKER_FIELDS = tuple(name for name in WORKERS if name not in PLACE)


class CountWorkersPage(OrderPage):
    """``/workers/act``: the buttons below the list of workers. They count, and change nothing."""

    scopes: ClassVar = {"POST": Scope.OPERATE}
    address = "/api/v1/workers/actions"

    def body_limit(self) -> int:
        """Room for the longest names."""
        return MOST_IDS * 700

    async def post(self) -> None:
        """Counts the workers and leads to the order's page."""
        self.check_form()
        action = self.form.field("action")
        if action not in WORKER_ACTIONS:
            raise BadRequest("The form names no action: go back to the list, and press one of its buttons.")
        order = OperationOrder(action=WorkerAction(action), dry_run=True, actor=self.actor("console"))
        if self.form.field("only") == "ticked":
            return await self.begin(replace(order, ids=self.ticked("worker")))
        typed = parse_qs(self.form.field("filter"), errors="replace")
        asked = {name: typed[name] for name in WORKER_FIELDS if name in typed}
        if not asked:
            raise BadParameter("The list shows all workers: choose a state, a type or another filter first.")
        wanted = worker_filter(AskedFilter(asked))
        await self.begin(replace(order, wanted=wanted, asked=json.dumps(asked, ensure_ascii=False)))
