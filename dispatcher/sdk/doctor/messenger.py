"""Sends one request on a connection of its own, and says what became of it: an answer, or which mishap."""

from __future__ import annotations

import http.client
import re
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial

from ..client.config import ClientConfig
from ..client.exchange import CUT, ServerAnswer, words_of
from .seen import Doorstep, Heard, Mishap

__all__ = ["CONNECT_S", "Messenger"]

CONNECT_S = 5.0
#: No time at all would mean for ever.
_SHORT_S = 0.001
_MOST_BYTES = 4 << 20
#: In a certificate (DER): the organisation or the common name, and its text. The issuer's stand before the subject's.
_NAME = re.compile(rb"\x06\x03\x55\x04[\x0a\x03][\x0c\x13\x14\x16](.)", re.S)


class Messenger:
    """Asks one server. It follows no redirection, sends nothing twice, and reads no ``HTTP_PROXY``."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self._wall = wall
        self._context = context or (ssl.create_default_context() if config.address.tls else None)

    @property
    def origin(self) -> str:
        """The server's address as a browser writes it: the usual port is left out."""
        base, tls = self.config.address.base, self.config.address.tls
        return base.removesuffix(":443" if tls else ":80")

    def doorstep(self) -> Doorstep:
        """Connects, and goes away."""
        began = self.clock()
        connection = self._connection(CONNECT_S)
        try:
            connection.connect()
            return Doorstep(took_s=self.clock() - began)
        except (OSError, UnicodeError) as error:
            # There is a socket once the port has taken the connection.
            mishap = _mishap(error) if connection.sock is None else _after_connecting(error)
            issuer = self._issuer() if mishap is Mishap.CERTIFICATE else ""
            return Doorstep(mishap=mishap, words=_words(error), took_s=self.clock() - began, issuer=issuer)
        finally:
            connection.close()

    def ask(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        within_s: float = CONNECT_S,
        pieces: int = 0,
    ) -> Heard:
        """A GET, or with a ``body`` a POST. ``pieces``: only so many of the answer, or those that come in time."""
        began, at_s = self.clock(), self._wall()
        request_id = f"doctor-{secrets.token_hex(8)}"
        answer, mishap, words = None, None, ""
        came_at: list[float] = []
        try:
            given = {"X-Request-Id": request_id, **(headers or {})}
            with self._asked(target, given, body, until=began + within_s) as (reply, sock):
                read = self._rest if pieces == 0 else partial(self._pieces, pieces, came_at)
                content = read(reply, sock, began + within_s)
            answer = ServerAnswer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            mishap, words = _mishap(error), _words(error)
        took_s = self.clock() - began
        return Heard(
            answer=answer, mishap=mishap, words=words, took_s=took_s, request_id=request_id, at_s=at_s + took_s / 2,
            pieces_s=tuple(at - began for at in came_at),
        )  # fmt: skip

    @contextmanager
    def _asked(
        self, target: str, headers: Mapping[str, str], body: bytes | None, *, until: float
    ) -> Iterator[tuple[http.client.HTTPResponse, socket.socket]]:
        """Sends the request; gives the answer once its head has come."""
        with closing(self._connection(min(CONNECT_S, until - self.clock()))) as connection:
            connection.connect()
            connection.auto_open = 0
            sock = connection.sock
            sock.settimeout(max(_SHORT_S, until - self.clock()))
            given = {"Host": self.origin.partition("://")[2], "User-Agent": "pagehand-doctor", **headers}
            method, path = "GET" if body is None else "POST", self.config.address.prefix + target
            connection.request(method, path, body, {"Accept": "application/json", **given})
            yield connection.getresponse(), sock

    def _rest(self, answer: http.client.HTTPResponse, sock: socket.socket, until: float) -> bytes:
        body = b""
        while len(body) < _MOST_BYTES and (more := answer.read1(65_536)):
            body += more
            if self.clock() >= until:
                raise TimeoutError
            sock.settimeout(until - self.clock())
        if answer.length and len(body) < _MOST_BYTES:
            raise http.client.IncompleteRead(body, answer.length)
        return body

    def _pieces(
        self, most: int, came_at: list[float], answer: http.client.HTTPResponse, sock: socket.socket, until: float
    ) -> bytes:
        body = b""
        while len(came_at) < most:
            sock.settimeout(max(_SHORT_S, until - self.clock()))
            try:
                more = _piece(answer)
            except TimeoutError:
                if not came_at:
                    raise
                break
            if not more:
                break
            came_at.append(self.clock())
            body += more
        return body

    def _connection(self, limit_s: float) -> http.client.HTTPConnection:
        address = self.config.address
        if self._context is None:
            return http.client.HTTPConnection(address.host, address.port, timeout=limit_s)
        return http.client.HTTPSConnection(address.host, address.port, timeout=limit_s, context=self._context)

    def _issuer(self) -> str:
        """Who signed the certificate that is shown here: a box on the way often says its name there."""
        address = self.config.address
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with (
                socket.create_connection((address.host, address.port), CONNECT_S) as bare,
                context.wrap_socket(bare, server_hostname=address.host) as sock,
            ):
                certificate = sock.getpeercert(binary_form=True) or b""
        except OSError:
            return ""
        named = _NAME.search(certificate)
        return certificate[named.end() : named.end() + named[1][0]].decode("utf-8", "replace") if named else ""


def _piece(answer: http.client.HTTPResponse) -> bytes:
    # After a head that switches protocols these are the bytes of the new one.
    switched = answer.status == http.client.SWITCHING_PROTOCOLS
    return answer.fp.read(2) if switched else answer.read1(65_536)


def _mishap(error: BaseException) -> Mishap:
    kinds: tuple[tuple[type[BaseException], Mishap], ...] = (
        (socket.gaierror, Mishap.NAME),
        (UnicodeError, Mishap.NAME),
        (ConnectionRefusedError, Mishap.REFUSED),
        (TimeoutError, Mishap.SILENT),
        (ssl.SSLCertVerificationError, Mishap.CERTIFICATE),
        (ssl.SSLEOFError, Mishap.CUT),
        (ssl.SSLError, Mishap.TLS),
        # http.client raises it, too, where a connection was closed before an answer came.
        (ConnectionError, Mishap.CUT),
        (http.client.IncompleteRead, Mishap.CUT),
        (http.client.HTTPException, Mishap.NOT_HTTP),
        (OSError, Mishap.NO_WAY),
    )
    return next((mishap for kind, mishap in kinds if isinstance(error, kind)), Mishap.NOT_HTTP)


def _after_connecting(error: BaseException) -> Mishap:
    """Only TLS can have failed. A server without it waits for the rest of a request."""
    return Mishap.TLS if isinstance(error, TimeoutError) else _mishap(error)


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, http.client.IncompleteRead):
        return CUT
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return "the answer was not HTTP"
    return error.strerror or words_of(error) if isinstance(error, socket.gaierror) else words_of(error)
