"""What ``pagehand doctor`` says of a server behind a real proxy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from dispatcher.sdk.client.config import find_config
from dispatcher.sdk.doctor.findings import Finding
from dispatcher.sdk.doctor.messenger import Messenger
from dispatcher.sdk.doctor.probes import look
from dispatcher.sdk.doctor.report import examine, exit_status
from tests.sdk.doctor.meddler import TOKEN
from tests.support.server import Live

__all__ = ["judged_behind"]

#: ``haproxy`` or ``nginx`` of ``tests/support``.
Proxy = Callable[[Path, socket.socket, str, int, Path | None], AbstractContextManager[None]]


def judged_behind(
    proxy: Proxy, directory: Path, server: Live, lines: str, certificate: Path | None = None
) -> tuple[int, list[Finding]]:
    """The exit status and the findings. With a certificate the proxy speaks TLS."""
    door = socket.create_server(("127.0.0.1", 0))
    url = f"{'https' if certificate else 'http'}://localhost:{door.getsockname()[1]}"
    context = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt"))) if certificate else None
    with proxy(directory / "proxy", door, lines, server.port, certificate):
        seen = look(Messenger(find_config(url, TOKEN, environ={}), context=context), 2)
    findings = examine(seen)
    return exit_status(seen, findings), findings
