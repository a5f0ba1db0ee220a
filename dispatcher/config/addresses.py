"""Addresses as a browser sends them: settings that people write otherwise are brought into that form, or refused.

A browser leaves out the usual port, writes names in small letters, and names beyond ASCII as ``xn--...``. What is no
address at all passes unchanged: ``checks.py`` has the words for it.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

__all__ = ["as_browsers_send", "without_password"]

_USUAL_PORTS = {"http": "80", "https": "443"}
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>\[[^\]]*\]|[^/?#@:\[\]]+)(:(?P<port>[0-9]*))?/?", re.IGNORECASE)
_URL = re.compile(r"(?P<start>[a-z]+://)(?P<host>[^/:]+)(?P<end>.*)", re.IGNORECASE)
#: Letters that older programs write as others (and the standard library with them), and browsers do not.
_DISPUTED = re.compile("[\u00df\u03c2\u200c\u200d]")


def as_browsers_send(setting: str, text: str) -> str:
    """The value of this setting, or of one item of its list. Raises ValueError with words that follow its name."""
    if setting == "allow_origin":
        return _origin(text)
    if setting == "allow_host":
        name, colon, port = text.rpartition(":") if re.search(r"[^\]]:[0-9]+$", text) else (text, "", "")
        return _host(name) + colon + port
    if setting == "public_url" and (match := _URL.fullmatch(text)):
        return match["start"] + _host(match["host"]) + match["end"]
    return text


def _origin(text: str) -> str:
    if "*" in text.partition("://")[2]:
        raise ValueError("must be one origin in full: no * stands for others. Give the flag once for each origin")
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return text
    scheme, port = match["scheme"].lower(), match["port"] or ""
    if port and not 1 <= int(port[:6]) <= 65_535:
        raise ValueError(f"must be an origin whose port is from 1 to 65535, not {port}")
    shown = "" if port.lstrip("0") in ("", _USUAL_PORTS[scheme]) else f":{int(port)}"
    return f"{scheme}://{_host(match['host']).lower()}{shown}"


def _host(name: str) -> str:
    if "*" in name:
        raise ValueError("must be one name in full: no * stands for others")
    if name.startswith("["):
        return _ipv6(name)
    if name.isascii():
        return name
    try:
        if _DISPUTED.search(name):
            raise ValueError
        return name.encode("idna").decode()
    except ValueError:
        raise ValueError(f"must be written as browsers write {name!r}: in ASCII, with xn-- before a name") from None


def _ipv6(name: str) -> str:
    try:
        return f"[{IPv6Address(name[1:-1]).compressed}]"
    except ValueError:
        return name


def without_password(url: str) -> str:
    """The address of a store as it may stand in words and logs."""
    return re.sub(r"(password=)[^&]*", r"\1...", re.sub(r"(//[^:@/]*):.*@", r"\1:...@", url))
