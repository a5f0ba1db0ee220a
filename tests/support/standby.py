"""Two PostgreSQL servers in two places: a primary and its standby, which takes over when the primary is lost.

A real pair, by streaming replication. The lost one may come again as the standby of the other, and so on.
"""

from __future__ import annotations

from tests.support.postgres import Postgres
from tests.support.waiting import PATIENCE_S, until

__all__ = ["Pair"]


class Pair:
    """``settings``: more of those of both. It runs from ``start`` to ``end``."""

    def __init__(self, **settings: str) -> None:
        # A standby soon looks again for a primary that has restarted: commits wait for it.
        self._settings = {"wal_retrieve_retry_interval": "100ms"} | settings
        #: The primary first.
        self._places = [self._made(None)]

    def _made(self, standby_of: Postgres | None) -> Postgres:
        return Postgres(sync=True, standby_of=standby_of, **self._settings)

    @property
    def primary(self) -> Postgres:
        """The one that takes writes."""
        return self._places[0]

    @property
    def standby(self) -> Postgres:
        """The other one."""
        return self._places[1]

    def start(self, *, alone: bool = False) -> None:
        """Both run, and the standby follows; no commit waits for it yet. ``alone``: there is no standby."""
        self.primary.start()
        if not alone:
            self._places.append(self._made(self.primary))
            self.standby.start()

    def wait_for_standby(self) -> None:
        """From now on each commit waits for the standby."""
        self.primary.set("synchronous_standby_names", "*")
        until(lambda: self.replicas() == ["sync"], PATIENCE_S, "the primary waits for its standby")

    def replicas(self) -> list[str]:
        """How the standbys follow: ``sync``, ``async``."""
        return [state for (state,) in self.primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication")]

    def fail_over(self) -> None:
        """The primary crashes, and its standby takes over. Nobody follows that one, and no commit waits."""
        self.primary.stop("immediate")
        self.standby.set("synchronous_standby_names", "")
        self.standby.promote()
        self._places.reverse()

    def renew(self) -> None:
        """After ``fail_over``: the lost one follows from a new copy, and each commit waits for it."""
        self.standby.follow(self.primary)
        self.standby.start()
        self.wait_for_standby()

    def url(self, database: str) -> str:
        """The address of a database, of whichever is the primary, as operators write it."""
        hosts = ",".join(str(place.directory) for place in self._places)
        ports = ",".join(str(place.port) for place in self._places)
        return f"postgresql://owner@/{database}?host={hosts}&port={ports}&target_session_attrs=read-write"

    def end(self) -> None:
        """Stops both, and removes all that they have kept."""
        for place in self._places:
            place.end()
