"""Who may ask: the rules on Host, Origin and token, as pure functions of headers and settings.

It decides for every address of the server, the transport's included, whether a request may come from where it comes
from; it knows nothing of Tornado. The rules:

- **Host** must be a name of this server. This refuses a web page that points its own DNS name at our address (DNS
  rebinding), because the browser then sends that name.
- **Origin**, if it is sent, must be our own, or one of ``allow_origin``. IE often omits it, and may omit its port. If
  ``public_url`` is set, it is our own: a proxy may give us another name in Host, and a page of the same name without
  TLS is foreign. A proxy's own headers (X-Forwarded-...) are not read: anyone can send them.
- **Token**, if one is set, must come as ``Authorization: Bearer`` or, where a proxy needs that header for itself, as
  ``X-Pagehand-Token`` or as the password of ``Authorization: Basic``. It is the settings' own, compared in constant
  time, or one of the store's, which whoever makes the guard knows to find.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Literal, NamedTuple, Protocol
from urllib.parse import urlsplit

from dispatcher.access.guesses import Guesses
from dispatcher.access.principal import ADMINISTRATOR, Principal
from dispatcher.clock import Clock, SystemClock
from dispatcher.config.settings import Settings
from dispatcher.errors import TooManyGuesses
from handlers import refusals

__all__ = ["Guard", "Headers", "Refusal", "Shown"]

#: Whose token was shown; False: a wrong one; None: none.
Shown = Principal | Literal[False] | None

_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
#: How many names and verdicts are remembered: a page sends the same names with each of its polls.
_REMEMBERED = 256


class Headers(Protocol):
    """The headers of a request, Tornado's or the transport's; the case of a name does not matter."""

    def get(self, name: str, /) -> str | None:
        """The value of a header, if it is there."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served; ``code`` is stable, ``detail`` (ASCII) says which setting changes it."""

    status: int
    code: str
    detail: str


class Guard:
    """The rules under one set of settings."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        find: Callable[[bytes], Principal | None] = lambda token: None,
        guesses: Guesses | None = None,
    ) -> None:
        #: Shared by the transport and the handlers, which write to it what was refused.
        self._clock = clock or SystemClock()
        self.log = refusals.RefusalLog(self._clock)
        self._hosts = frozenset({"localhost", _host_name(settings.bind), *map(_host_name, settings.allow_host)})
        #: Bound to every address: then an IP address may be the Host. That is no DNS name, so it cannot be rebound.
        self._any_address = _address(settings.bind) in (IPv4Address(0), IPv6Address(0)) or not settings.bind
        self._public_url = settings.public_url
        self._public = _origin(settings.public_url)
        #: Where cookies go.
        self.cookie_path = settings.public_path or "/"
        if self._public is not None:
            self._hosts |= {self._public.name}
        self._origins = frozenset(map(_plain, settings.allow_origin))
        #: Remembered, as it follows from the settings alone: no token is looked at.
        self._refusal = lru_cache(_REMEMBERED)(self._judge)
        self._token = settings.token.encode()
        #: Counts the tokens of the settings that there have been: with another one every answer in hand must end.
        self.own_tokens = 1
        self._find = find
        self._guesses = Guesses(settings.wrong_tokens) if guesses is None else guesses

    def renew(self, token: str) -> None:
        """Takes another token from now on; this signs all browsers out."""
        self.own_tokens += token.encode() != self._token
        self._token = token.encode()
        self._guesses.forgive()

    def admit(self, headers: Headers, method: str, *, joining: bool = False) -> Refusal | None:
        """Refuses a foreign Host or Origin; None if both are fine. It comes before every other check.

        ``joining``: the request is for Engine.IO, where a page must show the token before it gets anything.
        """
        return self._refusal(headers.get("Host"), headers.get("Origin"), method in _UNSAFE, joining)

    def _judge(self, host: str | None, origin: str | None, unsafe: bool, joining: bool) -> Refusal | None:
        return self._judge_host(host) or self._judge_origin(origin, host or "", unsafe, joining)

    def _judge_host(self, host: str | None) -> Refusal | None:
        """A request without a Host (HTTP/1.0) passes: no browser sends one."""
        if host is None:
            return None
        match = _HOST.fullmatch(host)
        name = _host_name(match["name"]) if match else ""
        if name and (name in self._hosts or self._is_address(name)):
            return None
        return Refusal(403, "forbidden_host", refusals.foreign_host(host, name))

    def _is_address(self, name: str) -> bool:
        address = _address(name)
        return address is not None and (address.is_loopback or self._any_address)

    def _judge_origin(self, origin: str | None, host: str, unsafe: bool, joining: bool) -> Refusal | None:
        """A request without an Origin passes: IE and programs send none, and forms have a token of their own.

        ``null`` can be any page, even where it is allowed: one in a frame in a sandbox. It may join and read."""
        if origin is None or self._is_ours(origin, host):
            return None
        may_read = origin == "null" and not joining
        fine = not unsafe if may_read else self._is_allowed(origin)
        return None if fine else Refusal(403, "forbidden_origin", self._why_foreign(origin, host))

    def _why_foreign(self, text: str, host: str) -> str:
        """What was compared, and what has probably happened on the way."""
        origin, match = _origin(text), _HOST.fullmatch(host)
        if text == "null":
            return refusals.no_origin(host)
        if origin is not None and self._public is not None and origin.name == self._public.name:
            return refusals.other_address(text, self._public_url)
        if origin is not None and match is not None and origin.name == _host_name(match["name"]):
            return refusals.other_port(text, host)
        return refusals.foreign_origin(text, host, self._public_url)

    def _is_ours(self, text: str, host: str) -> bool:
        origin, public = _origin(text), self._public
        if origin is None:
            return False
        if public is None or origin.name != public.name:
            return _same_host(origin, host)
        # IE leaves the port out of Origin.
        return origin.scheme == public.scheme and (origin.port is None or _same_port(origin, public))

    def cors_origin(self, headers: Headers) -> str | None:
        """The request's Origin if it is one of ``allow_origin``: the value of Access-Control-Allow-Origin."""
        origin = headers.get("Origin") or ""
        return origin if self._is_allowed(origin) else None

    def _is_allowed(self, origin: str) -> bool:
        return origin.lower() in self._origins

    @property
    def secure(self) -> bool:
        """Whether people come over TLS: then cookies must not go without it."""
        return self._public is not None and self._public.scheme == "https"

    @property
    def cookie_terms(self) -> dict[str, Any]:
        """What every cookie of ours is set with."""
        return {"httponly": True, "samesite": "Lax", "secure": self.secure, "path": self.cookie_path}

    @property
    def open(self) -> bool:
        """Whether no token is set: then everyone who reaches the server may use it."""
        return not self._token

    def whose(self, token: bytes, remote: str | None) -> Principal | None:
        """Who has this token; None: nobody. Takes the same time for every wrong one.

        ``remote``: the address that it comes from. Raises TooManyGuesses.
        """
        who = self._find(token)
        if who is not None or not self._token:
            return who
        try:
            return ADMINISTRATOR if self._guesses.right(self._token, token, remote or "", self._now()) else None
        except TooManyGuesses as refusal:
            self.log.note(refusal.code, refusal.detail, path="any address", remote=str(remote))
            raise

    def _now(self) -> float:
        return self._clock.monotonic()

    def shown(self, headers: Headers, remote: str | None) -> Shown:
        """Whose token the headers carry; None if they carry none, or what is meant for a proxy before us. Raises as
        ``whose`` does."""
        return self._basic(headers, remote) or self.bearer(headers, remote)

    def bearer(self, headers: Headers, remote: str | None) -> Shown:
        """The same without Basic, which a browser sends by itself with whatever a foreign page makes it send."""
        header = headers.get("X-Pagehand-Token")
        if header is not None:
            return self.whose(_bytes_of(header), remote) or False
        scheme, _, token = (headers.get("Authorization") or "").partition(" ")
        if scheme.lower() in ("", "basic"):
            return None
        return (scheme.lower() == "bearer" and self.whose(_bytes_of(token), remote)) or False

    def _basic(self, headers: Headers, remote: str | None) -> Principal | None:
        """Whose token is the password of ``Authorization: Basic``, of any user."""
        scheme, _, credentials = (headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "basic" or headers.get("X-Pagehand-Token") is not None:
            return None
        try:
            _, _, password = base64.b64decode(_bytes_of(credentials), validate=True).partition(b":")
        except ValueError:
            return None
        who = self._find(password)
        if who is None and self._token and self._guesses.password_is(self._token, password, remote or "", self._now()):
            return ADMINISTRATOR
        return who

    def cookie_key(self) -> str:
        """Signs the console's cookie. It is made from the token, so another token signs all browsers out."""
        return _stretched(self._token)


def _bytes_of(header: str) -> bytes:
    """Header values are bytes, read as Latin-1."""
    return header.strip().encode("latin-1", "replace")


@lru_cache(maxsize=64)
def _stretched(token: bytes) -> str:
    # Slow on purpose: a leaked cookie must not let anybody test guesses at a weak token quickly.
    return hashlib.pbkdf2_hmac("sha256", token, b"pagehand console session", 100_000).hex()


def _plain(origin: str) -> str:
    """``file://`` has no name, and keeps its slashes."""
    return origin.lower() if origin.endswith("://") else origin.lower().rstrip("/")


@lru_cache(maxsize=_REMEMBERED)
def _host_name(host: str) -> str:
    """A Host or a setting as a bare name: lower case, without brackets and a trailing dot."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0][1:]
    # A setting may come with a port; an IPv6 address has more than one colon.
    if name.count(":") == 1:
        name = name.partition(":")[0]
    return name.rstrip(".")


@lru_cache(maxsize=_REMEMBERED)
def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name.strip("[]"))
    except ValueError:
        return None


class _Origin(NamedTuple):
    """An origin. Without a port it has the usual one of its scheme, or IE left the port out."""

    scheme: str
    name: str
    port: int | None


@lru_cache(maxsize=_REMEMBERED)
def _origin(text: str) -> _Origin | None:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    return _Origin(parts.scheme, parts.hostname.rstrip("."), port)


def _same_port(one: _Origin, other: _Origin) -> bool:
    """Compares the ports of two origins of the same scheme."""
    usual = _DEFAULT_PORTS[one.scheme]
    return (one.port or usual) == (other.port or usual)


def _same_host(origin: _Origin, host: str) -> bool:
    """The scheme is not compared: a proxy may speak TLS for us."""
    match = _HOST.fullmatch(host)
    if match is None or origin.name != _host_name(match["name"]):
        return False
    ports = {int(match["port"])} if match["port"] else set(_DEFAULT_PORTS.values())
    # IE leaves the port out of Origin.
    return origin.port is None or origin.port in ports
