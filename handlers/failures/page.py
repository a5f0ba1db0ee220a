"""``/failures``: failed jobs by what they failed with, and a button that runs all of one kind again. It works without
JavaScript.

The button counts first and changes nothing, as the buttons below the list of jobs do: the order's page asks.
"""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder
from handlers.console.orders import OrderPage
from handlers.console.page import PageHandler
from handlers.failures.reading import MOST_FAILURES, read_failures
from handlers.queries import FAILURES, stats_arguments

__all__ = ["FailuresAgain", "FailuresPage"]

_GONE = "No failed job is like that any more, among the newest {most:,}: somebody has run them again, or removed them."


class FailuresPage(PageHandler):
    """The groups, the largest first."""

    scopes: ClassVar = {"GET": Scope.READ}

    query_fields = FAILURES
    offers_refresh = True

    async def get(self) -> None:
        """The page. Raises BadParameter."""
        await show_failures(self, stats_arguments(self)[0])

    head = get


class FailuresAgain(OrderPage):
    """``/failures/again``: the button of a group."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self) -> None:
        """Counts the jobs and leads to the order's page."""
        self.check_form()
        name, message = self.form.field("type"), self.form.text("message")
        found = await read_failures(self.site, name)
        group = next((one for one in found.groups if (one.type, one.message) == (name, message)), None)
        if group is None:
            self.set_status(409)
            return await show_failures(self, "", _GONE.format(most=MOST_FAILURES))
        order = OperationOrder(
            action=OperationAction.RETRY, ids=tuple(group.ids), dry_run=True, actor=self.actor("console")
        )
        await self.begin(order)


async def show_failures(page: PageHandler, name: str, notice: str = "") -> None:
    """Ends the answer of a page with the list."""
    found = await read_failures(page.site, name)
    page.show("failures.html", chosen=name, found=found, types=await page.type_choices(), notice=notice)
