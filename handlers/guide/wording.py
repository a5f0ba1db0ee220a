"""The document in the words of the page: calls by group, and schemas as rows of a table. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from msgspec import Struct

__all__ = ["CallWords", "FieldRow", "calls_by_group", "marked", "schema_rows", "type_parts"]

Schema = dict[str, Any]
_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_CODE = re.compile(r"`([^`]+)`")


class FieldRow(Struct, frozen=True):
    """One field of a query, a header, a path or a body."""

    name: str
    place: str
    needed: bool
    schema: Schema
    words: str


class AnswerWords(Struct, frozen=True):
    """One way in which a call ends."""

    status: str
    words: str
    #: Media types, each with its schema.
    bodies: dict[str, Schema]
    headers: list[str]


class CallWords(Struct, frozen=True):
    """One call."""

    id: str
    method: str
    path: str
    title: str
    words: str
    #: Whether it needs a token.
    with_token: bool
    rows: list[FieldRow]
    bodies: dict[str, Schema]
    answers: list[AnswerWords]
    errors: list[AnswerWords]


def calls_by_group(document: dict[str, Any]) -> dict[str, list[CallWords]]:
    """All calls, by the name of their group, in order."""
    found: dict[str, list[CallWords]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            found[told["tags"][0]].append(_call(document, path, method, told))
    return found


def _call(document: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> CallWords:
    answers = list(_answers(document, told["responses"]))
    security = told["security"]
    return CallWords(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        title=told["summary"],
        words=told.get("description", ""),
        with_token=bool(security),
        rows=[_row(parameter) for parameter in told.get("parameters", ())],
        bodies=_bodies(told.get("requestBody", {})),
        answers=[answer for answer in answers if answer.status < "400"],
        errors=[answer for answer in answers if answer.status >= "400"],
    )


def _row(told: dict[str, Any]) -> FieldRow:
    schema = told["schema"]
    # That it may be repeated its words say.
    one = schema["items"] if schema.get("type") == "array" else schema
    return FieldRow(told["name"], told["in"], told.get("required", False), one, told.get("description", ""))


def _bodies(told: dict[str, Any]) -> dict[str, Schema]:
    return {media: content["schema"] for media, content in told.get("content", {}).items()}


def _answers(document: dict[str, Any], responses: dict[str, Any]) -> Iterator[AnswerWords]:
    for status, told in responses.items():
        if "$ref" in told:
            told = document["components"]["responses"][_name_of(told)]
        headers = [name for name in told["headers"] if name != "X-Request-Id"]
        yield AnswerWords(status, told["description"], _bodies(told), headers)


def _name_of(schema: Schema) -> str:
    name: str = schema["$ref"].rpartition("/")[2]
    return name


def schema_rows(schema: Schema) -> list[FieldRow]:
    """The fields of an object."""
    needed = schema.get("required", ())
    return [
        FieldRow(name, "", name in needed, field, _own_words(field))
        for name, field in schema.get("properties", {}).items()
    ]


def _own_words(schema: Schema) -> str:
    """A title and a description, also where the field may be null."""
    for part in (schema, *schema.get("anyOf", ())):
        if "title" in part or "description" in part:
            said = [part[name] for name in ("title", "description") if name in part]
            return ": ".join(said)
    return ""


def type_parts(schema: Schema) -> list[tuple[str, str]]:
    """What a value may be, as pieces of text, each with the name of the schema that it leads to, or an empty one."""
    if "$ref" in schema:
        name = _name_of(schema)
        return [(name, name)]
    if "anyOf" in schema and "type" not in schema:
        return _joined([type_parts(part) for part in schema["anyOf"]], " or ")
    if "enum" in schema:
        return [(", ".join(str(value) or "nothing" for value in schema["enum"]), "")]
    kind = schema.get("type")
    if kind == "array":
        return [("list of ", ""), *type_parts(schema["items"])]
    if kind == "object":
        values = schema.get("additionalProperties")
        return [("object of ", ""), *type_parts(values)] if isinstance(values, dict) else [("object", "")]
    return [(_plain(schema), "")] if kind else [("any JSON", "")]


def _joined(parts: list[list[tuple[str, str]]], between: str) -> list[tuple[str, str]]:
    found = parts[0]
    for part in parts[1:]:
        found = [*found, (between, ""), *part]
    return found


def _plain(schema: Schema) -> str:
    words = _KINDS[schema["type"]]
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        words += f" from {low:g}" if high is None else f" from {low:,g} to {high:,.15g}"
    if "maxLength" in schema:
        words += f" of at most {schema['maxLength']} characters"
    if "default" in schema:
        words += f", else {schema['default']}"
    return words


def marked(text: str) -> str:
    """Text with its code marked, as HTML."""
    return _CODE.sub(r"<code>\1</code>", escape(text))
