"""Makes the fields of a job from the form's texts and choices. Pure.

A chosen file goes into ``data`` as a data URL: a picture under ``image``, anything else under ``file``.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from dispatcher.core.jobs.terms import Schedule, Terms, range_of
from dispatcher.doubles import twice
from dispatcher.nesting import check_levels
from dispatcher.reading import json_fault
from handlers.errors import FieldError, Invalid, field_error
from handlers.forms.formbody import FormBody
from handlers.forms.formlabels import LABEL_FIELDS, wanted_of_form
from handlers.intake import JobBody, body_of, field_problems
from handlers.mediatype import media_type

__all__ = [
    "FILES",
    "OPTIONS",
    "TYPED",
    "Chosen",
    "chosen_file",
    "chosen_of",
    "chosen_picture",
    "job_of_form",
    "number_of",
]

#: The form's fields of terms and times; empty means the default.
OPTIONS = tuple(name for struct in (Schedule, Terms) for name in struct.__struct_fields__ if range_of(name).title)
#: Every field that holds what was typed.
TYPED = ("type", "type_choice", "format", "data", *LABEL_FIELDS, *OPTIONS)
#: A picture that the page's script has made smaller, and a file.
FILES = ("image", "file")

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
#: Programs write a number with up to 17 digits behind the point, or as ``1e-07``.
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_MIME = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")
_PICTURE_URL = re.compile(r"data:image/(?:png|jpeg|gif);base64,[A-Za-z0-9+/]+={0,2}")
_MAGIC = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))

_raw_decoder = msgspec.json.Decoder(Raw)
_object_decoder = msgspec.json.Decoder(dict[str, Raw])
_MARK = "\N{BYTE ORDER MARK}"
_AS_TEXT = " To send it as it is, choose Text as the format."


class Chosen(Struct, frozen=True):
    """A file that came with the form."""

    url: str
    is_picture: bool
    name: str


def chosen_of(form: FormBody) -> Chosen | None:
    """The picture that the page's script has made smaller, or the file itself. Raises Invalid."""
    if picture := form.field("image"):
        return chosen_picture(picture)
    file = form.file("file")
    return None if file is None else chosen_file(file.filename, file.content_type, file.body)


def chosen_file(path: str, declared: str, body: bytes) -> Chosen:
    """A file as a data URL. Its first bytes show the kind of a picture; for other files the browser's word counts.

    IE and old programs send a file's name with its directory, ``C:\\Users\\...\\report.txt``.
    """
    name = re.split(r"[\\/]", path)[-1]
    kind = next((kind for magic, kind in _MAGIC if body.startswith(magic)), "")
    said = media_type(declared).name
    declared = said if _MIME.fullmatch(said) else "application/octet-stream"
    url = f"data:{kind or declared};base64,{base64.b64encode(body).decode()}"
    return Chosen(url, bool(kind) or declared.startswith("image/"), name[:255])


def chosen_picture(url: str) -> Chosen:
    """A picture that the page's script has made smaller. Raises Invalid."""
    if not _PICTURE_URL.fullmatch(url):
        raise Invalid([field_error("file", "is not a picture that this server understands")])
    return Chosen(url, True, "")


def job_of_form(typed: Mapping[str, str], chosen: Chosen | None) -> JobBody:
    """The job that the form asks for. Raises Invalid with everything that is wrong."""
    fields: dict[str, object] = {n: number_of(typed[n].strip()) for n in OPTIONS if typed.get(n, "").strip()}
    if job_type := typed.get("type", "").strip() or typed.get("type_choice", "").strip():
        fields["type"] = job_type
    errors: list[FieldError] = field_problems(fields)
    data = "null"
    try:
        data = _data(typed.get("data", ""), typed.get("format", ""), chosen)
    except Invalid as invalid:
        errors += invalid.errors
    try:
        fields["requires"] = wanted_of_form(typed)
    except Invalid as invalid:
        errors += invalid.errors
    if errors:
        raise Invalid(errors)
    return body_of(fields, data)


def number_of(text: str) -> int | float | str:
    """A number, or the text if it is not one that JSON has: no field takes a text, so the field refuses it in its own
    words."""
    if _WHOLE.fullmatch(text):
        return int(text)
    number = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text


def _data(text: str, form: str, chosen: Chosen | None) -> str:
    if form == "text":
        if chosen is not None:
            raise Invalid(
                [field_error("file", "goes into JSON only; choose JSON as the format, or leave the file out")]
            )
        return msgspec.json.encode(text).decode()
    text = text.removeprefix(_MARK)
    if not text.strip():
        return "null" if chosen is None else _with_file({}, chosen)
    try:
        check_levels(text)
        _raw_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        words = f"is not JSON: {json_fault(text.encode(), error)}."
        raise Invalid([field_error("data", words + _AS_TEXT)]) from None
    if chosen is None:
        return text
    if name := twice(text.encode()):
        raise Invalid([field_error("data", f"names the field {name} twice")])
    try:
        return _with_file(_object_decoder.decode(text), chosen)
    except msgspec.ValidationError:
        raise Invalid(
            [field_error("file", "can only go into an object: let the data start with { or be empty")]
        ) from None


def _with_file(members: dict[str, Raw], chosen: Chosen) -> str:
    """The object with the file in it; the typed members keep their text and order."""
    if chosen.is_picture:
        members = members | {"image": Raw(msgspec.json.encode(chosen.url))}
    else:
        members = {"name": Raw(msgspec.json.encode(chosen.name))} | members
        members = members | {"file": Raw(msgspec.json.encode(chosen.url))}
    return msgspec.json.encode(members).decode()
