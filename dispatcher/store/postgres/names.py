"""The workers that are known by name, in the PostgreSQL store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from dispatcher.core.jobs.diaries import KnownWorker
from dispatcher.core.jobs.habits import RollHour, Usual
from dispatcher.core.jobs.model import MissingWorker
from dispatcher.core.jobs.views.naming import beginnings, counted
from dispatcher.store.kept_rows import known_worker_of
from dispatcher.store.postgres.link import Link
from dispatcher.store.postgres.reader import Reader
from dispatcher.store.views import end_of

__all__ = ["PostgresNames"]


class PostgresNames:
    """See NameReads."""

    def __init__(self, reader: Reader, link: Link) -> None:
        self._reader, self._link = reader, link

    async def missing(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[MissingWorker]:
        """See NameReads."""
        return await self._reader.call(partial(self._missing, prefix, after, most))

    def _missing(self, prefix: str, after: str | None, most: int) -> list[MissingWorker]:
        place, name = ("", "") if after is None else (counted(after), after)
        found: list[MissingWorker] = []
        for first in beginnings(prefix):
            left = most - len(found)
            rows = self._link.one("missing", first=first, place=place, name=name, end=end_of(first), most=left)
            found += [MissingWorker(*row) for row in rows]
        return found

    async def usual(self, hours: Sequence[RollHour], most: int = 100) -> Usual:
        """See NameReads."""
        asked = {"hours": [one.hour for one in hours], "past": [one.is_past for one in hours]}
        return await self._reader.call(partial(self._usual, asked, most))

    def _usual(self, asked: Mapping[str, object], most: int) -> Usual:
        [(workers, gone)] = self._link.one("usual", **asked)
        rows = self._link.one("usual_gone", **asked, most=most) if gone else []
        return Usual(workers, gone, [MissingWorker(*row) for row in rows])

    async def known(self, workers: Collection[str] = (), names: Collection[str] = ()) -> list[KnownWorker]:
        """See NameReads."""
        rows = await self._reader.one("known", workers=list(workers), names=list(names))
        return [known_worker_of(*row) for row in rows]
