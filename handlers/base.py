"""The base of all handlers: bodies within limits, who may ask, security headers, errors as answers.

A handler is a verb: it parses, calls one method of the service and writes. This module holds the rules for every
address: ``prepare`` refuses foreign hosts and origins, asks for the token (a handler must say ``public``
to be served without it), and answers 413 before it reads a body that is too large. It knows no job.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, ClassVar, NoReturn, TypeVar

import msgspec
from tornado.httputil import HTTPInputError
from tornado.log import gen_log
from tornado.web import HTTPError, RequestHandler, stream_request_body

from dispatcher.errors import (
    BadParameter,
    BadRequest,
    Forbidden,
    PagehandError,
    RequestError,
    TooLarge,
    Unauthorized,
    Unsupported,
)
from dispatcher.reading import query_field_of
from handlers.errors import Problem, problem_of
from handlers.mediatype import JSON, media_type
from handlers.queries import check_query
from handlers.refusals import quoted
from handlers.site import Site

__all__ = ["ApiHandler", "BaseHandler", "as_json"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)
#: Bytes of a refused body that are read and thrown away, so that the client can read the answer.
_DRAIN_BYTES = 16 << 20
#: Refusals that a page of any origin may read: otherwise its browser would only say that there is no answer. They hold
#: what the request itself said, and how to let it in.
_READ_BY_ALL = frozenset({"forbidden_host", "forbidden_origin"})
#: Headers that a page of another origin may read and send.
_EXPOSED = "Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, X-Request-Id"
_TAKEN = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, X-Pagehand-Token, X-Request-Id"
_SHOW_IT = (
    "This server needs its token: send the header 'Authorization: Bearer TOKEN', or 'X-Pagehand-Token: TOKEN' "
    "if a proxy needs Authorization for itself. TOKEN is what the server was started with (--token or PAGEHAND_TOKEN)."
)

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


def as_json(value: object) -> bytes:
    """JSON text; a ``msgspec.Raw`` in it is written as it is."""
    return _encode(value)


@stream_request_body
class BaseHandler(RequestHandler):
    """Holds the rules for every address."""

    #: Whether it is served without the token.
    public: ClassVar[bool] = False
    #: Whether Host and Origin are checked. Only the probes of load balancers skip that: they disclose nothing.
    guarded: ClassVar[bool] = True
    #: Whether errors are problem documents, not pages.
    problems: ClassVar[bool] = False

    site: Site
    request_id: str

    def initialize(self, site: Site) -> None:
        """Called by Tornado with the route's arguments."""
        self.site = site
        self.body = bytearray()
        self._limit = self.body_limit()
        self._waiting: asyncio.Future[Any] | None = None
        self._gone = False
        self._dropping = False

    def body_limit(self) -> int:
        """The largest body that this address takes."""
        return 65_536

    def set_default_headers(self) -> None:
        """Sets the headers of every answer, errors included."""
        given = self.request.headers.get("X-Request-Id", "")
        if not hasattr(self, "request_id"):
            self.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        self.clear_header("Server")
        self.set_header("X-Request-Id", self.request_id)
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        # Not "no-referrer": browsers then send "Origin: null" with our own forms.
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("X-UA-Compatible", "IE=edge")
        self.set_header("X-Download-Options", "noopen")
        self.allow_frames("'none'")

    def allow_frames(self, ancestors: str) -> None:
        """Sets which pages may show this one in a frame, as CSP's ``frame-ancestors``."""
        self.set_header("Content-Security-Policy", _CSP + ancestors)
        if ancestors == "'none'":
            self.set_header("X-Frame-Options", "DENY")
        else:
            self.clear_header("X-Frame-Options")

    # Who may ask

    def prepare(self) -> None:
        """Refuses a request that must not be served; Tornado calls it after the headers, before the body."""
        self._bound_connection()
        try:
            self.check()
        except (PagehandError, HTTPError) as error:
            if not self._body_will_come():
                raise
            self._refuse_after_body(error)

    def check(self) -> None:
        """Checks everything that the headers alone show. Raises the error to answer with."""
        self.admit()
        if not self.public and not self.site.guard.open and not self.shows_token():
            self.ask_for_token()
        elif getattr(type(self), (self.request.method or "").lower()) is _UNIMPLEMENTED:
            raise HTTPError(405)
        else:
            self.check_body()

    def admit(self) -> None:
        """Refuses a foreign Host or Origin."""
        if not self.guarded:
            return
        refusal = self.site.guard.admit(self.request.headers, self.request.method or "")
        if refusal is not None:
            log = self.site.guard.log
            log.note(refusal.code, refusal.detail, path=self.request.path, remote=str(self.request.remote_ip))
            raise Forbidden(refusal.detail, code=refusal.code)

    def shows_token(self) -> bool:
        """Whether the request carries the token, or its stand-in."""
        return bool(self.site.guard.shown(self.request.headers))

    def ask_for_token(self) -> None:
        """Answers a request without the token."""
        raise Unauthorized(_SHOW_IT)

    # The body

    def _bound_connection(self) -> None:
        """Limits the bytes and seconds in which the body is read or thrown away, however the request ends."""
        set_max_body_size = getattr(self.request.connection, "set_max_body_size", None)
        if set_max_body_size is not None:
            set_max_body_size(max(self._limit, self._content_length() or 0) + _DRAIN_BYTES)

    def check_body(self) -> None:
        """Refuses a body because of its headers."""
        coding = self.request.headers.get("Content-Encoding", "identity")
        if coding.strip().lower() not in ("", "identity"):
            raise Unsupported(f"The body comes as Content-Encoding: {quoted(coding)}: send it as it is, uncompressed.")
        length = self._content_length()
        if length is None:
            raise BadRequest("Content-Length is not a number.")
        if length > self._limit:
            raise self._too_large()

    def _content_length(self) -> int | None:
        """The declared length; None if it is not a number."""
        text = self.request.headers.get("Content-Length", "0")
        return int(text) if _LENGTH.fullmatch(text) else None

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body may have {self._limit:,} bytes here (see --body-limit).")

    def _body_will_come(self) -> bool:
        """Whether the client sends a body without being asked, and one small enough to throw away."""
        headers = self.request.headers
        if headers.get("Expect", "").lower() == "100-continue":
            return False
        return "Transfer-Encoding" in headers or 0 < (self._content_length() or 0) <= _DRAIN_BYTES

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
        if len(self.body) + len(chunk) <= self._limit:
            self.body += chunk
        else:
            self._refuse_after_body(self._too_large())

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A field of the query as text; called by Tornado, too."""
        try:
            return query_field_of(value)
        except ValueError as fault:
            raise BadParameter(f"{name or 'the address'} {fault}.", parameter=name or "") from None

    # Waiting

    async def patiently(self, waiting: Coroutine[Any, Any, T]) -> T | None:
        """Waits as long as the client is there; None if it went away."""
        task = asyncio.ensure_future(waiting)
        self._waiting = task
        try:
            return await task
        except asyncio.CancelledError:
            if self._gone:
                return None
            raise

    def on_connection_close(self) -> None:
        """The client went away; called by Tornado."""
        self._gone = True
        if self._waiting is not None:
            self._waiting.cancel()
        super().on_connection_close()

    # Answers

    def share(self) -> None:
        """Lets pages of other origins read the answer, where they may."""

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """To an address of ours, written without the prefix."""
        super().redirect(self.site.prefix.link(url), permanent, status)

    def own_address(self) -> str:
        """The path of the request as others must write it."""
        site: Site | None = self.site  # there is none while the server starts
        return self.request.path if site is None else site.prefix.link(self.request.path)

    def options(self, *_args: str) -> None:
        """Answers with the methods of this address."""
        self.set_status(204)
        self.clear_header("Content-Type")
        self.set_header("Allow", self._allow())

    def _allow(self) -> str:
        names = (name for name in self.SUPPORTED_METHODS if getattr(type(self), name.lower()) is not _UNIMPLEMENTED)
        return ", ".join(sorted(names))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers with the raised error; called by Tornado."""
        exc_info = kwargs.get("exc_info")
        problem = problem_of(exc_info[1] if exc_info else None, status_code)
        self.set_status(problem.status)
        if problem.status == 405:
            self.set_header("Allow", self._allow())
        if problem.status == 401:
            self.set_header("WWW-Authenticate", 'Bearer realm="pagehand"')
        if problem.retry_after_s is not None:
            self.set_header("Retry-After", str(problem.retry_after_s))
        self.write_problem(problem)

    def write_problem(self, problem: Problem) -> None:
        """Ends the answer with the problem, as a document or as text; pages show it as a page."""
        self.share()
        if problem.code in _READ_BY_ALL and self.request.method != "OPTIONS":
            self.set_header("Access-Control-Allow-Origin", "*")
        if self.problems:
            document = problem.document(instance=self.own_address(), request_id=self.request_id)
            self.set_header("Content-Type", "application/problem+json; charset=utf-8")
            self.finish(as_json(document))
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
        if isinstance(value, PagehandError):
            level = gen_log.debug if isinstance(value, RequestError) else gen_log.info
            level("%s %s: %s", self.request.method, self.request.path, value.code)
        elif isinstance(value, (HTTPError, HTTPInputError)):
            gen_log.debug("%s %s: %s", self.request.method, self.request.path, type(value).__name__)
        else:
            super().log_exception(typ, value, tb)


_UNIMPLEMENTED = RequestHandler.get


class ApiHandler(BaseHandler):
    """Speaks JSON; errors are problem documents. Pages of ``allow_origin`` may use it, with the token in a header."""

    problems = True
    #: The content types of a body here; a foreign page can send none of them without asking first.
    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    #: The fields that the query of a GET may have; other requests have none.
    query_fields: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Answers a browser that asks for a page of ``allow_origin``: it may not show the token yet."""
        self.share()
        if self.request.method == "OPTIONS" and "Access-Control-Request-Method" in self.request.headers:
            self.admit()
        else:
            super().check()

    def share(self) -> None:
        """Never with cookies: a page of another origin has to know the token."""
        self.set_header("Vary", "Origin")
        origin = self.site.guard.cors_origin(self.request.headers)
        if origin is None:
            return
        self.set_header("Access-Control-Allow-Origin", origin)
        self.set_header("Access-Control-Expose-Headers", _EXPOSED)
        if self.request.method == "OPTIONS":
            self.set_header("Access-Control-Allow-Methods", self._allow())
            self.set_header("Access-Control-Allow-Headers", _TAKEN)
            self.set_header("Access-Control-Max-Age", "600")

    def check_body(self) -> None:
        """Everything that changes something must come as JSON, with a body or without. So a foreign page must ask
        first, and is refused."""
        if self.request.method != "OPTIONS":
            check_query(self, self.query_fields if self.request.method in ("GET", "HEAD") else ())
        if self.request.method in ("POST", "PUT", "PATCH", "DELETE"):
            self.check_media_type()
        super().check_body()

    def check_media_type(self) -> None:
        """Refuses a body of a kind that this address does not take."""
        header = self.request.headers.get("Content-Type", "")
        given = media_type(header)
        if given.name not in self.media_types:
            named = " or ".join(f"'Content-Type: {name}'" for name in self.media_types)
            said = f"is {quoted(header)}" if header else "is missing"
            raise Unsupported(f"The Content-Type {said}. Send JSON in UTF-8, and say so: {named}.")
        given.check_charset()

    def answer(self, value: object, status: int = 200) -> None:
        """Ends the answer with this value as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(as_json(self.site.prefix.document(value)))
