"""What the head of a request shows: who may ask, and what body may come. The one place where a request is admitted.

The rules hold for a handler and for the short way (``api/shortway.py``) alike; each mixes them in. They know a
request as its ``RequestFacts``, and write nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec.structs import replace
from tornado.web import HTTPError

from dispatcher.access.acts import Actor
from dispatcher.access.principal import ANYBODY, NOBODY, Principal
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.keys import key_of_owner
from dispatcher.core.jobs.model import JobFilter
from dispatcher.errors import BadRequest, Forbidden, TooLarge, Unauthorized, Unsupported
from handlers.answers import EXPOSED, as_json, problem_headers
from handlers.client import AskingClient
from handlers.errors import Problem
from handlers.guard import Headers
from handlers.mediatype import JSON, media_type
from handlers.queryfields import check_query
from handlers.refusals import quoted
from handlers.site import Site

__all__ = ["DRAIN_BYTES", "ApiRules", "RequestFacts", "Rules", "bound", "from_a_program"]

#: Bytes of a refused body that are read and thrown away, so that the client can read the answer.
DRAIN_BYTES = 16 << 20
_BY_PROGRAMS = ("X-Requested-With", "X-Pagehand-Token")
_LENGTH = re.compile(r"[0-9]{1,18}")
#: Refusals that a page of any origin may read: otherwise its browser would only say that there is no answer. They hold
#: what the request itself said, and how to let it in.
_READ_BY_ALL = frozenset({"forbidden_host", "forbidden_origin"})
_NEEDS_IT = "This server needs its token."
#: Which of these it is, nobody is told who only guesses.
_OPENS_NOTHING = (
    "The token that came opens nothing here: it is wrong or not whole, or it has been revoked, or its time is over."
)
_SHOW_IT = (
    "Send the header 'Authorization: Bearer TOKEN', or 'X-Pagehand-Token: TOKEN' "
    "if a proxy needs Authorization for itself. TOKEN is what the server was started with (--token or PAGEHAND_TOKEN), "
    "or one that an administrator has made."
)


class RequestFacts(Protocol):
    """A request without its body, as Tornado's ``HTTPServerRequest`` shows it."""

    @property
    def method(self) -> str | None: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def query_arguments(self) -> Mapping[str, list[bytes]]: ...
    @property
    def remote_ip(self) -> str | None: ...


def bound(connection: object, most_bytes: int) -> None:
    """Ends the connection if more of this request's body comes, whoever reads it or throws it away."""
    set_max_body_size = getattr(connection, "set_max_body_size", None)
    if set_max_body_size is not None:
        set_max_body_size(most_bytes)


class Rules:
    """The rules for every address, in the order of ``check``."""

    #: Whether it is served without the token.
    public: ClassVar[bool] = False
    #: The scope that each method needs, or several; HEAD needs GET's, OPTIONS none. What stands not here is refused.
    scopes: ClassVar[Mapping[str, Scope | tuple[Scope, ...]]] = {}
    #: Whether it serves who is bound to types, or may know of his own jobs alone: then it looks itself at each job's
    #: type and owner.
    looks_at_jobs: ClassVar[bool] = False
    #: Its address names a type: who is bound to types may use it for these.
    names_type: ClassVar[bool] = False
    #: Whether Host and Origin are checked. Only the probes of load balancers skip that: they disclose nothing.
    guarded: ClassVar[bool] = True
    #: The fields that the query of a GET may have; other requests have none. API and console refuse all others.
    query_fields: ClassVar[tuple[str, ...]] = ()

    site: Site
    client: AskingClient
    #: Who asks, once ``check`` has found it.
    principal: Principal = NOBODY
    #: How many tokens of the settings there had been then.
    _own_tokens: int = 0
    #: The largest body that is taken.
    limit: int
    if TYPE_CHECKING:  # whoever mixes this in has it as an attribute

        @property
        def request(self) -> RequestFacts: ...

    def body_limit(self) -> int:
        """The largest body that this address takes."""
        return 65_536

    def check(self) -> None:
        """Checks everything that the head alone shows. Raises the error to answer with."""
        self.admit()
        who = NOBODY if self.public else ANYBODY if self.site.guard.open else self.who()
        if who is None:
            self.ask_for_token()
        elif not self.takes_method():
            raise HTTPError(405)
        else:
            self.principal = who
            if not self.public:
                self._own_tokens = self.site.guard.own_tokens
                self.client.opens = partial(self.site.service.access.open, who.token_id)
            self.check_scope()
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

    def who(self) -> Principal | None:
        """Whose token the request carries, or its stand-in; None: nobody's."""
        return self.site.guard.shown(self.request.headers, self.request.remote_ip) or None

    def ask_for_token(self) -> None:
        """Answers a request without a token that opens something."""
        headers = self.request.headers
        came = headers.get("X-Pagehand-Token") or (headers.get("Authorization") or "").lower().startswith("bearer ")
        raise Unauthorized(f"{_OPENS_NOTHING if came else _NEEDS_IT} {_SHOW_IT}")

    def check_scope(self) -> None:
        """Refuses who may not do this, in words."""
        method = self.request.method or ""
        if self.public or method == "OPTIONS":
            return
        scope = self.scopes.get("GET" if method == "HEAD" else method)
        if scope is None:
            raise Forbidden("No scope opens this address for this method.", code="forbidden_scope")
        for each in (scope,) if isinstance(scope, Scope) else scope:
            self.principal.needs(each)
        if not self.looks_at_jobs:
            if not self.names_type:
                self.principal.needs_no_bound()
            self.check_knows_all()

    def check_knows_all(self) -> None:
        """Refuses who may know of his own jobs alone: for what is about everybody's."""
        if self.only_owner is not None:
            raise self.principal.has_only_its_own("This is about everybody's.")

    @property
    def only_owner(self) -> str | None:
        """Whose jobs alone who asks may know of (``--isolate``); None: everybody's."""
        return self.principal.owner if self.site.settings.isolate and self.principal.is_submitter else None

    def kept_key(self, key: str | None, owner: str | None = None) -> str | None:
        """An idempotency key as it is kept: where owners are kept apart, each has keys of its own.

        ``owner``: whose key it is; None: that of who asks.
        """
        owner = owner or self.principal.owner
        return key if key is None or owner is None or not self.site.settings.isolate else key_of_owner(key, owner)

    def own_jobs(self, wanted: JobFilter) -> JobFilter:
        """The filter for those of the jobs that who asks may know of. Raises Forbidden if it names another owner."""
        only = self.only_owner
        if only is not None and wanted.owner not in (None, only):
            raise self.principal.has_only_its_own("The filter names another owner.")
        owner = only or wanted.owner
        return replace(wanted, owner=owner, key=self.kept_key(wanted.key, owner))

    def still_opens(self) -> bool:
        """Whether what was shown still opens anything: an answer may go on for days."""
        token_id, guard = self.principal.token_id, self.site.guard
        if token_id:
            return self.site.service.access.session(token_id) is not None
        return guard.open or self._own_tokens == guard.own_tokens

    def admit_again(self) -> None:
        """Refuses who was admitted before a wait, and whose token opens nothing any more."""
        if not self.still_opens():
            self.ask_for_token()

    def actor(self, way: str) -> Actor:
        """Who asks for a command: the name of the token, or the way by which it came, and from where."""
        who = self.principal
        return Actor(who.name if who.token_id else way, who.token_id, self.request.remote_ip or "")

    def takes_method(self) -> bool:
        """Whether there is anything at this address for the request's method."""
        return True

    @classmethod
    def fields_of(cls, method: str) -> tuple[str, ...]:
        """The fields that the query of a request by this method may have."""
        return cls.query_fields if method in ("GET", "HEAD") else ()

    def check_fields(self) -> None:
        """Refuses a field of the query that this address does not know."""
        if self.request.method != "OPTIONS":
            check_query(self.request, self.fields_of(self.request.method or ""))

    # The body

    def most_bytes(self) -> int:
        """The bytes of a body after which the connection ends, however the request is answered."""
        return max(self.limit, self.content_length() or 0) + DRAIN_BYTES

    def check_body(self) -> None:
        """Refuses a body because of its headers."""
        coding = self.request.headers.get("Content-Encoding")
        if coding is not None and coding.strip().lower() not in ("", "identity"):
            raise Unsupported(f"The body comes as Content-Encoding: {quoted(coding)}: send it as it is, uncompressed.")
        length = self.content_length()
        if length is None:
            raise BadRequest("Content-Length is not a number.")
        if length > self.limit:
            raise self.too_large()

    def content_length(self) -> int | None:
        """The declared length; None if it is not a number."""
        text = self.request.headers.get("Content-Length")
        return 0 if text is None else int(text) if _LENGTH.fullmatch(text) else None

    def too_large(self) -> TooLarge:
        """Says how large a body may be."""
        return TooLarge(f"The body may have {self.limit:,} bytes here (see --body-limit).")

    # Answers

    def own_address(self) -> str:
        """The path of the request as others must write it."""
        site: Site | None = self.site  # there is none while the server starts
        return self.request.path if site is None else site.prefix.link(self.request.path)

    def shared(self) -> dict[str, str]:
        """The headers that let pages of other origins read the answer, where they may."""
        return {}

    def problem_head(self, problem: Problem) -> dict[str, str]:
        """The headers of a refusal, besides those of every answer."""
        told = problem_headers(problem) | self.shared()
        if problem.code in _READ_BY_ALL and self.request.method != "OPTIONS":
            told["Access-Control-Allow-Origin"] = "*"
        return told

    def problem_document(self, problem: Problem, request_id: str) -> bytes:
        """The body of a refusal, for a program."""
        return as_json(problem.document(instance=self.own_address(), request_id=request_id))


def from_a_program(headers: Headers) -> bool:
    """Whether it has a header that no form can send, and for which a foreign page needs leave."""
    bearer = (headers.get("Authorization") or "").lower().startswith("bearer ")
    return bearer or any(headers.get(name) for name in _BY_PROGRAMS)


class ApiRules(Rules):
    """Those of the API: its bodies are JSON, and pages of ``allow_origin`` may use it, with the token in a header."""

    #: The content types of a body here; a foreign page can send none of them without asking first.
    media_types: ClassVar[tuple[str, ...]] = (JSON,)

    def check_body(self) -> None:
        """Everything that changes something must come as JSON, or without a body and from a program. So a foreign page
        must ask first, and is refused."""
        self.check_fields()
        # A DELETE without a body cannot come from a foreign page unasked.
        if self.request.method in ("POST", "PUT", "PATCH") or (
            self.request.method == "DELETE" and self.content_length()
        ):
            self.check_media_type()
        super().check_body()

    def check_media_type(self) -> None:
        """Refuses a body of a kind that this address does not take."""
        headers = self.request.headers
        header = headers.get("Content-Type") or ""
        given = media_type(header)
        empty = headers.get("Transfer-Encoding") is None and not self.content_length()
        if given.name not in self.media_types and not (empty and from_a_program(headers)):
            named = " or ".join(f"'Content-Type: {name}'" for name in self.media_types)
            said = f"is {quoted(header)}" if header else "is missing"
            also = ", also where there is no body" if empty else ""
            raise Unsupported(f"The Content-Type {said}. Send JSON in UTF-8, and say so{also}: {named}.")
        given.check_charset()

    def shared(self) -> dict[str, str]:
        """Never with cookies: a page of another origin has to know the token."""
        origin = self.site.guard.cors_origin(self.request.headers)
        told = {"Vary": "Origin"}
        if origin is not None:
            told |= {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}
        return told
