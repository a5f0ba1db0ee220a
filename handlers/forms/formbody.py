"""The body of a form, urlencoded or multipart: its fields as texts, its files. Knows no field by name."""

from __future__ import annotations

from collections.abc import Mapping

from tornado.httputil import HTTPFile, HTTPInputError, parse_body_arguments

from dispatcher.errors import BadRequest, Unsupported
from dispatcher.reading import field_of, wide_fault, without_mark
from handlers.mediatype import MULTIPART, URLENCODED, media_type

__all__ = ["FormBody", "form_limit", "read_form"]


def form_limit(body_limit: int) -> int:
    """The largest form for data of this size: urlencoding makes three bytes of one."""
    return 3 * body_limit + 65_536


class FormBody:
    """The fields and files of a form."""

    def __init__(self, fields: Mapping[str, list[bytes]], files: Mapping[str, list[HTTPFile]]) -> None:
        self._fields = fields
        self._files = files

    @property
    def names(self) -> list[str]:
        """The names of all fields and files."""
        return [*self._fields, *self._files]

    def count(self, name: str) -> int:
        """How often a field or file stands in the form."""
        return len(self._fields.get(name, ())) + len(self._files.get(name, ()))

    def field(self, name: str) -> str:
        """A field, trimmed; empty if it is missing."""
        return self.text(name).strip()

    def fields(self, name: str) -> list[str]:
        """Each field of this name that says something, trimmed. Raises BadRequest."""
        texts = (_text(name, value).strip() for value in self._fields.get(name, ()))
        return [text for text in texts if text]

    def text(self, name: str) -> str:
        """A field as it was typed, with line feeds instead of CR LF. Raises BadRequest."""
        return _text(name, self._fields.get(name, [b""])[-1])

    def file(self, name: str) -> HTTPFile | None:
        """A file; None if none was chosen. Browsers then send an empty one without a name."""
        chosen = [file for file in self._files.get(name, []) if file.filename or file.body]
        return chosen[0] if chosen else None


def _text(name: str, value: bytes) -> str:
    try:
        return field_of(value).replace("\r\n", "\n")
    except ValueError as fault:
        raise BadRequest(f"The field {name} {fault}: send it as UTF-8.") from None


def read_form(header: str, body: bytes) -> FormBody:
    """The form in a body with this Content-Type. Raises Unsupported, BadRequest."""
    kind = media_type(header)
    if kind.name not in (URLENCODED, MULTIPART):
        raise Unsupported("Send a form: urlencoded or multipart.")
    kind.check_charset()
    plain = without_mark(body)
    if wide := wide_fault(plain):
        raise BadRequest(f"The form {wide}: send it as UTF-8.")
    fields: dict[str, list[bytes]] = {}
    files: dict[str, list[HTTPFile]] = {}
    # Tornado reads the header too, but only in small letters.
    boundary = f"; boundary={kind.parameters['boundary']}" if "boundary" in kind.parameters else ""
    try:
        parse_body_arguments(kind.name + boundary, plain, fields, files)
    except HTTPInputError as error:
        raise BadRequest(_unreadable(error.__cause__)) from None
    if kind.name == URLENCODED:
        # Tornado reads names as Latin-1.
        fields = {name.encode("latin-1").decode("utf-8", "replace"): values for name, values in fields.items()}
    return FormBody(fields, files)


def _unreadable(cause: BaseException | None) -> str:
    """Why a form cannot be read."""
    if isinstance(cause, UnicodeDecodeError):
        try:
            field_of(cause.object)
        except ValueError as fault:
            return f"The head of a part, with the name of its field and file, {fault}: send it as UTF-8."
    return "The form cannot be read: its body is not what its Content-Type says."
