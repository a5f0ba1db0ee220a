"""The workers of all nodes, in the PostgreSQL store: each node writes its own, and reads those of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dispatcher.core.jobs.acts.seen import ReloadPage, SeenWorker, SeeWorkers
from dispatcher.core.jobs.model import WorkerFilter, WorkerStatus, WorkerView
from dispatcher.core.jobs.views.naming import beginnings, counted
from dispatcher.core.jobs.views.nodes import NodeState, NodeView
from dispatcher.store.postgres.link import Asked, rows_text
from dispatcher.store.postgres.reader import Reader

__all__ = ["PostgresSeen", "seen_asks"]


def seen_asks(commands: Sequence[SeeWorkers | ReloadPage], node: str, at: float) -> Iterator[Asked]:
    """What a turn writes of its node's workers, in order."""
    for command in commands:
        if isinstance(command, ReloadPage):
            continue
        if command.gone:
            yield "forget_seen", {"workers": list(command.gone), "node": node}
        if command.here:
            yield "see_workers", {"rows": rows_text(_fields(one, node, at) for one in command.here)}


def _fields(one: SeenWorker, node: str, at: float) -> dict[str, Any]:
    labels = [f"{label}:{value}" for label, value in one.labels]
    return {
        "worker": one.worker, "boot": one.boot, "sessions": one.sessions, "node": node, "name": one.name,
        "place": counted(one.name), "state": one.state,
        "paused": one.paused, "types": one.types, "labels": labels, "slots": one.slots, "since": at,
    }  # fmt: skip


class PostgresSeen:
    """See port.SeenReads."""

    def __init__(self, reader: Reader, node: str) -> None:
        self._reader, self._node = reader, node

    async def page(self, wanted: WorkerFilter, after: tuple[str, str] | None, most: int) -> list[WorkerView]:
        """See port.SeenReads."""
        name, worker = ("", "") if after is None else after
        label, _, value = wanted.label.partition(":")
        called = value if label == "name" else None
        rows = await self._reader.one(
            "seen_workers", node=self._node, beginnings=list(beginnings(wanted.name)), place=counted(name), name=name,
            worker=worker, type=wanted.type, state=wanted.state, called=called,
            label="" if called is not None else wanted.label, most=most,
        )  # fmt: skip
        return [_view(*row) for row in rows]

    async def counts(self) -> dict[str, int]:
        """See port.SeenReads."""
        return dict(await self._reader.one("count_seen", node=self._node))

    async def nodes(self) -> list[NodeView]:
        """See port.Store."""
        rows = await self._reader.one("nodes")
        return [
            NodeView(
                node=node, epoch=epoch, state=NodeState(state), seen_at=seen_at, workers=workers, attempts=attempts,
                is_own=node == self._node,
            )
            for node, epoch, state, seen_at, workers, attempts in rows
        ]  # fmt: skip

    async def one(self, worker_id: str) -> WorkerView | None:
        """See port.SeenReads."""
        rows = await self._reader.one("seen_worker", node=self._node, worker=worker_id)
        return _view(*rows[0]) if rows else None


def _view(
    worker: str, node: str, name: str, state: str, paused: bool, types: list[str], labels: list[str], slots: int,
    for_s: float, jobs: list[str],
) -> WorkerView:  # fmt: skip
    pairs = (text.partition(":") for text in labels)
    return WorkerView(
        id=worker, name=name, state=WorkerStatus(state), paused=paused, types=types, slots=slots, jobs=jobs, done=None,
        failed=None, connected_s=for_s, last_contact_s=None, page={}, remote="", node=node,
        labels={label: value for label, _, value in pairs},
    )  # fmt: skip
