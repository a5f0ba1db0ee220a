"""What operators have said of workers and types, in the PostgreSQL store. They say it seldom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import astuple

from dispatcher.core.jobs.kept import Hold, KeptType, KeptWorker
from dispatcher.store.postgres.link import Asked
from dispatcher.store.postgres.reader import Reader

__all__ = ["PostgresKept", "kept_asks"]


class PostgresKept:
    """See KeptReads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        return [_worker(*row) for row in await self._reader.one("kept_workers", after=after, most=most)]

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        rows = await self._reader.one("kept_types", after=after, most=most)
        return [KeptType(type=name, paused=_hold(paused)) for name, paused in rows]


def kept_asks(kept: Sequence[KeptWorker | KeptType]) -> Iterator[Asked]:
    """Keeps them, in order; of an empty one nothing is kept."""
    for one in kept:
        if isinstance(one, KeptType):
            if one.is_empty():
                yield "forget_kept_type", {"type": one.type}
            else:
                yield "keep_type", {"type": one.type, "paused": _held(one.paused)}
        elif one.is_empty():
            yield "forget_kept_worker", {"worker": one.id}
        else:
            yield "keep_worker", {
                "worker": one.id, "called": one.called, "name": one.name, "labels": _json(one.labels),
                "note": one.note, "paused": _held(one.paused), "blocked": _held(one.blocked),
            }  # fmt: skip


def _worker(
    worker: str, called: str, name: str, labels: str, note: str, paused: str | None, blocked: str | None
) -> KeptWorker:
    return KeptWorker(
        id=worker, called=called, name=name, note=note,
        labels=msgspec.json.decode(labels, type=tuple[tuple[str, str], ...]),
        paused=_hold(paused), blocked=_hold(blocked),
    )  # fmt: skip


def _held(hold: Hold | None) -> str | None:
    return None if hold is None else _json(astuple(hold))


def _hold(text: str | None) -> Hold | None:
    return None if text is None else Hold(*msgspec.json.decode(text, type=tuple[float, str, str, bool]))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
