"""The access log: one line for each request, without its query, body or headers."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

__all__ = ["log_request"]

_log = logging.getLogger("tornado.access")
#: Asked all the time by machines; only their failures are news.
_QUIET = ("/livez", "/readyz", "/engine.io/")


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``. A refusal is the client's affair: only 5xx of ours needs somebody to look."""
    status, request = handler.get_status(), handler.request
    level = logging.ERROR if status == 500 else logging.INFO
    if status < 400 and request.path.startswith(_QUIET):
        level = logging.DEBUG
    # repr: a path may hold bytes that would forge lines.
    path = repr(request.path)[1:-1]
    _log.log(
        level, "%d %s %s %s %.1fms", status, request.method, path, request.remote_ip, 1000 * request.request_time()
    )
