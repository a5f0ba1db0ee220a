"""Posts one message: resolves the host once, judges every address that it has, and connects to one of these.

Plain streams of asyncio, because they let the caller choose the address while TLS checks the name of the URL, and let
it stop reading where it wants. A client that resolves by itself could be led elsewhere between check and connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Protocol

from msgspec import Struct

from dispatcher.node.webhooks.wire import MOST_HEAD, BadHookAnswer, HookAnswerHead, read_answer, request_bytes
from dispatcher.webhooks.targets import AllowedTargets, Target, refused_address, target_of

__all__ = ["TIMEOUT_S", "HookAnswer", "HttpPoster", "Poster", "Resolve", "system_resolve"]

#: For all of one attempt: name, connection, TLS, request and answer.
TIMEOUT_S = 15.0
#: Most addresses of a host that are tried.
_MOST_ADDRESSES = 4

#: (host, port) -> its addresses. Raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class HookAnswer(Struct, frozen=True):
    """What came of an attempt."""

    #: None: there was no answer.
    status: int | None
    #: Why it is no success; None: it is one, or the status says it.
    error: str | None = None
    #: ``Retry-After`` in seconds.
    retry_after_s: float | None = None


class Poster(Protocol):
    """What sends messages. Tests have one that sends nothing."""

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> HookAnswer:
        """Sends a message once. What goes wrong is told in the answer."""
        ...


async def system_resolve(host: str, port: int, look_up: Callable[..., Any] = socket.getaddrinfo) -> list[str]:
    """As the machine resolves names, each in a thread of its own.

    A name that no server answers for holds its thread for longer than the attempt lasts. In the loop's few threads it
    would delay all other names, and the end of the program.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(addresses: list[str], error: Exception | None) -> None:
        if not found.done():
            found.set_result(addresses) if error is None else found.set_exception(error)

    def ask() -> None:
        addresses, failed = list[str](), None
        try:
            entries = look_up(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except (OSError, ValueError) as error:  # a name that cannot be written for DNS is a ValueError
            failed = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, addresses, failed)

    threading.Thread(target=ask, name="webhook-name", daemon=True).start()
    return await found


class HttpPoster:
    """Posts over HTTP and HTTPS. ``utc`` tells the time, for a ``Retry-After`` that is a date."""

    def __init__(
        self,
        allowed: AllowedTargets,
        utc: Callable[[], float],
        *,
        resolve: Resolve = system_resolve,
        timeout_s: float = TIMEOUT_S,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed, self._utc, self._resolve, self._timeout_s = allowed, utc, resolve, timeout_s
        self._trust = trust

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> HookAnswer:
        """See Poster."""
        try:
            target = target_of(url, self._allowed)
            async with asyncio.timeout(self._timeout_s):
                head = await self._exchange(target, headers, body)
        except TimeoutError:
            return HookAnswer(None, f"there was no whole answer within {self._timeout_s:g} s")
        except ssl.SSLCertVerificationError as error:
            return HookAnswer(None, f"the receiver's certificate is not valid: {error.verify_message}")
        except ssl.SSLError as error:
            return HookAnswer(None, f"there is no TLS connection: {error.reason or 'it was refused'}")
        except socket.gaierror:
            return HookAnswer(None, "its host has no address: the name cannot be resolved")
        except ValueError as error:
            return HookAnswer(None, f"the address {error}")
        except BadHookAnswer as error:
            return HookAnswer(None, str(error))
        except OSError as error:
            return HookAnswer(None, f"the connection failed: {error.strerror or type(error).__name__}")
        return HookAnswer(head.status, retry_after_s=self._seconds(head.retry_after))

    async def _exchange(self, target: Target, headers: dict[str, str], body: bytes) -> HookAnswerHead:
        reader, writer = await self._connect(target)
        try:
            writer.write(request_bytes("POST", target.path, target.host_header, headers, body))
            return await read_answer(reader)
        finally:
            writer.transport.abort()

    async def _connect(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises ValueError if the host has an address that it may not have, even beside others."""
        addresses = await self._resolve(target.host, target.port)
        for address in addresses:
            if reason := refused_address(target, ip_address(address), self._allowed):
                raise ValueError(reason)
        context, name = (self._context, target.host) if target.scheme == "https" else (None, None)
        failed: OSError = OSError("its host has no address")
        for address in addresses[:_MOST_ADDRESSES]:
            try:
                return await asyncio.open_connection(
                    address, target.port, limit=MOST_HEAD, ssl=context, server_hostname=name
                )
            except ssl.SSLError:
                raise
            except OSError as error:
                failed = error
        raise failed

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()

    def _seconds(self, text: str | None) -> float | None:
        if text is None:
            return None
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self._utc())
        except (ValueError, OverflowError):
            return None
