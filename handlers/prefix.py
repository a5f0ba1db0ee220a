"""The path under which a proxy shows this server as a part of a larger site: ``--public-url https://host/jobs/``.

A proxy may take the path away before it asks us, or leave it: both are understood. Every address that we name has it.
Addresses are written without it everywhere else, and get it where they leave: ``BaseHandler`` does that.
"""

from __future__ import annotations

import re
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application

__all__ = ["OWN", "Prefix", "PrefixedApplication"]

#: With what an address of ours can begin.
OWN = frozenset(
    {"", "api", "docs", "doubts", "engine.io", "jobs", "livez", "login", "logout", "openapi.json", "operations"}
    | {"phone", "readyz", "rollout", "static", "submit", "tasks", "types", "upkeep"}
    | {"board", "failures", "help", "history", "me", "metrics", "worker", "workers"}
)
#: In a page, quotes in what people have typed are escaped: this is always the template's.
_LINK = re.compile(rb'(\s(?:href|action|src)=")(?=/(?!/))')


class Prefix:
    """``path``: as ``/jobs``, or empty where there is none."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._is_name_of_ours = bool(path) and _first(path) in OWN

    def without(self, path: str) -> str:
        """A request's path as we know it. Where the prefix is a name of ours (``/jobs``), what follows tells whether
        it is meant: no job is called ``submit``."""
        rest = path.removeprefix(self.path)
        if rest == path or not (rest or "/").startswith("/"):
            return path
        is_meant = not self._is_name_of_ours or (rest and _first(rest) in OWN)
        return (rest or "/") if is_meant else path

    def link(self, address: str) -> str:
        """An address of ours as others must write it; any other address as it is."""
        return self.path + address if address.startswith("/") and not address.startswith("//") else address

    def page(self, html: bytes) -> bytes:
        """The same for all addresses in a page."""
        path = self.path.encode()
        return _LINK.sub(lambda found: found[1] + path, html) if path else html

    def document(self, value: object) -> object:
        """The same for the ``links`` of jobs in an answer of the API."""
        if not self.path or not isinstance(value, dict):
            return value
        if isinstance(links := value.get("links"), dict):
            return value | {"links": {name: self.link(address) for name, address in links.items()}}
        if isinstance(items := value.get("items"), list):
            return value | {"items": [self.document(item) for item in items]}
        return value


def _first(path: str) -> str:
    """The first name in a path."""
    return path.split("/")[1]


class PrefixedApplication(Application):
    """Its handlers see no prefix."""

    def __init__(self, *given: Any, prefix: Prefix, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._prefix = prefix

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Called by Tornado; the type of what it wants back is its own."""
        plain = self._prefix.without(request.path)
        if plain != request.path:
            assert request.uri is not None
            request.uri = plain + request.uri.removeprefix(request.path)
            request.path = plain
        return super().find_handler(request, **kwargs)
