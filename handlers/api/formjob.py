"""A job that comes to the API as a form, from Excel, say, or an old script: as strict as JSON.

A foreign web page can send a form without being asked. So it must come with a header that no form can send.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import BadRequest, Unsupported
from handlers.errors import FieldError, Invalid, field_error
from handlers.forms.formbody import FormBody, read_form
from handlers.forms.formdata import FILES, TYPED, chosen_of, job_of_form
from handlers.guard import Headers
from handlers.intake import JobBody, check_key, to_spec
from handlers.mediatype import MULTIPART, URLENCODED, media_type
from handlers.rules import from_a_program
from handlers.site import Site

__all__ = ["check_sender", "is_form", "spec_of_form"]

_FIELDS = (*TYPED, *FILES, "key")
_MOST_UNKNOWN = 10
_REFUSED = (
    "A form is taken here only with a header that no web page's form can send: the token "
    "('Authorization: Bearer TOKEN'), or 'X-Requested-With: ' and the name of your program. "
    "Or send JSON, and say so: 'Content-Type: application/json'."
)


def is_form(headers: Headers) -> bool:
    """Whether the body is a form."""
    return media_type(headers.get("Content-Type") or "").name in (URLENCODED, MULTIPART)


def check_sender(headers: Headers) -> None:
    """Refuses a form that a foreign page may have sent. Raises Unsupported."""
    if not from_a_program(headers):
        raise Unsupported(_REFUSED)


def spec_of_form(headers: Headers, body: bytes, site: Site) -> JobSpec:
    """The job that the form asks for. Raises BadRequest, Invalid, TooLarge."""
    form = read_form(headers.get("Content-Type") or "", body)
    problems = list(_problems(form))
    try:
        job = _job(form)
    except Invalid as invalid:
        raise Invalid([*problems, *invalid.errors]) from None
    if problems:
        raise Invalid(problems)
    return to_spec(job, site.settings, _key(headers, form), site.terms_of)


def _job(form: FormBody) -> JobBody:
    return job_of_form({name: form.text(name) for name in TYPED}, chosen_of(form))


def _problems(form: FormBody) -> Iterator[FieldError]:
    """What the page's form cannot say, and a program can."""
    unknown = [name for name in form.names if name not in _FIELDS]
    for name in unknown[:_MOST_UNKNOWN]:
        near = difflib.get_close_matches(name[:100], _FIELDS, n=1)
        yield field_error(name[:100], "is not a field of the form" + (f"; did you mean {near[0]}?" if near else ""))
    yield from (field_error(name, "stands twice") for name in _FIELDS if form.count(name) > 1)
    if form.field("format") not in ("", "json", "text"):
        yield field_error("format", "must be json or text")


def _key(headers: Headers, form: FormBody) -> str | None:
    header, field = headers.get("Idempotency-Key"), form.field("key") or None
    if header is not None and field not in (None, header):
        raise BadRequest("The form's key and the header Idempotency-Key differ.", code="bad_key")
    return check_key(field if header is None else header)
