"""Says what this machine lacks, and which tests will skip because of it; ``make test`` prints it first."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from tests.support.missing import chromium_path
from tests.support.postgres import postgres_programs

__all__ = ["lacking"]


def _has(*programs: str) -> bool:
    return all(shutil.which(program) for program in programs)


def lacking() -> list[str]:
    """A line for each missing thing, with the tests that skip."""
    root = os.name == "posix" and os.geteuid() == 0
    faketime = any(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))
    here = {
        "root: full, failing and torn disks, network namespaces, memory limits (faults, campaigns)": root,
        "chromium and chromedriver: real browsers (page, handlers, e2e, faults)": chromium_path(),
        "PhantomJS (pip install phasma): an old browser (page, handlers, faults, attack)": find_spec("phasma"),
        "iptables and ip: lossy networks (faults)": _has("iptables", "ip"),
        "libfaketime: clocks that jump (faults)": faketime,
        "strace: failing system calls (faults, campaigns)": _has("strace"),
        "mkfs.ext4: failing disks (faults, campaigns)": _has("mkfs.ext4"),
        "openssl: TLS (faults, e2e)": _has("openssl"),
        "nginx: the proxy of docs/offices.md (e2e)": _has("nginx") or os.access("/usr/sbin/nginx", os.X_OK),
        "apache2-bin: another proxy of docs/offices.md (e2e)": os.access("/usr/sbin/apache2", os.X_OK),
        "haproxy: another proxy of docs/offices.md (sdk, e2e)": os.access("/usr/sbin/haproxy", os.X_OK),
        "postgresql: a database for jobs (store)": postgres_programs() is not None,
        "pgbouncer: a pooler before the database (store)": os.access("/usr/sbin/pgbouncer", os.X_OK),
        "systemd-analyze: the unit of docs/operations.md": _has("systemd-analyze"),
        "node and npm: the stock Engine.IO client (transport)": _has("node", "npm"),
    }
    return [what for what, there in here.items() if not there]


if __name__ == "__main__":
    print("All tests: 15 to 25 minutes on 2 cores; make test-fast takes less than 90 s.")
    for line in lacking():
        print(f"  tests will skip without {line}")
