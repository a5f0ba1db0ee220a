"""Errors as answers: the one place that maps an error to an HTTP status and to a problem document (RFC 9457).

Nothing else in the project chooses a status for an error. ``problem_of`` makes a ``Problem`` from any exception;
the base handlers write it, as JSON under ``/api`` and as a page elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from tornado.web import HTTPError

from dispatcher.errors import (
    AddressNotFound,
    BackupNotFound,
    BadRequest,
    BatchNotFound,
    EndpointNotFound,
    Forbidden,
    JobNotFound,
    KeyConflict,
    MessageNotFound,
    OperationNotFound,
    PagehandError,
    RequestError,
    TokenNotFound,
    TooLarge,
    TooManyGuesses,
    TooManyJobs,
    TypeNotFound,
    Unauthorized,
    Unavailable,
    Unsupported,
    VersionMismatch,
    WorkerNotFound,
    WrongState,
)

__all__ = ["FieldError", "Invalid", "Problem", "field_error", "problem_of"]

FieldError = dict[str, str]


def field_error(name: str, detail: str) -> FieldError:
    """What is wrong with one field of the body; an empty name means the whole body."""
    escaped = name.replace("~", "~0").replace("/", "~1")
    return {"pointer": f"#/{escaped}" if name else "#", "detail": detail}


class Invalid(BadRequest):
    """The body has the right form, but not the right content; ``errors`` says where."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(_place(error) for error in errors), code="invalid", semantic=True)
        self.errors = list(errors)


def _place(error: FieldError) -> str:
    name = error["pointer"].removeprefix("#").removeprefix("/")
    return f"{name}: {error['detail']}" if name else error["detail"]


#: The first class that fits decides the status.
_STATUS: tuple[tuple[type[PagehandError], int], ...] = (
    (BadRequest, 400),
    (Unauthorized, 401),
    (TooManyGuesses, 429),
    (TooManyJobs, 429),
    (Forbidden, 403),
    (JobNotFound, 404),
    (AddressNotFound, 404),
    (BackupNotFound, 404),
    (BatchNotFound, 404),
    (OperationNotFound, 404),
    (TokenNotFound, 404),
    (WorkerNotFound, 404),
    (TypeNotFound, 404),
    (EndpointNotFound, 404),
    (MessageNotFound, 404),
    (WrongState, 409),
    (VersionMismatch, 412),
    (KeyConflict, 422),
    (Unsupported, 415),
    (TooLarge, 413),
    (RequestError, 400),
    (Unavailable, 503),
)

#: For errors that Tornado raises, which have no code of ours.
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}
_DETAILS = {
    403: "This is not allowed.",
    404: "There is nothing at this address.",
    405: "This address does not take this method; the Allow header lists those it takes.",
}
_INTERNAL = "Something went wrong on the server; its log says more under this request id."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error in the form in which it is answered."""

    status: int
    code: str
    detail: str
    errors: list[FieldError] = field(default_factory=list)
    #: Seconds for Retry-After; None: asking again does not help.
    retry_after_s: int | None = None

    @property
    def title(self) -> str:
        """The status in words."""
        return HTTPStatus(self.status).phrase

    def document(self, *, instance: str, request_id: str) -> dict[str, object]:
        """The members of an ``application/problem+json`` document."""
        return {
            "type": f"urn:pagehand:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "request_id": request_id,
            "errors": self.errors,
        }


def problem_of(error: BaseException | None, status: int = 500) -> Problem:
    """The answer to this exception; ``status`` is Tornado's choice, for errors that are not ours."""
    if isinstance(error, PagehandError):
        return _of_ours(error)
    if isinstance(error, HTTPError):
        status = error.status_code
    if status >= 500:
        return Problem(status=500, code="internal", detail=_INTERNAL)
    detail = _DETAILS.get(status) or HTTPStatus(status).description or HTTPStatus(status).phrase
    return Problem(status=status, code=_CODES.get(status, "error"), detail=detail)


def _of_ours(error: PagehandError) -> Problem:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if isinstance(error, BadRequest) and error.semantic:
        status = 422
    if status == 500:
        # No request should ever meet this one, e.g. a SettingError.
        return Problem(status=500, code="internal", detail=_INTERNAL)
    return Problem(
        status=status,
        code=error.code,
        detail=error.detail,
        errors=_field_errors(error),
        retry_after_s=error.retry_after_s if isinstance(error, Unavailable | TooManyGuesses | TooManyJobs) else None,
    )


def _field_errors(error: PagehandError) -> list[FieldError]:
    if isinstance(error, Invalid):
        return error.errors
    if isinstance(error, BadRequest) and error.pointer:
        return [{"pointer": f"#{error.pointer}", "detail": error.detail}]
    return []
