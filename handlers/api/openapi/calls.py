"""The calls of the routes: for each method of each address what its route and its handler say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from tornado.routing import URLSpec

from dispatcher.access.scopes import Scope
from handlers.api.openapi.fields import PATH_NAMES
from handlers.api.openapi.operation import Operation
from handlers.api.openapi.operations import FOR_PEOPLE, OPERATIONS
from handlers.base import BaseHandler
from handlers.rules import ApiRules

__all__ = ["DescribedCall", "calls", "keys"]

#: What stands in parentheses in a pattern; there is no third level.
_PART = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)")
_ESCAPED = re.compile(r"\\(.)")
#: Every address has these; they are not described one by one.
_EVERYWHERE = frozenset({"HEAD", "OPTIONS"})
#: What a body may be refused for, whatever it is to say.
_OF_BODIES = ("bad_json", "bad_request", "too_large", "unsupported_media_type")


class DescribedCall(Struct, frozen=True):
    """One method of one address."""

    route: str
    #: With names in braces.
    path: str
    method: str
    handler: type[BaseHandler]
    operation: Operation
    #: For each name in the path the pattern of what may stand there.
    places: dict[str, str]

    @property
    def fields(self) -> Sequence[str]:
        """The fields of its query."""
        return self.handler.fields_of(self.method)

    @property
    def scopes(self) -> list[str]:
        """The scopes that it needs, all of them; empty: no token is asked for."""
        if self.handler.public:
            return []
        needed = self.handler.scopes[self.method]
        return [scope.value for scope in ((needed,) if isinstance(needed, Scope) else needed)]

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all problems that it may answer with."""
        found = {"internal", *self.operation.codes}
        if self.handler.guarded:
            found |= {"forbidden_host", "forbidden_origin", "starting"}
        if not self.handler.public:
            found |= {"bad_token", "too_many_wrong_tokens", "forbidden_scope", "forbidden_type", "forbidden_owner"}
        if self.places:
            found.add("not_found")
        if issubclass(self.handler, ApiRules):
            found.add("bad_parameter")
        return frozenset(found.union(_OF_BODIES if self.operation.body else ()))


def keys(routes: Iterable[URLSpec]) -> Iterator[tuple[str, str]]:
    """The route and the method of each call."""
    for spec in routes:
        if spec.name not in FOR_PEOPLE:
            yield from ((spec.name or "", method) for method in _methods(spec))


def calls(routes: Iterable[URLSpec]) -> list[DescribedCall]:
    """All calls, in the order in which they are described. Raises KeyError if one is not described."""
    by_name = {spec.name: spec for spec in routes}
    order = list(OPERATIONS)
    return [_call(by_name[route], method) for route, method in sorted(keys(by_name.values()), key=order.index)]


def _methods(spec: URLSpec) -> list[str]:
    return [method for method in spec.handler_class.verbs() if method not in _EVERYWHERE]


def _call(spec: URLSpec, method: str) -> DescribedCall:
    pattern = spec.regex.pattern.removesuffix("$")
    parts = [f"^({part})$" if "|" in part else f"^{part}$" for part in _PART.findall(pattern)]
    names = PATH_NAMES.get(spec.name or "", ("id",))[: len(parts)]
    filled = iter(names)
    path = _PART.sub(lambda _: "{" + next(filled) + "}", pattern)
    return DescribedCall(
        route=spec.name or "",
        path=_ESCAPED.sub(r"\1", path),
        method=method,
        handler=spec.handler_class,
        operation=OPERATIONS[spec.name or "", method],
        places=dict(zip(names, parts, strict=True)),
    )
