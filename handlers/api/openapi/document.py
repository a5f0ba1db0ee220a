"""The whole description as one document: OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tornado.routing import URLSpec

from dispatcher import __version__
from handlers.api.openapi.calls import DescribedCall, calls
from handlers.api.openapi.causes import ProblemCause, by_status
from handlers.api.openapi.fields import HEADERS, Field, query_field
from handlers.api.openapi.operation import GROUPS, GoodAnswer
from handlers.api.openapi.schemas import Schema, schemas
from handlers.mediatype import LINES

__all__ = ["described"]

_WORDS = (
    "Hands jobs to workers that are web pages. GET includes HEAD, and every address takes OPTIONS; a method that an "
    "address does not take gets 405 with `Allow`, and an address that is not here 404. Every POST and PATCH under "
    "`/api` must say its Content-Type, even without a body. Every answer has an `X-Request-Id`. Errors are problem "
    "documents (RFC 9457) under `/api`, and text elsewhere. Ignore fields that you do not know."
)
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The token."},
    "basic": {"type": "http", "scheme": "basic", "description": "The token as the password of any user."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Pagehand-Token", "description": "The token."},
}
#: The headers of answers.
_TOLD = {
    "Etag": "The tag of the content: send it back as If-None-Match, and the tag of a job also as If-Match.",
    "Idempotency-Replayed": "`true`: the key was used before, with the same body.",
    "Link": "Where the next page is: `rel=next`.",
    "Location": "The address of what was made.",
    "Preference-Applied": "The wait that was applied.",
    "Retry-After": "Seconds after which to ask again.",
    "WWW-Authenticate": "How to show the token.",
    "X-Request-Id": "The name of the request, in the server's log, too.",
}
_PROBLEM, _TEXT = "application/problem+json", "text/plain"
#: What is sent piece by piece, without a tag.
_STREAMS = ("text/event-stream", LINES)


def described(routes: Iterable[URLSpec], public_path: str = "") -> dict[str, Any]:
    """The description of these routes, for a server behind this path."""
    paths: dict[str, Any] = {}
    refusals: dict[str, Any] = {}
    for call in calls(routes):
        refusals |= _refusals(call)
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Pagehand", "version": __version__, "description": _WORDS, "license": {"name": "MIT"}},
        "servers": [{"url": public_path or "/"}],
        "tags": [{"name": name, "description": words} for name, words in GROUPS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "responses": {name: refusals[name] for name in sorted(refusals)},
            "headers": {name: _header(name, words) for name, words in _TOLD.items()},
            "securitySchemes": _SECURITY,
        },
    }


def _header(name: str, words: str) -> Schema:
    kind = "integer" if name == "Retry-After" else "string"
    return {"description": words, "schema": {"type": kind}}


def _operation(call: DescribedCall) -> dict[str, Any]:
    operation = call.operation
    told: dict[str, Any] = {"operationId": operation.id, "tags": [operation.group], "summary": operation.title}
    if words := " ".join(_words(call)):
        told["description"] = words
    told["security"] = [{name: call.scopes} for name in _SECURITY] if call.scopes else []
    if parameters := list(_parameters(call)):
        told["parameters"] = parameters
    if operation.body:
        content = {media: {"schema": _body(name)} for media, name in operation.body.items()}
        told["requestBody"] = {"required": True, "content": content}
    told["responses"] = dict(sorted(_responses(call)))
    return told


def _words(call: DescribedCall) -> Iterator[str]:
    if call.operation.words:
        yield call.operation.words
    if call.scopes:
        named = " and ".join(f"`{scope}`" for scope in call.scopes)
        yield f"Needs the scope {named}." if len(call.scopes) == 1 else f"Needs the scopes {named}."


def _parameters(call: DescribedCall) -> Iterator[dict[str, Any]]:
    for name, pattern in call.places.items():
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}
    for name in call.fields:
        yield _parameter("query", name, query_field(call.route, name))
    for name in (*call.operation.headers, *(("If-None-Match",) if _has_tag(call) else ())):
        yield _parameter("header", name, HEADERS[name])


def _parameter(place: str, name: str, field: Field) -> dict[str, Any]:
    schema = {"type": "array", "items": field.schema} if field.repeated else field.schema
    words = f"{field.words} May be repeated." if field.repeated else field.words
    return {"name": name, "in": place, "description": words, "schema": schema}


def _has_tag(call: DescribedCall) -> bool:
    """Whether 200 comes with a tag: where the answer is sent at once."""
    return call.method == "GET" and call.operation.answers[200].body not in _STREAMS


def _body(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"} if name else {"type": "string"}


def _responses(call: DescribedCall) -> Iterator[tuple[str, dict[str, Any]]]:
    tag = ("Etag",) if _has_tag(call) else ()
    for status, answer in call.operation.answers.items():
        yield str(status), _answer(answer, tag if status == 200 else ())
    if tag:
        yield "304", _response("Nothing has changed.", tag, {})
    for name in _refusals(call):
        yield name[:3], {"$ref": f"#/components/responses/{name}"}


def _refusals(call: DescribedCall) -> dict[str, Any]:
    """The refusals of a call. Each begins its name with its status; those with the same causes have one name."""
    told: dict[str, Any] = {}
    for status, causes in by_status(call.codes).items():
        if status not in call.operation.answers:
            name = "-".join([str(status), *(cause.code for cause in causes)])
            told[name if call.handler.problems else f"{name}-text"] = _refusal(status, causes, call.handler.problems)
    return told


def _answer(answer: GoodAnswer, more: tuple[str, ...]) -> dict[str, Any]:
    content = {}
    if "/" in answer.body:
        content = {answer.body: {"schema": _body("")}}
    elif answer.body:
        whole = _body(answer.body)
        content = {"application/json": {"schema": {"anyOf": [whole, _body(answer.part)]} if answer.part else whole}}
    content |= {media: {"schema": _body("")} for media in answer.also}
    return _response(answer.words, (*answer.headers, *more), content)


def _refusal(status: int, causes: list[ProblemCause], as_problem: bool) -> dict[str, Any]:
    words = " ".join(f"`{cause.code}`: {cause.words}" for cause in causes)
    headers = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}.get(status, ())
    if not as_problem:
        return _response(words, headers, {_TEXT: {"schema": {"type": "string"}}})
    codes = {"status": {"const": status}, "code": {"enum": [cause.code for cause in causes]}}
    return _response(words, headers, {_PROBLEM: {"schema": {**_body("Problem"), "properties": codes}}})


def _response(words: str, headers: tuple[str, ...], content: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": words}
    told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, "X-Request-Id")}
    if content:
        told["content"] = content
    return told
