"""Answers as values, and the headers of every answer: the one place that names them.

A handler and the short way (``api/shortway.py``) write the same answers, each in its own way. This module knows no
connection. Names of headers are written as Tornado writes them in the end.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from handlers.errors import Problem
from handlers.guard import Headers

__all__ = [
    "EXPOSED",
    "JSON_TEXT",
    "PROBLEM_TEXT",
    "HttpAnswer",
    "as_json",
    "policy_for",
    "problem_headers",
    "request_id_of",
    "strict_headers",
    "usual_headers",
]

#: The Content-Type of every answer of the API but problems.
JSON_TEXT = "application/json; charset=utf-8"
PROBLEM_TEXT = "application/problem+json; charset=utf-8"
#: Headers that a page of another origin may read.
EXPOSED = "ETag, Idempotency-Replayed, Link, Location, Preference-Applied, Retry-After, X-Request-Id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)


class HttpAnswer(NamedTuple):
    """What is answered: its own headers, besides those of every answer, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


_encode = msgspec.json.Encoder().encode


def as_json(value: object) -> bytes:
    """JSON text; a ``msgspec.Raw`` in it is written as it is."""
    return _encode(value)


def request_id_of(headers: Headers) -> str:
    """What the request calls itself, or a new name."""
    given = headers.get("X-Request-Id")
    return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def policy_for(ancestors: str) -> str:
    """The Content-Security-Policy that lets these pages show the answer in a frame."""
    return _CSP + ancestors


_USUAL = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Ua-Compatible": "IE=edge",
    "X-Download-Options": "noopen",
    "Content-Security-Policy": policy_for("'none'"),
    "X-Frame-Options": "DENY",
}


def usual_headers(request_id: str) -> dict[str, str]:
    """The headers of every answer, errors included."""
    return {"X-Request-Id": request_id, **_USUAL}


def strict_headers(hsts_s: int) -> dict[str, str]:
    """What says for so many seconds that this name is reached over TLS alone; 0: nothing does.

    Not with includeSubDomains: other names are not ours to speak for.
    """
    return {"Strict-Transport-Security": f"max-age={hsts_s}"} if hsts_s else {}


def problem_headers(problem: Problem) -> dict[str, str]:
    """What the head says of a problem."""
    told: dict[str, str] = {}
    if problem.status == 401:
        told["Www-Authenticate"] = 'Bearer realm="pagehand"'
    if problem.retry_after_s is not None:
        told["Retry-After"] = str(problem.retry_after_s)
    return told
