"""``/openapi.json``: the description of this server, without a token: it holds no secrets."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tornado.routing import URLSpec

from handlers.answers import JSON_TEXT, as_json
from handlers.api.openapi.document import described
from handlers.base import ApiHandler
from handlers.site import Site

__all__ = ["Description", "DescriptionHandler"]


class Description:
    """The description of routes; it is made when somebody first asks for it."""

    def __init__(self, public_path: str) -> None:
        self._public_path = public_path
        #: To be filled in, for the address of the description is one of them.
        self.routes: list[URLSpec] = []

    @cached_property
    def document(self) -> dict[str, Any]:
        """All of it."""
        return described(self.routes, self._public_path)

    @cached_property
    def text(self) -> bytes:
        """The same as JSON."""
        return as_json(self.document)


class DescriptionHandler(ApiHandler):
    """``/openapi.json``."""

    public = True

    def initialize(self, site: Site, description: Description) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        super().initialize(site)
        self._description = description

    def get(self) -> None:
        """The whole document."""
        self.set_header("Content-Type", JSON_TEXT)
        self.finish(self._description.text)

    head = get
