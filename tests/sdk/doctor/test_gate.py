"""A server that is not reached, is not Pagehand, or does not take the token: why, and what to do."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from dispatcher.sdk.client.config import find_config
from dispatcher.sdk.client.exchange import ServerAnswer
from dispatcher.sdk.doctor.gate import is_pagehand, pagehand, port
from dispatcher.sdk.doctor.messenger import Messenger
from dispatcher.sdk.doctor.probes import look
from dispatcher.sdk.doctor.report import examine
from dispatcher.sdk.doctor.seen import Doorstep, Heard, Mishap, Sighting
from tests.sdk.doctor.meddler import TOKEN, examined, html, of, wrongs
from tests.support.certificate import self_signed
from tests.support.server import Live, live


@contextmanager
def speaking(words: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that says this on each connection, once the other side has said something; and closes."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                bare, _ = listener.accept()
                with suppress(OSError), bare:
                    sock = context.wrap_socket(bare, server_side=True) if context else bare
                    with suppress(OSError), sock:
                        if sock.recv(65_536):
                            sock.sendall(words)

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"), "Firewall Inspection")


def test_a_port_where_nobody_listens(server: Live) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        free = listener.getsockname()[1]
    status, findings = examined(f"http://127.0.0.1:{free}", TOKEN)
    assert (status, wrongs(findings)) == (4, ["port"])
    assert f"nothing listens at 127.0.0.1, port {free}" in of(findings, "port").says
    assert "--bind 0.0.0.0" in of(findings, "port").mend


def test_a_name_that_no_machine_has() -> None:
    status, findings = examined("http://pagehand.invalid:8888")
    assert (status, wrongs(findings)) == (4, ["port"])
    assert "no machine has the name pagehand.invalid" in of(findings, "port").says


@pytest.mark.parametrize(
    ("mishap", "says"),
    [(Mishap.SILENT, "nobody answers at x, port 8888"), (Mishap.NO_WAY, "there is no way to x, port 8888: no route")],
)
def test_what_a_machine_of_its_own_would_be_needed_for(mishap: Mishap, says: str) -> None:
    config = find_config("http://x:8888", None, environ={})
    step = Doorstep(mishap=mishap, words="no route")
    [finding] = port(Sighting(url=config.url, address=config.address, doorstep=step, proxy_variable="HTTP_PROXY"))
    assert finding.says == says
    assert finding.mend.endswith("HTTP_PROXY is set here, but Pagehand goes straight.")


def test_a_port_that_takes_connections_and_never_answers() -> None:
    """It says so after the time that one request may take, and asks no more than that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = find_config(f"http://127.0.0.1:{listener.getsockname()[1]}", None, environ={})
        heard = Messenger(config).ask("/readyz", within_s=0.2)
    seen = Sighting(url=config.url, address=config.address, bare=heard, ready=(heard,))
    [finding] = pagehand(seen)
    assert heard.mishap is Mishap.SILENT
    assert "no answer comes within 2" in finding.says
    assert not is_pagehand(seen)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no whole answer in HTTP comes"),
        (b"", "no whole answer in HTTP comes"),
        (html(b"200 OK", b"<title>Printer</title>").replace(b"text/html", b"text/plain"), "is not Pagehand"),
        (html(b"400 Bad Request", b"The plain HTTP request was sent to HTTPS port"), "is not Pagehand (status 400)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "the answer ended"),
    ],
    ids=["ssh", "nothing", "a printer", "https", "half an answer"],
)
def test_a_port_of_something_else(words: bytes, says: str) -> None:
    with speaking(words) as number:
        status, findings = examined(f"http://127.0.0.1:{number}", TOKEN)
    assert (status, wrongs(findings)) == (4, ["pagehand"])
    assert says in of(findings, "pagehand").says


def test_what_a_stranger_says_moves_no_cursor_and_fills_no_screen() -> None:
    title = b"<title>\x1b[2J" + b"x" * 900 + b"</title>"
    with speaking(html(b"200 OK", title)) as number:
        _, findings = examined(f"http://127.0.0.1:{number}")
    says = of(findings, "sign_in").says
    assert "\x1b" not in says
    assert len(says) < 500


# -- TLS


def test_plain_http_where_tls_is_expected() -> None:
    with speaking(b"HTTP/1.1 400 Bad Request\r\n\r\n") as number:
        status, findings = examined(f"https://127.0.0.1:{number}")
    assert (status, wrongs(findings)) == (4, ["port"])
    assert "does not speak TLS" in of(findings, "port").says
    assert "write http:// instead of https://" in of(findings, "port").mend


def test_a_server_without_tls_that_waits_for_the_rest_of_a_request(server: Live) -> None:
    """So does Pagehand itself: it takes the beginning of TLS for that of a request."""
    status, findings = examined(server.url.replace("http:", "https:"))
    assert (status, wrongs(findings)) == (4, ["port"])
    assert "does not speak TLS" in of(findings, "port").says


def test_a_certificate_that_is_not_trusted_is_named_with_who_signed_it(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with speaking(b"", context) as number:
        status, findings = examined(f"https://localhost:{number}")
    assert (status, wrongs(findings)) == (4, ["certificate"])
    assert "not trusted: self-signed certificate; it was signed by Firewall Inspection" in findings[0].says
    assert "SSL_CERT_FILE" in findings[0].mend


def test_a_certificate_of_another_name_is_told_from_one_of_nobody(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate.with_suffix(".crt")))
    with speaking(b"", context) as number:
        config = find_config(f"https://localhost:{number}", None, environ={})
        findings = examine(look(Messenger(config, context=trusting), 1))
    assert "certificate is not valid for 'localhost'" in of(findings, "certificate").says


# -- the token


def test_a_token_that_is_missing(server: Live) -> None:
    status, findings = examined(server.url)
    assert (status, wrongs(findings)) == (1, ["token"])
    assert "none was given" in of(findings, "token").says
    assert [finding.check for finding in findings if finding.level == "skipped"] == [
        "buffering", "waiting", "types", "pages",
    ]  # fmt: skip
    assert of(findings, "page_polls").level == "ok"


def test_a_token_that_is_wrong(server: Live) -> None:
    status, findings = examined(server.url, "another-token-of-the-tests")
    assert (status, wrongs(findings)) == (1, ["token"])
    assert "does not take it" in of(findings, "token").says


@pytest.mark.parametrize("rights", [{"scopes": ["submit"]}, {"scopes": ["read"], "types": ["echo"]}])
def test_a_token_that_may_not_read_everything_is_fine(server: Live, rights: dict[str, list[str]]) -> None:
    """What it lets nobody look at is left out, and said."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    made = server.ask("POST", "/api/v1/tokens", json.dumps({"name": "program", **rights}), headers)
    status, findings = examined(server.url, made.json()["token"])
    assert (status, wrongs(findings)) == (0, [])
    assert of(findings, "token").level == "note"
    assert [finding.check for finding in findings if finding.level == "skipped"] == [
        "buffering", "waiting", "types", "pages",
    ]  # fmt: skip


def test_an_address_from_which_too_many_wrong_tokens_have_come(tmp_path: Path) -> None:
    with live(tmp_path, "--token", TOKEN, "--wrong-tokens", "1") as slow:
        for number in range(3):
            slow.ask("GET", "/api/v1/stats", headers={"Authorization": f"Bearer wrong-{number}"})
        status, findings = examined(slow.url, TOKEN)
    assert (status, wrongs(findings)) == (1, ["token"])
    assert "does not even look at it" in of(findings, "token").says


def test_a_server_that_starts_is_pagehand(server: Live) -> None:
    """As ``handlers/starting.py`` answers."""
    text = b"[-]started\n[-]takes jobs\nnot ready: the server is starting\n"
    ready = Heard(answer=ServerAnswer(503, {"content-type": "text/plain"}, text))
    config = find_config(server.url, None, environ={})
    seen = Sighting(url=config.url, address=config.address, ready=(ready, ready))
    assert is_pagehand(seen)
    assert wrongs(examine(seen)) == ["store", "store"]
