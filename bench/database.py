"""The PostgreSQL server of the lines that need one: its own, its disk synced, and a fresh database for each run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.support.postgres import Postgres, postgres_programs

__all__ = ["Database", "has_postgres", "postgres"]


class Database:
    """A running server."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        #: Its first process: all others are its children.
        self.pid = int((server.directory / "data/postmaster.pid").read_text().split()[0])

    def fresh(self, template: str = "template0") -> str:
        """The name of a database for one run: empty, or a copy of a prepared one that nobody uses."""
        name = self._server.new_database(template)
        # What a copy leaves to be written, and what statistics lack, is no part of a run.
        self._server.sql(name, "VACUUM ANALYZE")
        self._server.sql(name, "CHECKPOINT")
        return name

    def keep(self, name: str, new: str) -> None:
        """A prepared database gets a name that stays."""
        self._server.sql("postgres", f"ALTER DATABASE {name} RENAME TO {new}")

    def url(self, name: str) -> str:
        """The address of a database, by its socket."""
        return self._server.url(name)


def has_postgres() -> bool:
    """Whether its programs are on this machine."""
    return postgres_programs() is not None


@contextlib.contextmanager
def postgres() -> Iterator[Database]:
    """A server that is gone at the end."""
    server = Postgres(sync=True, shared_buffers="256MB", max_wal_size="4GB")
    try:
        server.start()
        yield Database(server)
    finally:
        server.end()
