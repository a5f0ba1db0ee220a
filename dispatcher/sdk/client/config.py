"""Where the address and the token come from: argument, then environment, then file, then default.

The file is ``~/.config/pagehand/config.toml`` (``%APPDATA%\\pagehand\\config.toml`` on Windows), with ``url`` and
``token`` or ``token_file``. Its token is not sent to another server than its ``url``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..address import ServerAddress
from .errors import BadConfig

__all__ = ["DEFAULT_URL", "ClientConfig", "config_path", "find_config"]

DEFAULT_URL = "http://127.0.0.1:8888"
_KEYS = {"url", "token", "token_file"}


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Which server, and how to show who asks. Its words never show the token."""

    url: str
    address: ServerAddress
    token: str | None = field(default=None, repr=False)


def find_config(
    url: str | None, token: str | None, *, environ: Mapping[str, str] | None = None, path: Path | None = None
) -> ClientConfig:
    """Raises BadConfig."""
    environ = os.environ if environ is None else environ
    file = _read(config_path(environ) if path is None else path)
    address = _address(url or environ.get("PAGEHAND_URL") or file.get("url") or DEFAULT_URL)
    found = token or environ.get("PAGEHAND_TOKEN") or _secret(environ.get("PAGEHAND_TOKEN_FILE"))
    if not found and (not file.get("url") or _address(file["url"]) == address):
        found = file.get("token") or _secret(file.get("token_file"))
    return ClientConfig(address.base + address.prefix, address, _checked(found))


def config_path(environ: Mapping[str, str]) -> Path | None:
    """Where the file may lie; None if nothing says where this person's files are."""
    if base := environ.get("APPDATA" if os.name == "nt" else "XDG_CONFIG_HOME"):
        return Path(base) / "pagehand" / "config.toml"
    home = environ.get("USERPROFILE" if os.name == "nt" else "HOME")
    return Path(home) / ".config" / "pagehand" / "config.toml" if home else None


def _address(url: str) -> ServerAddress:
    try:
        address = ServerAddress.parse(url)
    except ValueError:
        # A wrong address may hold a password: it is not repeated.
        raise BadConfig("the address of the server is not like http://pagehand.example:8888") from None
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise BadConfig("the address of the server has a name or a password in it: give the token as token=")
    return address


def _read(path: Path | None) -> dict[str, str]:
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig")) if path else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path} cannot be read: {error}") from error
    for name, value in found.items():
        if name not in _KEYS or not isinstance(value, str):
            raise BadConfig(f"{path}: {name} is none of url, token and token_file, each of them a text")
    return found


def _secret(path: str | None) -> str | None:
    if not path:
        return None
    try:
        return Path(path).expanduser().read_text("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise BadConfig(f"the file of the token, {path}, cannot be read: {error}") from error


def _checked(token: str | None) -> str | None:
    if token and not all("!" <= letter <= "~" for letter in token):
        raise BadConfig("the token has letters other than printable ASCII, or blanks: is it whole?")
    return token or None
