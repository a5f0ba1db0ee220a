"""The real nginx in front of a server: a process with a directory, a port and temporary files of its own.

It needs no root and touches nothing of the system's. It is given the lines that the documentation shows; only what
differs here is put in their place: the ports, and where the certificate lies.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.missing import missing
from tests.support.places import ROOT

__all__ = ["lines_of", "nginx", "without_keeping", "without_upgrade"]

_AROUND = """
{user}
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
events {{ worker_connections 256; }}
http {{
  access_log {directory}/access.log;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
{server}
}}
"""


def lines_of(page: str, number: int = 0) -> str:
    """One of the nginx blocks that a page of the documentation shows."""
    shown = re.findall(r"^ *```nginx\n(.*?)^ *```$", (ROOT / page).read_text("utf-8"), re.M | re.S)
    return str(shown[number])


def without_upgrade(lines: str) -> str:
    """The lines of the documentation as they were before they let WebSockets through."""
    lines, count = re.subn(r"^ *proxy_set_header Upgrade .*\n", "", lines, flags=re.M)
    lines, also = re.subn(r"proxy_set_header Connection .*", 'proxy_set_header Connection "";', lines)
    assert (count, also) == (1, 1)
    return lines


def without_keeping(lines: str) -> str:
    """The lines as they were before they kept connections: nginx makes one for each request."""
    lines, count = re.subn(r"^upstream pagehand \{\n.*?^\}\n", "", lines, flags=re.M | re.S)
    lines, also = re.subn("http://pagehand", "http://127.0.0.1:8888", lines)
    assert (count, also) == (1, 1)
    return lines


def _here(lines: str, port: int, upstream: int, certificate: Path | None, second: int) -> str:
    """The shown ``server`` block with this machine's ports and files."""
    if "server {" not in lines:
        lines = f"server {{\n  listen 443 ssl;\n{lines}\n}}"
    shown = lines
    kind = " ssl http2" if "ssl http2" in lines else " ssl"
    lines = re.sub(r"listen [^;]*;", f"listen 127.0.0.1:{port}{kind if certificate else ''};", shown)
    lines = re.sub(r"127\.0\.0\.1:8888", f"127.0.0.1:{upstream}", lines)
    lines = re.sub(r"127\.0\.0\.1:8889", f"127.0.0.1:{second}", lines)
    lines = re.sub(r"^ *ssl_certificate(_key)? [^;]*;\n", "", lines, flags=re.M)
    if certificate is not None:
        files = f"ssl_certificate {certificate};\n  ssl_certificate_key {certificate};\n"
        lines = lines.replace("server {\n", f"server {{\n  {files}", 1)
    assert f":{upstream}" in lines, shown
    return lines


@contextmanager
def nginx(
    directory: Path, door: socket.socket, lines: str, upstream: int, certificate: Path | None = None, second: int = 0
) -> Iterator[None]:
    """Runs it with these lines. With a certificate it speaks TLS. ``second``: the port of another server.

    It inherits ``door``, which listens already: nobody waits for it, and the server can be told its port before.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing("needs nginx (Debian: apt-get install nginx-light)")
    directory.mkdir()
    config = directory / "nginx.conf"
    # Its worker may read and write what root has made, if root runs the tests.
    user = "user root;" if os.getuid() == 0 else ""
    server = _here(lines, door.getsockname()[1], upstream, certificate, second)
    config.write_text(_AROUND.format(user=user, directory=directory, server=server))
    with (directory / "error.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", str(directory), "-c", str(config), "-e", "stderr"],
            env=os.environ | {"NGINX": f"{door.fileno()};"}, pass_fds=[door.fileno()], stderr=log,
        )  # fmt: skip
    door.close()
    try:
        yield
        assert process.poll() is None, (directory / "error.log").read_text()
    finally:
        process.terminate()
        process.wait(timeout=20)
