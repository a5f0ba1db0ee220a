"""What is kept of each answer: a line in the access log, without query, body or headers, and a count."""

from __future__ import annotations

import logging

from tornado.web import RequestHandler

from handlers.base import BaseHandler

__all__ = ["log_request"]

_log = logging.getLogger("tornado.access")


def log_request(handler: RequestHandler) -> None:
    """Tornado's ``log_function``. Counts the answer for metrics.

    Requests that went well are not logged: each line costs work. A refusal is the client's affair; only a 500 needs
    somebody to look.
    """
    status, request = handler.get_status(), handler.request
    if isinstance(handler, BaseHandler) and handler.site is not None:  # there is no site while the server starts
        handler.site.answers[status, handler.problem_code] += 1
    level = logging.ERROR if status == 500 else logging.INFO if status >= 400 else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    # repr: a path may hold bytes that would forge lines.
    path = repr(request.path)[1:-1]
    took_ms = 1000 * request.request_time()
    request_id = getattr(handler, "request_id", "-")
    told = {"action": "request", "request_id": request_id, "status": status, "took_ms": round(took_ms, 1)}
    line = "%d %s %s %s %.1fms %s"
    _log.log(level, line, status, request.method, path, request.remote_ip, took_ms, request_id, extra=told)
