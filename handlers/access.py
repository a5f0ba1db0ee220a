"""What is kept of each answer: a count, and a line in the access log without query, body or headers; and refusals in
Tornado's log."""

from __future__ import annotations

import logging
from typing import Protocol

from tornado.httputil import HTTPInputError
from tornado.log import app_log, gen_log
from tornado.web import HTTPError, RequestHandler

from dispatcher.errors import PagehandError, RequestError
from handlers.site import Site

__all__ = ["Asker", "log_answer", "log_request", "note_fault", "note_refusal"]

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
    site: Site | None = getattr(handler, "site", None)  # there is none while the server starts
    problem: str = getattr(handler, "problem_code", "")
    log_answer(handler.get_status(), handler.request, getattr(handler, "request_id", "-"), problem, site)


def log_answer(status: int, request: Asker, request_id: str, problem: str, site: Site | None) -> None:
    """Counts the answer, for metrics; ``problem`` is the code of its problem, or empty.

    Requests that went well are not logged: each line costs work. A refusal is the client's affair; only a 500 needs
    somebody to look.
    """
    if site is not None:
        site.answers[status, problem] += 1
    level = logging.ERROR if status == 500 else logging.INFO if status >= 400 else logging.DEBUG
    if not _log.isEnabledFor(level):
        return
    # repr: a path may hold bytes that would forge lines.
    path = repr(request.path)[1:-1]
    took_ms = 1000 * request.request_time()
    told = {"action": "request", "request_id": request_id, "status": status, "took_ms": round(took_ms, 1)}
    line = "%d %s %s %s %.1fms %s"
    _log.log(level, line, status, request.method, path, request.remote_ip, took_ms, request_id, extra=told)


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


def note_fault(request: Asker, error: BaseException, request_id: str) -> None:
    """Logs a fault of ours with its traceback. Without the request itself: Tornado's words for it hold the query."""
    app_log.error(
        "a fault in %s %s (request %s)", request.method, request.path, request_id,
        exc_info=error, extra={"action": "request_failed", "request_id": request_id},
    )  # fmt: skip
