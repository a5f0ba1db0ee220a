"""Where a message may go: which URLs, and which addresses a host may have. Resolves nothing and connects to nothing.

A receiver is named by somebody else than whoever runs the network, so a URL must not lead the server to what only the
server can reach. Names are judged first; then each address that the name has, and the connection goes to that address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = [
    "LONGEST_URL",
    "AllowedTargets",
    "Target",
    "allowed_callbacks",
    "allowed_targets",
    "refused_address",
    "target_of",
]

LONGEST_URL = 2_000
_USUAL_PORTS = {"http": 80, "https": 443}
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
#: A last label of this form makes a resolver read the name as a number: 0x7f.1, 127.1, 2130706433.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_URL = re.compile(r"[!-~]+")

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[_Network, ...]:
    return tuple(ip_network(text) for text in texts)


#: No setting opens these: nobody is there, or many are.
_NEVER = _networks("0.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
#: This machine, and what only a machine's own network has, such as the metadata of a cloud: a name does not open them.
_NEAR = _networks("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10", "fec0::/10", "fd00:ec2::254/128")
#: Networks of offices, and what is no address of the internet.
_PRIVATE = _networks(
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7",
    "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    "2001:db8::/32", "100::/64",
)  # fmt: skip
#: Networks whose addresses have one of IPv4 in them, and how many bits stand behind it.
_WRAPPED = (
    (IPv6Network("::/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_TEREDO = IPv6Network("2001::/32")


class Target(NamedTuple):
    """A URL that was judged."""

    scheme: str
    #: A name in small letters, or an address without brackets.
    host: str
    port: int
    #: With the query.
    path: str

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """As a request names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


class AllowedTargets(NamedTuple):
    """What the administrator allows beyond the internet. Made by ``allowed_targets``."""

    #: Names and addresses.
    hosts: frozenset[str] = frozenset()
    #: (host, port)
    ports: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[_Network, ...] = ()
    #: The flag by which more is allowed.
    flag: str = "--webhook-allow"
    #: Nothing else is allowed, not the internet either.
    named_only: bool = False


def allowed_callbacks(entries: Iterable[str]) -> AllowedTargets:
    """Where callbacks may go: each entry is a host or ``host:port``. Raises ValueError with words."""
    made = allowed_targets(entries)
    if made.networks:
        raise ValueError(f"must be a host or host:port, not {made.networks[0]}: a callback's host is named")
    return made._replace(flag="--callback-host", named_only=True)


def allowed_targets(entries: Iterable[str]) -> AllowedTargets:
    """Each entry is a host, ``host:port`` or a network such as ``10.0.0.0/8``. Raises ValueError with words."""
    hosts, ports, networks = set(), set(), []
    for entry in entries:
        if "/" in entry:
            try:
                networks.append(ip_network(entry))
            except ValueError as error:
                raise ValueError(f"must be a host, host:port or a network like 10.0.0.0/8: {error}") from None
            continue
        host, port = _host_and_port(entry)
        hosts.add(host)
        if port is not None:
            ports.add((host, port))
    return AllowedTargets(frozenset(hosts), frozenset(ports), tuple(networks))


def _host_and_port(entry: str) -> tuple[str, int | None]:
    words = f"must be a host, host:port or a network like 10.0.0.0/8, not {entry!r}"
    bare = entry.count(":") > 1 and not entry.startswith("[")
    try:
        parts = urlsplit(f"//[{entry}]" if bare else f"//{entry}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(words) from None
    if "@" in entry or parts.path or not _is_host(host) or port == 0:
        raise ValueError(words)
    return _plain(host), port


def _is_host(host: str) -> bool:
    """Whether it is a name, or an address in its usual form."""
    if ":" in host:
        return _address(host) is not None and "%" not in host
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        return _address(host) is not None
    return len(host) <= 253 and _NAME.fullmatch(host) is not None


def _address(text: str) -> _Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _plain(host: str) -> str:
    address = _address(host)
    return host if address is None else address.compressed


def target_of(url: str, allowed: AllowedTargets) -> Target:
    """The parts of a URL that a message may go to, as far as the URL tells. Raises ValueError with words."""
    if len(url) > LONGEST_URL or _URL.fullmatch(url) is None or "\\" in url:
        raise ValueError(f"must be an address of at most {LONGEST_URL:,} characters of ASCII, without blanks")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("must be an address like https://host.example/path") from None
    if parts.scheme not in _USUAL_PORTS or not _is_host(host):
        raise ValueError(
            "must be an address like https://host.example/path: http or https, and a host by its name or by its plain "
            "address, without a dot at its end"
        )
    if "@" in parts.netloc:
        raise ValueError("must not have a user or a password in it: messages are signed")
    if "#" in url:
        raise ValueError("must not have a fragment (#)")
    usual = _USUAL_PORTS[parts.scheme]
    made = Target(parts.scheme, _plain(host), usual if port is None else port, _path(parts.path, parts.query))
    if allowed.named_only and made.host not in allowed.hosts:
        raise ValueError(f"must lead to a host that is allowed: start the server with {allowed.flag} {made.host}")
    if made.port not in _USUAL_PORTS.values() and (made.host, made.port) not in allowed.ports:
        raise ValueError(
            f"must have the port 80 or 443: for another one start the server with {allowed.flag} {made.address}"
        )
    literal = _address(made.host)
    reason = None if literal is None else refused_address(made, literal, allowed)
    if reason is not None:
        raise ValueError(reason)
    return made


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def refused_address(target: Target, address: _Address, allowed: AllowedTargets) -> str | None:
    """Why the target's host may not have this address, in words that follow the name of the field; None: it may."""
    forms = _forms(address)
    if any(_within(form, _NEVER) for form in forms):
        return f"must not lead to {address}: nobody can be there"
    named = [form for form in forms if not _is_allowed(form, allowed)]
    is_local = target.host == "localhost" and "localhost" in allowed.hosts
    near = [form for form in named if _within(form, _NEAR) and not (is_local and form.is_loopback)]
    if near:
        return _words(address, "of the server's own machine or link", near[0], allowed)
    if any(_within(form, _PRIVATE) for form in named) and target.host not in allowed.hosts:
        return _words(address, "of a private network", target.host, allowed)
    return None


def _words(address: _Address, what: str, entry: object, allowed: AllowedTargets) -> str:
    return f"must not lead to {address}, an address {what}: start the server with {allowed.flag} {entry} if it may"


def _forms(address: _Address) -> list[_Address]:
    """The address, and the one of IPv4 that may be in it: a gateway may lead there."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    value = int(address)
    found: list[_Address] = [IPv6Address(value)]
    if value > 1:  # :: and ::1 wrap nothing
        found += [IPv4Address(value >> behind & 0xFFFFFFFF) for network, behind in _WRAPPED if address in network]
    if address in _TEREDO:
        found.append(IPv4Address(value & 0xFFFFFFFF ^ 0xFFFFFFFF))
    return found


def _within(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _is_allowed(address: _Address, allowed: AllowedTargets) -> bool:
    return address.compressed in allowed.hosts or _within(address, allowed.networks)
