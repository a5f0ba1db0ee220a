"""With how few rights a server does: a role that owns one database, and nothing else."""

from __future__ import annotations

from pathlib import Path

from dispatcher.core.jobs.states import JobState
from tests.store.contract import POSTGRES, Desk, result
from tests.support.postgres import Postgres


def test_a_role_that_owns_its_database_and_no_more_is_enough(server: Postgres, tmp_path: Path) -> None:
    server.sql("postgres", "CREATE ROLE pagehand LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION")
    server.sql("postgres", "CREATE DATABASE rights OWNER pagehand ENCODING 'UTF8' TEMPLATE template0")
    url = server.url("rights").replace("owner@", "pagehand@")
    desk = Desk(POSTGRES._replace(url=lambda _: url), tmp_path)
    (job,) = desk.submit()
    (claim,) = desk.claim(1)
    desk.turn(reports=[result(claim.attempt)])
    assert desk.job(job.id).state is JobState.SUCCEEDED
    seen = server.sql("rights", "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'rights' "
                      "AND pid <> pg_backend_pid()")  # fmt: skip
    assert seen == [("pagehand",)]
    desk.end()
