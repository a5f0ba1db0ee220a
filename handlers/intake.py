"""What a submitter may say about a job: fields, ranges, and how they become a ``JobSpec``.

The API and the form meet here, so both have the same fields, ranges and words for errors.
Nothing is clamped. ``data`` is kept as the JSON text that came in. This module knows no handler.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import asdict, fields, replace

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.about import ABOUT_WORDS, NOTHING_SAID, About, Said, once_each
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.terms import TYPE_PATTERN, TYPE_WORDS, Schedule, Terms, Wanted, range_of, range_words
from dispatcher.doubles import DoubleNames, twice
from dispatcher.errors import BadRequest, TooLarge
from dispatcher.nesting import check_levels
from dispatcher.reading import AS_BODY, json_fault, text_of, without_mark
from dispatcher.webhooks.targets import target_of
from handlers.errors import FieldError, Invalid, field_error

__all__ = [
    "JOB_BODY",
    "JOB_FIELDS",
    "JobBody",
    "TermsOf",
    "any_object",
    "body_of",
    "check_key",
    "decode_json",
    "decode_object",
    "field_problems",
    "parse_job",
    "to_spec",
]

#: The most unknown fields that an error names.
_MAX_UNKNOWN = 10
_TWICE = "stands twice"
_KEY = re.compile(r"[\x20-\x7e]{1,255}")

T = TypeVar("T")
#: The terms that a new job of a type has where its submitter names none.
TermsOf = Callable[[str], Terms]


def _null() -> Raw:
    return Raw(b"null")


class JobBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /api/v1/jobs``: these fields, and any of ``Schedule``, ``Terms`` and ``Said``.

    A field that is not given has the server's default.
    """

    type: Annotated[str, Meta(pattern=TYPE_PATTERN)]
    data: Raw = msgspec.field(default_factory=_null)


class _Requires(Struct):
    requires: Raw | UnsetType = UNSET


#: Fields that a submitter writes in another form than the one that is kept.
_WRITTEN: dict[str, Any] = {"requires": Wanted}


def _may_be_given(struct: type[Struct]) -> list[tuple[str, Any, Any]]:
    return [(field.name, _WRITTEN.get(field.name, field.type) | UnsetType, UNSET) for field in fields(struct)]


_TERMS = frozenset(Terms.__struct_fields__)
_SCHEDULE = frozenset(Schedule.__struct_fields__)
_SAID = frozenset(Said.__struct_fields__)
_WholeBody: Any = msgspec.defstruct(
    "JobBody", [field for struct in (Schedule, Terms, Said) for field in _may_be_given(struct)], bases=(JobBody,),
    frozen=True, kw_only=True, forbid_unknown_fields=True,
)  # fmt: skip

_job_decoder: msgspec.json.Decoder[JobBody] = msgspec.json.Decoder(_WholeBody)
_loose_decoder = msgspec.json.Decoder(dict[str, Raw])
_any_decoder = msgspec.json.Decoder(Raw)
_requires_decoder = msgspec.json.Decoder(_Requires)
#: The type of a whole body, for the description of the API.
JOB_BODY = _WholeBody
#: Every field that may be given.
JOB_FIELDS = tuple(_WholeBody.__struct_fields__)
_fields = {field.name: field for field in fields(_WholeBody)}
#: Whole numbers below it are exact as floats.
_EXACT = 2**53
_WHOLE_NUMBERS = frozenset(name for name in _TERMS | _SCHEDULE if range_of(name).whole)


def parse_job(body: bytes, first_line: int = 1) -> JobBody:
    """The body of one job. Raises BadRequest (not JSON) or Invalid (not a job)."""
    plain = without_mark(body)
    try:
        # It takes one mark away itself: a second one must not pass unseen.
        job: JobBody = decode_json(_job_decoder, body, first_line)
    except msgspec.ValidationError:
        job = _with_whole_numbers(plain)
    if problems := _doubles(plain, job.requires is not UNSET):  # type: ignore[attr-defined]
        raise Invalid(problems)
    return job


def body_of(fields: Mapping[str, object], data: str) -> JobBody:
    """The body with these fields, which are valid, and with its data as JSON text."""
    body: JobBody = msgspec.convert({name: _whole(name, value) for name, value in fields.items()}, _WholeBody)
    return replace(body, data=Raw(data))


def decode_object(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decodes an object from outside; a whole number may be written as ``5.0``, which is the same in JSON.

    Raises what ``decode_json`` does, and Invalid if a field stands twice.
    """
    try:
        value = decode_json(decoder, body)
    except msgspec.ValidationError as error:
        value = _decoded_again(decoder, without_mark(body), error)
    if name := twice(without_mark(body)):
        raise Invalid([field_error(name[:100], _TWICE)])
    return value


def _decoded_again(decoder: msgspec.json.Decoder[T], body: bytes, error: msgspec.ValidationError) -> T:
    """The object if nothing is wrong but how its whole numbers are written. Raises ValidationError."""
    try:
        fields = msgspec.json.decode(body)
    except msgspec.DecodeError:  # behind the place of the error
        raise error from None
    return decoder.decode(msgspec.json.encode(_with_plain_numbers(fields)))


def _with_plain_numbers(value: object) -> object:
    """The same without ``5.0``."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, list):
        return [_with_plain_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_plain_numbers(item) for name, item in value.items()}
    return value


def any_object(body: bytes) -> dict[str, Raw]:
    """The fields of an object, each as it came. Raises BadRequest, Invalid."""
    try:
        return decode_object(_loose_decoder, body)
    except msgspec.ValidationError:
        decode_json(_any_decoder, body)
        raise Invalid([field_error("", "must be an object with the fields of a job")]) from None


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes, first_line: int = 1) -> T:
    """Decodes a body from outside. Raises BadRequest if it is not JSON in UTF-8; lets ValidationError pass."""
    try:
        # A Raw in the value is not checked for UTF-8 by msgspec.
        text_of(body, first_line=first_line)
    except ValueError as fault:
        raise BadRequest(f"The body {fault}: {AS_BODY}.", code="bad_json") from None
    body = without_mark(body)
    try:
        check_levels(body)
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, RecursionError) as error:
        words = json_fault(body, error, first_line=first_line)
        raise BadRequest(f"The body is not JSON: {words}.", code="bad_json") from None


def _with_whole_numbers(body: bytes) -> JobBody:
    """The job if nothing is wrong but that whole numbers are written as ``5.0``, which is the same number in JSON.
    Raises Invalid."""
    if problems := _body_problems(body):
        raise Invalid(problems)
    fields = {name: _whole(name, value) for name, value in _loose_decoder.decode(body).items()}
    job: JobBody = _job_decoder.decode(msgspec.json.encode(fields))
    return job


def _whole(name: str, value: object) -> object:
    """A whole number as such; anything else as it came."""
    if name not in _WHOLE_NUMBERS:
        return value
    try:
        number = msgspec.json.decode(value) if isinstance(value, Raw) else value
    except msgspec.DecodeError:
        return value
    return int(number) if isinstance(number, float) and number.is_integer() else value


_job_names = DoubleNames(frozenset(JOB_FIELDS))


def _doubles(body: bytes, requires: bool) -> list[FieldError]:
    """The field that stands twice in a job, or the label that does so in its ``requires``."""
    if name := _job_names.first(body):
        return [field_error(name, _TWICE)]
    wanted = _requires_decoder.decode(body).requires if requires else UNSET
    if isinstance(wanted, Raw) and (label := twice(bytes(wanted))):
        return [field_error("requires", f"names the label {label[:100]} twice")]
    return []


def _body_problems(body: bytes) -> list[FieldError]:
    try:
        given = decode_json(_loose_decoder, body)
    except msgspec.ValidationError:
        decode_json(_any_decoder, body)
        return [field_error("", "must be an object with the fields of a job")]
    return [*field_problems(given), *_doubles(body, "requires" in given)]


def field_problems(given: Mapping[str, object]) -> list[FieldError]:
    """Everything that is wrong with these fields; each is a ``Raw`` or a value."""
    unknown = islice((name for name in given if name not in _fields), _MAX_UNKNOWN)
    errors = [field_error(name[:100], _unknown(name)) for name in unknown]
    errors += [field_error(name, _words(name)) for name in _fields if name in given and not _fits(name, given[name])]
    if "type" not in given:
        errors.append(field_error("type", "is missing"))
    return errors


def _words(name: str) -> str:
    return f"must be {TYPE_WORDS}" if name == "type" else ABOUT_WORDS.get(name) or range_words(name)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name[:100], _fields, n=1)
    return "is not a field of a job" + (f"; did you mean {near[0]}?" if near else "")


def _fits(name: str, value: object) -> bool:
    kind: Any = _fields[name].type
    value = _whole(name, value)
    try:
        if isinstance(value, Raw):
            msgspec.json.decode(value, type=kind)
        else:
            msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def check_key(key: str | None) -> str | None:
    """An idempotency key as it was given. Raises BadRequest."""
    if key is None or _KEY.fullmatch(key):
        return key
    raise BadRequest("An idempotency key is 1 to 255 printable ASCII characters.", code="bad_key")


def to_spec(body: JobBody, settings: Settings, key: str | None, terms_of: TermsOf) -> JobSpec:
    """The job with the defaults of its type and of the server filled in. Raises TooLarge, Invalid, BadRequest."""
    data = bytes(body.data)
    if len(data) > settings.body_limit:
        raise TooLarge(f"data has {len(data):,} bytes; at most {settings.body_limit:,} are taken (--body-limit).")
    given = {name: value for name, value in asdict(body).items() if value is not UNSET}
    says_more = len(given) > 2  # most jobs have no more than type and data
    return JobSpec(
        type=body.type,
        data=data.decode("utf-8"),
        terms=_terms(given, terms_of(body.type)) if says_more else terms_of(body.type),
        about=_about(given, settings) if says_more else NOTHING_SAID,
        **(_schedule(given) if says_more else {}),
        key=key,
        # Covers the given fields, not the defaults: those may change while a submitter tries again.
        fingerprint=hashlib.sha256(msgspec.json.encode(body)).hexdigest() if key else "",
    )


def _terms(given: Mapping[str, Any], usual: Terms) -> Terms:
    told = {name: given[name] for name in _TERMS & given.keys()}
    if "requires" in told:
        told["requires"] = requirement_of(told["requires"])
    return replace(usual, **told) if told else usual


def _about(given: Mapping[str, Any], settings: Settings) -> About:
    told = {name: given[name] for name in _SAID & given.keys()}
    if "tags" in told:
        told["tags"] = once_each(told["tags"])
    if told.get("callback_url") is not None:
        _check_callback(told["callback_url"], settings)
    return About(**told) if told else NOTHING_SAID


def _check_callback(url: str, settings: Settings) -> None:
    """Raises BadRequest unless the job's end may be told there."""
    try:
        if not settings.callback_host:
            raise ValueError("is not taken: this server tells no callbacks (--callback-host)")
        target_of(url, settings.allowed_callbacks)
    except ValueError as error:
        detail = f"callback_url {error}"
        raise BadRequest(detail, code="callback_refused", pointer="/callback_url", semantic=True) from None


def _schedule(given: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: given[name] for name in _SCHEDULE & given.keys()}
    first = Schedule(**told)
    if first.expires_s is not None and first.expires_s <= first.delay_s:
        raise Invalid([field_error("expires_s", "must be more than delay_s, or the job would never start")])
    return told
