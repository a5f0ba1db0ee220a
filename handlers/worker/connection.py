"""``/engine.io/test``: what the worker page asks when a person there presses *Test connection*.

It stands beside the pages' transport, so that a proxy treats it as it treats their own requests. Like the transport it
asks for no token. It knows no job, keeps nothing of what comes but its stamp, and answers in a line. A turnstile bounds
how many requests there are, so that nobody holds the server's connections with it.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from handlers.answers import JSON_TEXT, as_json
from handlers.queries import WAIT, text_argument, wait_argument
from handlers.site import Site
from handlers.worker.files import SharedHandler
from handlers.worker.turnstile import Turnstile

__all__ = ["AT_ONCE", "PER_MINUTE", "ConnectionTestHandler"]

#: A page has three requests under way while it tests, and makes about a dozen.
AT_ONCE = 60
PER_MINUTE = 600


class ConnectionTestHandler(SharedHandler):
    """GET answers at once or after ``?wait=`` seconds; POST says how many bytes have come."""

    problems = True
    query_fields: ClassVar = WAIT

    def initialize(self, site: Site, turnstile: Turnstile) -> None:  # type: ignore[override]
        """Called by Tornado with what the route says."""
        super().initialize(site)
        self._turnstile, self._is_inside = turnstile, False
        self._bytes = 0

    def set_default_headers(self) -> None:
        """Nobody between may keep an answer."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def body_limit(self) -> int:
        """As much as a page may send in one POST."""
        return self.site.settings.post_limit

    def check(self) -> None:
        """The rules of every address; then there must be a place."""
        super().check()
        self._turnstile.enter(self.site.clock.monotonic())
        self._is_inside = True

    def data_received(self, chunk: bytes) -> None:
        """Counts, and keeps nothing. A chunked body shows its size only as it comes."""
        self._bytes += len(chunk)
        if self._bytes > self.limit and not self._dropping:
            self._refuse_after_body(self.too_large())

    async def get(self) -> None:
        """What the page compares with what it sees itself. One that comes again is answered at once, and too early:
        that is how the page learns that the first one was cut, and when."""
        wait_s = wait_argument(self)
        if wait_s and not self._turnstile.has_come_before(text_argument(self, "t")):
            await self.client.patiently(asyncio.sleep(wait_s))
        settings = self.site.settings
        self._tell(
            {
                "now_ms": round(self.site.clock.utc() * 1000),
                "poll_ms": round(settings.ping_interval_s * 1000),
                "post_limit": settings.post_limit,
                "websocket": settings.transports != "polling",
            }
        )

    head = get

    def post(self) -> None:
        """So many bytes of a body have come; they are thrown away."""
        self._tell({"bytes": self._bytes})

    def on_finish(self) -> None:
        """The answer is out; called by Tornado."""
        self._leave()
        super().on_finish()

    def on_connection_close(self) -> None:
        """The page has gone; called by Tornado."""
        self._leave()
        super().on_connection_close()

    def _tell(self, value: object) -> None:
        if not self.client.has_gone:
            self.set_header("Content-Type", JSON_TEXT)
            self.finish(as_json(value))

    def _leave(self) -> None:
        if self._is_inside:
            self._is_inside = False
            self._turnstile.leave()
