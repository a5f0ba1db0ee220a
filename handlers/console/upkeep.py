"""Backups of the store, and webhooks that do not get through: what is wrong with them, and what to do. It changes
nothing, and works without JavaScript.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.errors import PagehandError
from dispatcher.webhooks.endpoints import CALLBACKS, Delivery, Endpoint, MessageCounts
from handlers.console.page import PageHandler

__all__ = ["MOST_BACKUPS", "MOST_HOOKS", "UpkeepPage"]

#: How many the page shows: backups, the newest first, and webhooks.
MOST_BACKUPS, MOST_HOOKS = 10, 50


class _Hook(Struct, frozen=True):
    """A webhook as the page shows it."""

    endpoint: Endpoint
    counts: MessageCounts
    #: The newest attempt that failed, if something waits or is wrong; None: also if who asks may not see it.
    failed: Delivery | None

    @property
    def name(self) -> str:
        """What people call it."""
        return "callbacks of jobs" if self.endpoint.id == CALLBACKS else self.endpoint.name or self.endpoint.id


class UpkeepPage(PageHandler):
    """``/upkeep``. Addresses of webhooks, and what their receivers answer, are for administrators, as over the API."""

    scopes: ClassVar = {"GET": Scope.READ}

    offers_refresh = True

    async def get(self) -> None:
        """The page."""
        backups, why_none = await self._backups()
        hooks = self.site.service.webhooks
        counts, found = await hooks.counts(), hooks.all()
        self.show(
            "upkeep.html",
            backups=backups[:MOST_BACKUPS],
            why_none=why_none,
            hooks=[await self._hook(endpoint, counts) for endpoint in found[:MOST_HOOKS]],
            more_hooks=max(0, len(found) - MOST_HOOKS),
            oldest_s=await hooks.oldest_s(),
        )

    head = get

    async def _backups(self) -> tuple[list[Backup], str]:
        """All of them; why they cannot be told, if they cannot."""
        try:
            return await self.site.service.backups.all(), ""
        except PagehandError as error:
            return [], error.detail
        except OSError as error:
            return [], f"The directory of the backups cannot be read: {error.strerror or error}."

    async def _hook(self, endpoint: Endpoint, counts: dict[str, MessageCounts]) -> _Hook:
        failed: list[Delivery] = []
        own = counts.get(endpoint.id, MessageCounts())
        if self.may(Scope.ADMIN) and (own.pending or own.dead or not endpoint.enabled):
            failed = await self.site.service.webhooks.deliveries(endpoint.id, failed=True, below=None)
        return _Hook(endpoint, own, failed[0] if failed else None)
