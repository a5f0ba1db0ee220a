"""A PostgreSQL whose disk is synced, and desks on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.postgres.cutting import Cutter
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One for all tests of a file."""
    server = Postgres(sync=True)
    server.start()
    yield server
    server.end()


@pytest.fixture
def cutter(server: Postgres) -> Iterator[Cutter]:
    """A proxy before it."""
    cutter = Cutter(server.port)
    yield cutter
    cutter.close()
