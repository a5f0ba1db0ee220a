"""What is kept of workers and types, in the PostgreSQL store: it changes seldom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.acts.kept import KeptType, KeptWorker
from dispatcher.store.kept import Kept
from dispatcher.store.kept_rows import credential_of, kept_fields, kept_type_of, kept_worker_of
from dispatcher.store.postgres.link import Asked
from dispatcher.store.postgres.reader import Reader

__all__ = ["PostgresKept", "kept_asks"]


class PostgresKept:
    """See KeptReads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        return [kept_worker_of(*row) for row in await self._reader.one("kept_workers", after=after, most=most)]

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        return [kept_type_of(*row) for row in await self._reader.one("kept_types", after=after, most=most)]

    async def credentials(self, after: str = "", most: int = 1_000) -> list[Credential]:
        """See KeptReads."""
        return [credential_of(*row) for row in await self._reader.one("credentials", after=after, most=most)]


def kept_asks(kept: Sequence[Kept]) -> Iterator[Asked]:
    """Keeps them, in order; of an empty one nothing is kept."""
    for one in kept:
        forget, keep = _statements(one)
        yield forget if one.is_empty() else keep, kept_fields(one)


def _statements(one: Kept) -> tuple[str, str]:
    if isinstance(one, KeptType):
        return "forget_kept_type", "keep_type"
    if isinstance(one, Credential):
        return "forget_credential", "keep_credential"
    return "forget_kept_worker", "keep_worker"
