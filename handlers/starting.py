"""Answers while the server starts: it lives, it is not ready, and every other request must come again.

It is an application of its own: there is no store yet, and so no service that a handler could call.
"""

from __future__ import annotations

from typing import Any

from tornado.web import Application, url

from dispatcher.errors import Starting
from handlers.access import log_request
from handlers.base import BaseHandler
from handlers.prefix import Prefix, PrefixedApplication
from handlers.worker.files import LiveHandler

__all__ = ["RETRY_AFTER_S", "make_starting_app"]

#: Most starts are over after this time.
RETRY_AFTER_S = 1
#: A page that was opened too early loads itself anew after this time: at a kiosk nobody would do that.
_REFRESH_S = 5


class _StartingHandler(BaseHandler):
    """Refuses every request."""

    public = True
    guarded = False

    def check(self) -> None:
        """Raises Starting."""
        raise Starting("the server is starting: try again in a moment", retry_after_s=RETRY_AFTER_S)

    def set_default_headers(self) -> None:
        """Sets the headers of every answer."""
        super().set_default_headers()
        if self.request.method == "GET" and not self.problems:
            self.set_header("Refresh", str(_REFRESH_S))


class _StartingApiHandler(_StartingHandler):
    """The same for programs."""

    problems = True


class _StartingReadyHandler(BaseHandler):
    """``/readyz``: not yet."""

    public = True
    guarded = False

    def get(self) -> None:
        """Always 503."""
        self.set_status(503)
        self.set_header("Retry-After", str(RETRY_AFTER_S))
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if self.get_query_argument("verbose", None) is not None:
            self.write("[-]started\n[-]takes jobs\n")
        self.finish("not ready: the server is starting\n")

    head = get


def make_starting_app(prefix: Prefix) -> Application:
    """The application until there is a service."""
    given: dict[str, Any] = {"site": None}  # none of these handlers asks for it
    specs = [
        url(r"/livez", LiveHandler, given),
        url(r"/readyz", _StartingReadyHandler, given),
        url(r"/api(?:/.*)?", _StartingApiHandler, given),
        url(r"/.*", _StartingHandler, given),
    ]
    return PrefixedApplication(
        specs,
        prefix=prefix,
        default_handler_class=_StartingHandler,
        default_handler_args=given,
        log_function=log_request,
        serve_traceback=False,
    )
