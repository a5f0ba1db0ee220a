"""The access log: one line for each request, without its query, body or headers; and refusals in Tornado's log."""

from __future__ import annotations

import logging
from typing import Protocol

from tornado.httputil import HTTPInputError
from tornado.log import gen_log
from tornado.web import HTTPError, RequestHandler

from dispatcher.errors import PagehandError, RequestError

__all__ = ["Asker", "log_answer", "log_request", "note_refusal"]

_log = logging.getLogger("tornado.access")


class Asker(Protocol):
    """A request, as far as a log names it."""

    @property
    def method(self) -> str | None: ...
    @property
    def path(self) -> str: ...
    @property
    def remote_ip(self) -> str | None: ...
    def request_time(self) -> float: ...


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``."""
    log_answer(handler.get_status(), handler.request)


def log_answer(status: int, request: Asker) -> None:
    """Requests that went well are not logged: each line costs work. A refusal is the client's affair; only a 500
    needs somebody to look.
    """
    level = logging.ERROR if status == 500 else logging.INFO if status >= 400 else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    # repr: a path may hold bytes that would forge lines.
    path = repr(request.path)[1:-1]
    _log.log(
        level, "%d %s %s %s %.1fms", status, request.method, path, request.remote_ip, 1000 * request.request_time()
    )


def note_refusal(request: Asker, error: BaseException) -> bool:
    """Notes an error that is no fault of ours; its status is in the access log. False: it is a fault."""
    if isinstance(error, PagehandError):
        level = gen_log.debug if isinstance(error, RequestError) else gen_log.info
        level("%s %s: %s", request.method, request.path, error.code)
    elif isinstance(error, (HTTPError, HTTPInputError)):
        gen_log.debug("%s %s: %s", request.method, request.path, type(error).__name__)
    else:
        return False
    return True
