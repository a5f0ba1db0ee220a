"""Section D of the fault catalogue: a proxy that speaks TLS for the server, and says so in its own ways."""

from __future__ import annotations

import http.client
import json
import re
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.certificate import self_signed
from tests.support.forms import FormClient
from tests.support.polling import HANDSHAKE
from tests.support.server import Live, live

NAME = "jobs.example"
TOKEN = "s3cret-of-the-house"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"), NAME)


class Terminator:
    """Takes TLS connections, one request on each, and passes them on in the clear; ``host`` is then the Host."""

    def __init__(self, certificate: Path, upstream: int, host: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._upstream, self._host = upstream, host
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._context.wrap_socket(client, server_side=True) as inside:
                self._pass(inside)

    def _pass(self, client: ssl.SSLSocket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += client.recv(65_536)
        said = f"Host: {self._host}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: evil.example\r\nConnection: close"
        request = re.sub(rb"Host: [^\r]*", said.encode(), request, count=1)
        with socket.create_connection(("127.0.0.1", self._upstream)) as server:
            server.sendall(request)
            while True:
                ready, _, _ = select.select([server, client], [], [], 10)
                if client in ready or client.pending():
                    server.sendall(client.recv(65_536))
                if server in ready:
                    piece = server.recv(65_536)
                    if not piece:
                        return
                    client.sendall(piece)


def browser_at(port: int, certificate: Path) -> FormClient:
    """Asks over TLS for this name, which leads nowhere on this machine."""
    context = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))
    context.check_hostname = False
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    return FormClient(connection, Host=NAME, Accept="text/html")


def post(browser: FormClient, path: str, fields: dict[str, str], origin: str) -> int:
    """The status of a form that is sent as a browser does, with its origin."""
    return browser.send_form(path, fields, {"Origin": origin}).status


@contextmanager
def behind_tls(directory: Path, certificate: Path, host: str, *flags: str) -> Iterator[tuple[Live, FormClient]]:
    with live(directory, "--token", TOKEN, *flags) as server:
        terminator = Terminator(certificate, server.port, host.format(port=server.port))
        try:
            with closing(browser_at(terminator.port, certificate)) as browser:
                yield server, browser
        finally:
            terminator.close()


@pytest.mark.parametrize("host", [NAME, "127.0.0.1:{port}"], ids=["the name passes", "the proxy's own words"])
def test_fault_D20_behind_a_TLS_proxy_cookies_are_secure_and_only_the_public_origin_is_ours(
    tmp_path: Path, certificate: Path, host: str
) -> None:
    """Whatever Host and X-Forwarded-... then say."""
    public = f"https://{NAME}"
    with behind_tls(tmp_path, certificate, host, "--public-url", public) as (server, browser):
        assert f"submit a job   {public}/submit" in server.banner
        assert "other machines, with the token" in server.banner
        assert post(browser, "/login", {"token": TOKEN, "next": "/"}, public) == 303
        assert len(browser.cookies.lines) == 2, "the session's, and the forms'"
        for line in browser.cookies.lines.values():
            assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(line.split("; ")), line
        job = {"type": "x", "data": "1"}
        assert post(browser, "/submit", job, public) == 303
        for foreign in (f"http://{NAME}", f"https://{NAME}:8443", "https://evil.example", "null"):
            assert post(browser, "/submit", job, foreign) == 403, foreign
            assert browser.ask("GET", HANDSHAKE, headers={"Origin": f"http://{NAME}"}).status == 403
        opened = browser.ask("GET", HANDSHAKE, headers={"Origin": public})
        assert (opened.status, json.loads(opened.text[1:])["upgrades"]) == (200, ["websocket"])
        assert server.ask("GET", "/api/v1/stats", headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


def test_without_the_public_address_the_proxy_would_have_to_be_believed(tmp_path: Path, certificate: Path) -> None:
    """The control of the test above: it shows what the setting changes."""
    with behind_tls(tmp_path, certificate, "127.0.0.1:{port}") as (_, browser):
        assert post(browser, "/login", {"token": TOKEN, "next": "/"}, f"https://{NAME}") == 403
        assert post(browser, "/login", {"token": TOKEN, "next": "/"}, "http://127.0.0.1") == 303
        assert not any("Secure" in line for line in browser.cookies.lines.values())
