"""Changes one function of a Python text, named by its qualified name; layout does not matter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from threading import Lock

from tests.planted.misfit import Misfit

__all__ = ["edited"]

#: A wildcard of patterns: it matches anything; as a lone statement, it matches a whole block.
_ANY = "_"
_NOTHING = object()
#: CPython 3.11 counts how deep it is in a tree once for all threads. A collection of garbage that calls Python (as
#: hypothesis has it) lets another thread in: when that makes a tree, too, one of the two ends with a SystemError.
_ONE_AT_A_TIME = Lock()


def edited(text: str, name: str, old: str | None, new: str) -> str:
    """The text with ``new`` in place of what matches ``old``; without ``old``, ``new`` is the whole function.

    ``name``: of a function, or a class; "" is the module. ``old``: one expression, or statements that follow each
    other; it must fit exactly once. Threads may call it at once. Raises Misfit.
    """
    with _ONE_AT_A_TIME:
        return _edited(text, name, old, new)


def _edited(text: str, name: str, old: str | None, new: str) -> str:
    tree = ast.parse(text)
    scope = _named(tree, name)
    code = ast.parse(new or "pass").body
    if old is None:
        assert isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef), f"{name} is no function"
        scope.body = code
    else:
        _replace(scope, ast.parse(old).body, code, f"{old!r} in {name or 'the module'}")
    return ast.unparse(ast.fix_missing_locations(tree))


def _named(tree: ast.Module, name: str) -> ast.AST:
    scope: ast.AST = tree
    for part in filter(None, name.split(".")):
        found = [node for node in ast.iter_child_nodes(scope) if getattr(node, "name", None) == part]
        if len(found) != 1:
            raise Misfit(f"{name} is not there")
        scope = found[0]
    return scope


def _replace(scope: ast.AST, old: list[ast.stmt], new: list[ast.stmt], what: str) -> None:
    if isinstance(old[0], ast.Expr) and isinstance(new[0], ast.Expr) and len(old) == len(new) == 1:
        places = list(_expressions(scope, old[0].value))
        _put(places, new[0].value, what)
    else:
        _put(list(_statements(scope, old)), new, what)


def _put(places: list[tuple[object, str | int | slice]], new: object, what: str) -> None:
    if len(places) != 1:
        raise Misfit(f"{what} stands {len(places)} times, not once")
    [(parent, place)] = places
    if isinstance(parent, list):
        parent[place] = new  # type: ignore[index]
    else:
        setattr(parent, str(place), new)


def _expressions(scope: ast.AST, pattern: ast.expr) -> Iterator[tuple[object, str | int | slice]]:
    for node in ast.walk(scope):
        for field, value in ast.iter_fields(node):
            if isinstance(value, list):
                yield from ((value, index) for index, item in enumerate(value) if _fits(pattern, item))
            elif _fits(pattern, value):
                yield node, field


def _statements(scope: ast.AST, pattern: list[ast.stmt]) -> Iterator[tuple[object, str | int | slice]]:
    for node in ast.walk(scope):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                for start in range(len(block) - len(pattern) + 1):
                    part = slice(start, start + len(pattern))
                    if all(map(_fits, pattern, block[part])):
                        yield block, part


def _fits(pattern: object, node: object) -> bool:
    if isinstance(pattern, ast.Name) and pattern.id == _ANY:
        return True
    if isinstance(pattern, list) and isinstance(node, list):
        whole = len(pattern) == 1 and isinstance(pattern[0], ast.Expr) and _fits(pattern[0].value, _NOTHING)
        return whole or (len(pattern) == len(node) and all(map(_fits, pattern, node)))
    if isinstance(pattern, ast.AST) and type(pattern) is type(node):
        fields = [field for field in pattern._fields if field not in ("ctx", "kind", "type_comment")]
        return all(_fits(getattr(pattern, field, None), getattr(node, field, None)) for field in fields)
    return not isinstance(pattern, ast.AST) and pattern == node
