"""What the tests of the description share: the document, and a judge of real answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tornado.httpclient import HTTPResponse

from handlers.api.openapi.__main__ import snapshot
from handlers.api.openapi.document import described
from handlers.routes import TaskDirectory, routes
from tests.support.house import House

_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_instant(text: object) -> bool:
    return not isinstance(text, str) or (text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None)


class Judge:
    """Holds answers against the document, which it takes at its word: a field that it does not name is a fault."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._components = {**document["components"], "schemas": _closed(document["components"]["schemas"])}

    def faults(self, response: HTTPResponse, path: str, method: str) -> list[str]:
        """What is wrong with an answer, in words."""
        only_some = "fields=" in path
        return list(self._faults(response, self.operation(path, method), only_some=only_some))

    def operation(self, path: str, method: str) -> dict[str, Any]:
        """The operation of an address: one without a name in it comes first."""
        address = path.partition("?")[0]
        fitting = [known for known in self._document["paths"] if re.fullmatch(_pattern(known), address)]
        operation: dict[str, Any] = self._document["paths"][min(fitting, key=lambda known: "{" in known)][
            method.lower()
        ]
        return operation

    def operation_ids(self) -> set[str]:
        """The names of all operations."""
        return {call["operationId"] for calls in self._document["paths"].values() for call in calls.values()}

    def _faults(self, response: HTTPResponse, operation: dict[str, Any], *, only_some: bool) -> Iterator[str]:
        told = operation["responses"].get(str(response.code))
        if told is None:
            yield f"{response.code} is not described"
            return
        if "$ref" in told:
            told = self._components["responses"][told["$ref"].rpartition("/")[2]]
        known = {name.lower() for name in self._components["headers"]}
        headers = {name.lower() for name in told["headers"]}
        yield from (f"the header {name} is not described" for name in _names(response) & known - headers)
        yield from self._body_faults(response, told.get("content", {}), only_some=only_some)

    def _body_faults(self, response: HTTPResponse, content: dict[str, Any], *, only_some: bool) -> Iterator[str]:
        if not content:
            yield from ["it has a body"] if response.body else []
            return
        media = response.headers["Content-Type"].partition(";")[0]
        if media not in content:
            yield f"{media} is not described"
        elif media.endswith(("/json", "+json")):
            # A whole answer comes first, then that with chosen fields.
            forms = content[media]["schema"].get("anyOf", [content[media]["schema"]])
            schema = {**forms[-1 if only_some else 0], "components": self._components}
            validator = Draft202012Validator(schema, format_checker=_formats)
            yield from (fault.message for fault in validator.iter_errors(json.loads(response.body)))


def _names(response: HTTPResponse) -> set[str]:
    return {name.lower() for name in response.headers}


def _pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))


def _closed(schemas: dict[str, Any]) -> dict[str, Any]:
    """The same schemas; an object has no fields but those that its schema names."""
    closed = deepcopy(schemas)
    for schema in closed.values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return closed


@pytest.fixture
def document(house: House, tasks: TaskDirectory) -> dict[str, Any]:
    return described(routes(house.dispatcher, house.dispatcher.settings, tasks))


@pytest.fixture
def judge(document: dict[str, Any]) -> Judge:
    return Judge(document)


@pytest.fixture(scope="session")
def kept() -> str:
    """The snapshot as it must be."""
    return snapshot()
