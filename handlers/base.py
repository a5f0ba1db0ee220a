"""The base of all handlers: the rules for every address, security headers, errors as answers, on Tornado's handler.

A handler is a verb: it parses, calls one method of the service and writes. ``prepare`` refuses what the rules refuse
(see ``rules``; a handler must say ``public`` to be served without the token), and answers 413 before it reads a body
that is too large. This module knows no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, NoReturn

from tornado.web import HTTPError, RequestHandler, stream_request_body

from dispatcher.errors import BadParameter, PagehandError
from dispatcher.reading import query_field_of
from handlers.access import note_fault, note_refusal
from handlers.answers import (
    JSON_TEXT,
    PROBLEM_TEXT,
    HttpAnswer,
    as_json,
    policy_for,
    problem_headers,
    request_id_of,
    strict_headers,
    usual_headers,
)
from handlers.client import AskingClient
from handlers.errors import Problem, problem_of
from handlers.rules import DRAIN_BYTES, ApiRules, Rules, bound
from handlers.site import Site

__all__ = ["ApiHandler", "BaseHandler", "as_json"]

#: Headers that a page of another origin may send.
_TAKEN = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, Traceparent, "
    "X-Pagehand-Token, X-Request-Id"
)


@stream_request_body
class BaseHandler(RequestHandler, Rules):
    """Applies the rules for every address, and writes."""

    #: Whether errors are problem documents, not pages.
    problems: ClassVar[bool] = False

    site: Site
    request_id: str

    def initialize(self, site: Site) -> None:
        """Called by Tornado with the route's arguments."""
        self.site = site
        self.set_all(self._strict())
        self.body = bytearray()
        self.limit = self.body_limit()
        self.client = AskingClient()
        #: The code of the problem that it answers with; empty: there is none.
        self.problem_code = ""
        self._dropping = False

    def set_default_headers(self) -> None:
        """Sets the headers of every answer, errors included."""
        if not hasattr(self, "request_id"):
            self.request_id = request_id_of(self.request.headers)
        self.clear_header("Server")
        self.set_all(usual_headers(self.request_id) | self._strict())

    def _strict(self) -> dict[str, str]:
        # Tornado sets headers before it knows the site, and after. There is none while the server starts.
        site: Site | None = getattr(self, "site", None)
        return strict_headers(0 if site is None else site.settings.hsts_s)

    def set_all(self, headers: Mapping[str, str]) -> None:
        """Sets each of these."""
        for name, value in headers.items():
            self.set_header(name, value)

    def allow_frames(self, ancestors: str) -> None:
        """Sets which pages may show this one in a frame, as CSP's ``frame-ancestors``."""
        self.set_header("Content-Security-Policy", policy_for(ancestors))
        if ancestors == "'none'":
            self.set_header("X-Frame-Options", "DENY")
        else:
            self.clear_header("X-Frame-Options")

    # Who may ask

    def prepare(self) -> None:
        """Refuses a request that must not be served; Tornado calls it after the headers, before the body."""
        bound(self.request.connection, self.most_bytes())
        try:
            self.check()
        except (PagehandError, HTTPError) as error:
            if not self._body_will_come():
                raise
            self._refuse_after_body(error)

    def takes_method(self) -> bool:
        """Whether this handler has a verb for the request's method."""
        return getattr(type(self), (self.request.method or "").lower()) is not _UNIMPLEMENTED

    # The body

    def _body_will_come(self) -> bool:
        """Whether the client sends a body without being asked, and one small enough to throw away."""
        headers = self.request.headers
        if headers.get("Expect", "").lower() == "100-continue":
            return False
        return "Transfer-Encoding" in headers or 0 < (self.content_length() or 0) <= DRAIN_BYTES

    def _refuse_after_body(self, error: Exception) -> None:
        """Throws the body away first: closing a connection with unread bytes resets it, and then the client may
        never see the answer."""

        def refuse(*_args: str) -> NoReturn:
            raise error

        self._dropping = True
        self.body.clear()
        # Tornado calls the verb once the body is over.
        setattr(self, (self.request.method or "").lower(), refuse)

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body. A chunked one shows its size only as it comes."""
        if self._dropping:
            return
        if len(self.body) + len(chunk) <= self.limit:
            self.body += chunk
        else:
            self._refuse_after_body(self.too_large())

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A field of the query as text; called by Tornado, too."""
        try:
            return query_field_of(value)
        except ValueError as fault:
            raise BadParameter(f"{name or 'the address'} {fault}.", parameter=name or "") from None

    def on_connection_close(self) -> None:
        """The client went away; called by Tornado."""
        self.client.leave()
        super().on_connection_close()

    # Answers

    def break_off(self) -> None:
        """Ends the connection within an answer: the client sees that some of it is missing."""
        connection: Any = self.request.connection
        stream = getattr(connection, "stream", None)
        if stream is None:
            connection.abort()
        else:  # Tornado's front
            stream.close()

    def share(self) -> None:
        """Lets pages of other origins read the answer, where they may."""
        self.set_all(self.shared())

    def give(self, answer: HttpAnswer) -> None:
        """Ends the answer with this one."""
        self.set_status(answer.status)
        self.set_all(answer.headers)
        self.finish(answer.body)

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """To an address of ours, written without the prefix."""
        super().redirect(self.site.prefix.link(url), permanent, status)

    def options(self, *_args: str) -> None:
        """Answers with the methods of this address."""
        self.set_status(204)
        self.clear_header("Content-Type")
        self.set_header("Allow", self._allow())

    @classmethod
    def verbs(cls) -> list[str]:
        """The methods that it takes, by name."""
        return sorted(name for name in cls.SUPPORTED_METHODS if getattr(cls, name.lower()) is not _UNIMPLEMENTED)

    def _allow(self) -> str:
        return ", ".join(self.verbs())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers with the raised error; called by Tornado."""
        exc_info = kwargs.get("exc_info")
        problem = problem_of(exc_info[1] if exc_info else None, status_code)
        self.set_status(problem.status)
        self.problem_code = problem.code
        if problem.status == 405:
            self.set_header("Allow", self._allow())
        self.set_all(problem_headers(problem))
        self.write_problem(problem)

    def write_problem(self, problem: Problem) -> None:
        """Ends the answer with the problem, as a document or as text; pages show it as a page."""
        self.set_all(self.problem_head(problem))
        if self.problems:
            self.set_header("Content-Type", PROBLEM_TEXT)
            self.finish(self.problem_document(problem, self.request_id))
        else:
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"{problem.status} {problem.title}: {problem.detail}\n")

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Does not log a refusal: its status is in the access log."""
        if value is not None and not note_refusal(self.request, value):
            note_fault(self.request, value, self.request_id)


_UNIMPLEMENTED = RequestHandler.get


class ApiHandler(BaseHandler, ApiRules):
    """Speaks JSON; errors are problem documents."""

    problems = True

    def check(self) -> None:
        """Answers a browser that asks for a page of ``allow_origin``: it may not show the token yet."""
        self.share()
        if self.request.method == "OPTIONS" and "Access-Control-Request-Method" in self.request.headers:
            self.admit()
        else:
            super().check()

    def shared(self) -> dict[str, str]:
        """Tells a browser, too, what such a page may send."""
        told = super().shared()
        if self.request.method == "OPTIONS" and "Access-Control-Allow-Origin" in told:
            told["Access-Control-Allow-Methods"] = self._allow()
            told["Access-Control-Allow-Headers"] = _TAKEN
            told["Access-Control-Max-Age"] = "600"
        return told

    def answer(self, value: object, status: int = 200) -> None:
        """Ends the answer with this value as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", JSON_TEXT)
        self.finish(as_json(self.site.prefix.document(value)))
