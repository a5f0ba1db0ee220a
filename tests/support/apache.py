"""The real Apache in front of a server: a process with a directory and a port of its own, and lines of the docs.

It needs no root and touches nothing of the system's. Only the port, the certificate and the modules are put in place.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import missing
from tests.support.places import ROOT
from tests.support.waiting import PATIENCE_S, until

__all__ = ["apache"]

_PROGRAM = "/usr/sbin/apache2"
_MODULES = Path("/usr/lib/apache2/modules")
#: What Debian loads anyway, and what ``a2enmod ssl proxy proxy_http`` adds.
_LOADED = ("mpm_event", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_http")


def _config(directory: Path, port: int, upstream: int, certificate: Path) -> str:
    """The shown lines with this machine's ports and files."""
    [shown] = re.findall(r"^```apache\n(.*?)^```$", (ROOT / "docs/offices.md").read_text("utf-8"), re.M | re.S)
    lines = shown.replace("*:443", f"127.0.0.1:{port}").replace("127.0.0.1:8888", f"127.0.0.1:{upstream}")
    lines = re.sub(r"(SSLCertificate(Key)?File) \S+", rf"\1 {certificate}", lines)
    modules = [f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _LOADED]
    own = [f"ServerRoot {directory}", f"PidFile {directory}/pid", f"Listen 127.0.0.1:{port}", "ServerName localhost"]
    user = ["User nobody", "Group nogroup"] if os.getuid() == 0 else []
    return "\n".join([*modules, *own, *user, f"DefaultRuntimeDir {directory}", "ErrorLog /dev/stderr", lines])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def apache(directory: Path, upstream: int, certificate: Path, port: int) -> Iterator[None]:
    """Runs it at this port, with TLS."""
    if not Path(_PROGRAM).exists():
        missing("needs Apache (Debian: apt-get install apache2-bin)")
    directory.mkdir()
    config = directory / "apache.conf"
    config.write_text(_config(directory, port, upstream, certificate))
    with (directory / "error.log").open("wb") as log:
        process = subprocess.Popen([_PROGRAM, "-D", "FOREGROUND", "-f", str(config)], stderr=log)
    try:
        until(lambda: process.poll() is not None or _answers(port), PATIENCE_S, "Apache listens")
        assert process.poll() is None, (directory / "error.log").read_text()
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
