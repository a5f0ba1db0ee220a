"""Where a server is: the parts of its address. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

__all__ = ["ServerAddress"]


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, from its address."""

    host: str
    port: int
    tls: bool
    #: The path under which the server lives, without a slash at its end.
    prefix: str

    @classmethod
    def parse(cls, url: str) -> ServerAddress:
        """Raises ValueError for anything but an http or https address."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http address: {url}")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls, parts.path.rstrip("/"))

    @property
    def base(self) -> str:
        """The address again, without the prefix."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def netloc(self) -> str:
        """The value of the ``Host`` header."""
        return self.base.partition("://")[2]
