"""The matrix of access, made from the routes: each address, by each method, with a token of each scope."""

from __future__ import annotations

import re

import pytest
from tornado.web import RequestHandler

from dispatcher.access.acts import Actor
from dispatcher.access.scopes import Scope, with_included
from dispatcher.config.settings import Settings
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask, Scene
from tests.handlers.matrix import MATRIX
from tests.handlers.rich import rich
from tests.handlers.test_security import TOKEN
from tests.support.house import House
from tests.support.places import ROOT

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
#: In docs/security.md: a pattern for each name that stands for others.
_NAMES = {"<id>": "[^/]+", "<action>": "(cancel|retry|decide|pause)", "<name>": r"[^/]+", "<type>": "[^/]+"}
_UNIMPLEMENTED = RequestHandler.get


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.fixture
def settings() -> Settings:
    return Settings(token=TOKEN)


def declared(house: House, settings: Settings, tasks: TaskDirectory) -> dict[str, dict[str, str]]:
    """By the route's name: the scope that each of its methods needs; what a handler does not declare is missing."""
    found: dict[str, dict[str, str]] = {}
    for route in routes(house.dispatcher, settings, tasks):
        handler = route.handler_class
        verbs = [verb for verb in METHODS if getattr(handler, verb.lower()) is not _UNIMPLEMENTED]
        scopes = {verb: handler.scopes.get("GET" if verb == "HEAD" else verb) for verb in verbs}
        found[route.name or ""] = {v: "public" if handler.public else _named(s) for v, s in scopes.items()}
    return found


def _named(scope: Scope | tuple[Scope, ...] | None) -> str:
    return " and ".join(scope) if isinstance(scope, tuple) else str(scope or "none")


def reviewed() -> dict[tuple[str, str], str]:
    """The table of docs/security.md: the scope by address and method."""
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = re.findall(r"^\| `(/[^`]*)` \| ([A-Z]+) \| (\w+(?: and \w+)*) \|$", text, re.M)
    return {(path, verb): scope for path, verb, scope in rows}


def test_every_method_of_every_route_declares_its_scope(house: House, settings: Settings, tasks: TaskDirectory) -> None:
    for name, scopes in declared(house, settings, tasks).items():
        assert "none" not in scopes.values(), name


def test_no_handler_declares_a_scope_for_a_method_that_it_lacks(
    house: House, settings: Settings, tasks: TaskDirectory
) -> None:
    verbs = declared(house, settings, tasks)
    for route in routes(house.dispatcher, settings, tasks):
        assert set(route.handler_class.scopes) <= set(verbs[route.name or ""])


def test_the_page_says_what_the_program_does(house: House, settings: Settings, tasks: TaskDirectory) -> None:
    said = reviewed()
    done: set[tuple[str, str]] = set()
    for name, scopes in declared(house, settings, tasks).items():
        path = MATRIX[name][0].partition("?")[0]
        for verb in scopes.keys() - {"HEAD"}:
            row = (
                (path, verb)
                if (path, verb) in said
                else next(row for row in said if row[1] == verb and _fits(row[0], path))
            )
            assert said[row] == scopes[verb], row
            done.add(row)
    assert done == set(said)


def _fits(address: str, path: str) -> bool:
    return re.fullmatch(re.sub("<[a-z]+>", lambda found: _NAMES[found[0]], address), path) is not None


@pytest.mark.gen_test
@pytest.mark.parametrize("name", MATRIX)
async def test_a_token_opens_what_its_scope_says(
    ask: Ask, house: House, settings: Settings, tasks: TaskDirectory, name: str
) -> None:
    path, scopes = MATRIX[name][0], declared(house, settings, tasks)[name]
    for given in Scope:
        _, text = await house.dispatcher.access.make(f"only {given}", (given,), actor=Actor("test"))
        for verb in (*METHODS, "OPTIONS"):
            headers = {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
            answer = await ask(path, verb, headers=headers)
            needed = scopes.get(verb, "")
            cell = (verb, path, given, answer.code)
            if verb == "OPTIONS" or needed == "public" or name.endswith("not-found"):
                assert answer.code not in (401, 403), cell
            elif not needed:
                assert answer.code == 405, cell
            elif set(needed.split(" and ")) <= set(with_included([given])):
                assert answer.code not in (401, 403, 405), cell
            else:
                assert answer.code == 403, cell
                words = rf"needs the scope '({needed.replace(' and ', '|')})', and the token 'only {given}' has "
                assert verb == "HEAD" or re.search(words, answer.body.decode()), cell
