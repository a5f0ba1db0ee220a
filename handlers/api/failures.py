"""``/api/v1/failures``: failed jobs by what they failed with. docs/api.md describes it."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from handlers import queries
from handlers.api.jobjson import instant
from handlers.api.resources import ConsoleApiHandler
from handlers.failures.groups import FailureGroup
from handlers.failures.reading import read_failures

__all__ = ["FailuresHandler"]


class FailuresHandler(ConsoleApiHandler):
    """The groups, the largest first."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.FAILURES

    async def get(self) -> None:
        """All of them. Raises BadParameter."""
        found = await read_failures(self.site, queries.stats_arguments(self)[0])
        self.answer(
            {
                "items": [_group_json(group) for group in found.groups],
                "looked_at": found.looked_at,
                "more": found.more,
                "back_to": instant(found.back_to),
            }
        )

    head = get


def _group_json(group: FailureGroup) -> dict[str, object]:
    return {
        "type": group.type,
        "message": group.message,
        "jobs": group.jobs,
        "first_at": instant(group.first_at),
        "last_at": instant(group.last_at),
        "workers": group.workers,
        "worker_count": group.worker_count,
        "ids": group.ids,
    }
