"""The short way of ``POST /api/v1/jobs``: most jobs come so, and Tornado's handler costs more than all the rest.

It takes a request that is plain, and leads every other one to the handler before it has looked closer. What is plain
can be seen in the head alone: JSON of a declared length within the limit, sent without being asked. From then on it
applies the same rules and gives the same answers (see ``rules``, ``newjob`` and ``answers``). It writes them in one
piece through Tornado's documented ``HTTPConnection``.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from functools import lru_cache
from http.client import responses
from typing import Any, ClassVar, cast

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
    format_timestamp,
)

from handlers.access import log_answer, note_fault, note_refusal
from handlers.answers import PROBLEM_TEXT, HttpAnswer, request_id_of, strict_headers, usual_headers
from handlers.api.newjob import NewJobRules, submit
from handlers.client import AskingClient
from handlers.errors import problem_of
from handlers.mediatype import JSON, media_type
from handlers.prefix import Prefix, PrefixedApplication
from handlers.rules import bound
from handlers.site import Site

__all__ = ["ShortWayApplication"]

_PATH = "/api/v1/jobs"
#: What a plain Host is; any other one is for Tornado and the guard.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
#: A head with one of these is not plain.
_ODD = frozenset({"Transfer-Encoding", "Expect", "Content-Encoding"})


class ShortWayApplication(PrefixedApplication):
    """Takes what is plain itself. All else it serves as Tornado does."""

    def __init__(self, *given: Any, site: Site, prefix: Prefix, **settings: Any) -> None:
        super().__init__(*given, prefix=prefix, **settings)
        self.site = site
        self._paths = frozenset(path for path in (_PATH, prefix.link(_PATH)) if prefix.without(path) == _PATH)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Called by the front when a request comes."""
        return _Fork(self, server_conn, request_conn)

    def usual_way(self, server_conn: object, connection: HTTPConnection) -> HTTPMessageDelegate:
        """The way to a handler."""
        return super().start_request(server_conn, connection)

    def may_take(self, line: RequestStartLine) -> bool:
        """Whether a request with this first line may be plain."""
        return line.path in self._paths and line.method == "POST" and line.version == "HTTP/1.1"


def _is_plain(headers: Mapping[str, str]) -> bool:
    """Whether a request with these headers is plain, but for the length of its body."""
    host = headers.get("Host")
    if host is None or not _HOST.fullmatch(host) or not headers.keys().isdisjoint(_ODD):
        return False
    return media_type(headers.get("Content-Type", "")).name == JSON


def _joined(headers: HTTPHeaders) -> dict[str, str]:
    """A dict, because that answers quicker. Headers with the same name are one."""
    pairs = list(headers.get_all())
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else dict(headers)


class _Fork(HTTPMessageDelegate):
    """The head of a request decides which way it goes."""

    def __init__(self, application: ShortWayApplication, server_conn: object, connection: HTTPConnection) -> None:
        self._application = application
        self._server_conn, self._connection = server_conn, connection
        #: Nothing else is called before ``headers_received``.
        self._to: HTTPMessageDelegate

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        job = self._plain_job(cast(RequestStartLine, start_line), headers)
        if job is not None:
            self._to = job
            job.begin()
            return None
        self._to = self._application.usual_way(self._server_conn, self._connection)
        return self._to.headers_received(start_line, headers)

    def _plain_job(self, line: RequestStartLine, headers: HTTPHeaders) -> _NewJob | None:
        if not self._application.may_take(line):
            return None
        plain = _joined(headers)
        if not _is_plain(plain):
            return None
        job = _NewJob(self._application.site, self._connection, plain)
        return job if 0 < (job.content_length() or 0) <= job.limit else None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._to.data_received(chunk)

    def finish(self) -> None:
        self._to.finish()

    def on_connection_close(self) -> None:
        self._to.on_connection_close()


class _PlainHead:
    """The head of such a request. The names of its headers are as Tornado writes them."""

    __slots__ = ("_began", "headers", "remote_ip")

    method = "POST"
    path = _PATH
    query_arguments: ClassVar[Mapping[str, list[bytes]]] = {}

    def __init__(self, headers: dict[str, str], remote_ip: str | None) -> None:
        self.headers = headers
        self.remote_ip = remote_ip
        self._began = time.time()

    def request_time(self) -> float:
        """The seconds since it came."""
        return time.time() - self._began


class _NewJob(HTTPMessageDelegate, NewJobRules):
    """One request on the short way."""

    def __init__(self, site: Site, connection: HTTPConnection, headers: dict[str, str]) -> None:
        self.site = site
        self.request: _PlainHead = _PlainHead(headers, getattr(getattr(connection, "context", None), "remote_ip", None))
        self.limit = self.body_limit()
        self._connection = connection
        self.client = AskingClient()
        self._pieces: list[bytes] = []
        self._refused: Exception | None = None
        self._serving: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Applies the rules. The body of a refused request comes all the same, and is thrown away."""
        bound(self._connection, self.most_bytes())
        self._connection.set_close_callback(self.on_connection_close)  # type: ignore[attr-defined]
        try:
            self.check()
        except Exception as error:  # noqa: BLE001  # a fault of ours is a 500
            self._refused = error

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body; a front gives no more than was declared."""
        if self._refused is None:
            self._pieces.append(chunk)

    def finish(self) -> None:
        """The request is whole."""
        if self._refused is not None:
            self._refuse(self._refused)
        else:
            self._serving = asyncio.get_running_loop().create_task(self._serve())

    def on_connection_close(self) -> None:
        """The client went away."""
        self.client.leave()

    async def _serve(self) -> None:
        try:
            answer = await submit(self, self.request.headers, b"".join(self._pieces), self.client)
        except Exception as error:  # noqa: BLE001  # a fault of ours is a 500
            self._refuse(error)
        else:
            if answer is not None:
                self._write(answer, request_id_of(self.request.headers), self.shared())

    def _refuse(self, error: Exception) -> None:
        request, problem = self.request, problem_of(error)
        request_id = request_id_of(request.headers)
        if not note_refusal(request, error):
            note_fault(request, error, request_id)
        body = self.problem_document(problem, request_id)
        answer = HttpAnswer(problem.status, {"Content-Type": PROBLEM_TEXT}, body)
        self._write(answer, request_id, self.problem_head(problem), problem.code)

    def _write(self, answer: HttpAnswer, request_id: str, told: Mapping[str, str], problem: str = "") -> None:
        """Writes the headers in the order in which a handler does."""
        connection = self._connection
        connection.set_close_callback(None)  # type: ignore[attr-defined]
        headers = _Named(
            {
                # The first two are in the place where Tornado has them.
                "Content-Type": answer.headers["Content-Type"],
                "Date": _date(int(time.time())),
                **usual_headers(request_id),
                **strict_headers(self.site.settings.hsts_s),
                **told,
                **answer.headers,
                "Content-Length": str(len(answer.body)),
            }
        )
        start_line = ResponseStartLine("HTTP/1.1", answer.status, responses[answer.status])
        connection.write_headers(start_line, headers, answer.body)
        connection.finish()
        log_answer(answer.status, self.request, request_id, problem, self.site)


class _Named(HTTPHeaders):
    """Headers whose names are written as Tornado writes them, each once: it need not bring them into form."""

    def __init__(self, named: dict[str, str]) -> None:
        self._named = named

    def __getitem__(self, name: str) -> str:
        return self._named[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._named[name] = value

    def __delitem__(self, name: str) -> None:
        del self._named[name]

    def __contains__(self, name: object) -> bool:
        return name in self._named

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def get_all(self) -> Iterable[tuple[str, str]]:
        return self._named.items()


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return format_timestamp(second)
