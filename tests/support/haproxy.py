"""The real HAProxy in front of a server: a process with a directory and a port of its own.

It needs no root and touches nothing of the system's. It is given the lines that the documentation shows; only what
differs here is put in their place: the ports, and where the certificate lies.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import missing
from tests.support.places import ROOT

__all__ = ["haproxy", "haproxy_lines"]


def haproxy_lines(page: str = "docs/offices.md") -> str:
    """The block that a page of the documentation shows."""
    shown = re.search(r"^```haproxy\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.M | re.S)
    assert shown is not None
    return shown[1]


def _here(lines: str, door: int, upstream: int, certificate: Path | None, second: int) -> str:
    """The shown lines with this machine's ports and files."""
    tls = f" ssl crt {certificate}" if certificate else ""
    lines, bound = re.subn(r"^  bind .*$", f"  bind fd@{door}{tls}", lines, flags=re.M)
    lines, led = re.subn(r"127\.0\.0\.1:8888", f"127.0.0.1:{upstream}", lines)
    lines = re.sub(r"127\.0\.0\.1:8889", f"127.0.0.1:{second}", lines)
    assert (bound, led) == (1, 1), lines
    return lines


@contextmanager
def haproxy(
    directory: Path, door: socket.socket, lines: str, upstream: int, certificate: Path | None = None, second: int = 0
) -> Iterator[None]:
    """Runs it with these lines. With a certificate it speaks TLS. ``second``: the port of another server.

    It inherits ``door``, which listens already: nobody waits for it, and the server can be told its port before.
    """
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        missing("needs HAProxy (Debian: apt-get install haproxy)")
    directory.mkdir()
    config = directory / "haproxy.cfg"
    config.write_text(_here(lines, door.fileno(), upstream, certificate, second))
    with (directory / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-db", "-f", str(config)], pass_fds=[door.fileno()], stdout=log, stderr=log
        )
    door.close()
    try:
        yield
        assert process.poll() is None, (directory / "haproxy.log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=20)
