"""Every address that no route names; what was probably meant is helped on.

A slash at the end, or capitals, are no reason to say that nothing is there. A GET is led to the right address; anything
else is told of it, because few programs send a body again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from tornado.web import HTTPError

from dispatcher.errors import AddressNotFound
from handlers.base import ApiHandler, BaseHandler
from handlers.console.page import PageHandler
from handlers.site import Site

__all__ = ["ApiNotFound", "PageNotFound", "meant"]


def meant(path: str, known: Sequence[re.Pattern[str]]) -> str | None:
    """The address of ours that this one was probably meant for."""
    plain = path.rstrip("/")
    for address in (plain, plain.lower()):
        if any(pattern.match(address) for pattern in known):
            return address
    return None


class _Nowhere(BaseHandler):
    public = True

    def initialize(self, site: Site, known: Sequence[re.Pattern[str]]) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says; ``known`` are the patterns of all other routes."""
        super().initialize(site)
        self._known = known

    def check(self) -> None:
        """404 or the way, whatever the method."""
        self.share()
        self.admit()
        address = meant(self.request.path, self._known)
        if address is None:
            self.say_nothing()
        if self.request.method not in ("GET", "HEAD"):
            link = self.site.prefix.link(address)
            raise AddressNotFound(f"There is nothing at {self.own_address()}. Send it to {link}.")
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(address + query, status=307)

    def say_nothing(self) -> NoReturn:
        """Raises what is answered where nothing is near."""
        raise HTTPError(404)


class PageNotFound(_Nowhere, PageHandler):
    """For people."""


class ApiNotFound(_Nowhere, ApiHandler):
    """Under ``/api``."""

    def say_nothing(self) -> NoReturn:
        """Programs are told where all addresses stand."""
        raise AddressNotFound(f"There is nothing at this address: {self.site.prefix.link('/docs')} has them all.")
