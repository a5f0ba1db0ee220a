"""Behind the real PgBouncer: each client may keep its connection, or the store is refused in words."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.postgres.schema import connect
from tests.store.postgres.several import Node, close
from tests.support.jobs import spec
from tests.support.missing import missing
from tests.support.ports import free_port
from tests.support.postgres import Postgres
from tests.support.waiting import until

PROGRAM = Path("/usr/sbin/pgbouncer")


@contextmanager
def pooler(directory: Path, server: Postgres, mode: str) -> Iterator[int]:
    """Its port."""
    if not os.access(PROGRAM, os.X_OK):
        missing("needs PgBouncer (Debian: apt-get install pgbouncer)")
    port = free_port()
    config = directory / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={server.directory} port={server.port} user=owner\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\n"
    )
    # It refuses to run as root.
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with (directory / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([str(PROGRAM), *user, str(config)], stderr=log)
    try:
        until(lambda: _answers(server.network_url("postgres", port=port)), what="it answers")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_pooler_that_leaves_each_client_its_connection_is_as_good_as_the_database(
    tmp_path: Path, server: Postgres
) -> None:
    async def run(url: str) -> None:
        node = await Node.open(url, "a")
        other = await Node.open(url, "b")
        await node.turn(submissions=[spec()])
        assert await other.counts() == {"queued": 1}
        await close(node, other)

    database = server.new_database()
    with pooler(tmp_path, server, "session") as port:
        asyncio.run(run(server.network_url(database, port=port)))


@pytest.mark.parametrize("clients", [0, 3])
def test_one_that_lends_it_for_a_transaction_is_refused_in_words(
    tmp_path: Path, server: Postgres, clients: int
) -> None:
    """``clients``: others have used it before, so that it has more than one connection to lend."""
    database = server.new_database()
    with pooler(tmp_path, server, "transaction") as port:
        url = server.network_url(database, port=port)
        others = [psycopg.connect(url) for _ in range(clients)]
        for other in others:
            other.execute("SELECT 1")
        for other in others:
            other.rollback()
        with pytest.raises(StoreRefused, match="set its pool_mode to session, or give the address of the database"):
            connect(url, "a")
        for other in others:
            other.close()
