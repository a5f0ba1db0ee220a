"""The access log: one line for each request, without its query, body or headers."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

__all__ = ["log_request"]

_log = logging.getLogger("tornado.access")


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``. Requests that went well are not logged: each line costs work. A refusal is the
    client's affair; only a 500 needs somebody to look.
    """
    status, request = handler.get_status(), handler.request
    level = logging.ERROR if status == 500 else logging.INFO if status >= 400 else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    # repr: a path may hold bytes that would forge lines.
    path = repr(request.path)[1:-1]
    _log.log(
        level, "%d %s %s %s %.1fms", status, request.method, path, request.remote_ip, 1000 * request.request_time()
    )
