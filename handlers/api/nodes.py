"""``/api/v1/nodes``: the servers that share the store, and how each of them is."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.views.nodes import NodeView
from handlers.api.jobjson import instant
from handlers.api.resources import ConsoleApiHandler

__all__ = ["NodesHandler"]


def _node_json(node: NodeView) -> dict[str, object]:
    return {
        "name": node.node,
        "state": node.state.value,
        "epoch": node.epoch,
        "seen_at": instant(node.seen_at),
        "workers": node.workers,
        "attempts": node.attempts,
        "self": node.is_own,
    }


class NodesHandler(ConsoleApiHandler):
    """``/api/v1/nodes``."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self) -> None:
        """All nodes by name, those among them that are gone."""
        nodes = await self.site.service.nodes()
        self.answer({"items": [_node_json(node) for node in nodes], "next_cursor": None})

    head = get
