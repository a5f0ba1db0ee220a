"""Who may import whom, who may know the time, and how long a function or a file may be.

Each checker is a function from a file's name and text to what is wrong with it. It runs on the project, where
it must find nothing, and on planted samples, where it must find what was planted.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import pytest

from tests.support.places import ROOT

LONGEST_FUNCTION = 60
LONGEST_FILE = 400
#: Nine of ten functions of the program are at most this long.
P90_FUNCTION = 25

#: The part of the standard library that neither reads a clock, nor does I/O, nor waits, nor draws lots.
PURE = {
    "__future__",
    "abc",
    "bisect",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "types",
    "typing",
}
STDLIB = set(sys.stdlib_module_names)


class Rule(NamedTuple):
    """What the modules below one name may import."""

    #: Of the project: names of modules or packages, each with all below it.
    project: tuple[str, ...]
    #: Of everything else: top-level names.
    outside: set[str]


#: The longest matching name counts. tests/ and bench/ may import what they like.
RULES = {
    # msgspec: its Structs are frozen dataclasses, cheaper to make; nothing in the core encodes or decodes.
    # random: only the class, as the type of a generator that is passed in (see ``impurities``).
    "dispatcher.core": Rule(("dispatcher.core", "dispatcher.errors"), PURE | {"msgspec", "random"}),
    "dispatcher.errors": Rule((), {"__future__"}),
    "dispatcher.clock": Rule((), {"__future__", "time", "typing"}),
    "dispatcher.config.settings": Rule(("dispatcher.errors", "dispatcher.core.jobs.terms"), PURE),
    "dispatcher.config.sources": Rule(
        (
            "dispatcher.errors",
            "dispatcher.config.settings",
            "dispatcher.config.checks",
            "dispatcher.config.help",
            "dispatcher.__version__",
        ),
        STDLIB,
    ),
    "dispatcher.config.checks": Rule(
        ("dispatcher.errors", "dispatcher.config.settings", "dispatcher.config.help"), STDLIB
    ),
    "dispatcher.config.help": Rule(("dispatcher.config.settings",), STDLIB),
    "dispatcher.pages.protocol": Rule(("dispatcher.core", "dispatcher.errors"), PURE | {"msgspec", "json"}),
    "dispatcher.store": Rule(
        (
            "dispatcher.store",
            "dispatcher.core",
            "dispatcher.errors",
            "dispatcher.config.settings",
            "dispatcher.clock",
        ),
        STDLIB | {"msgspec"},
    ),
    # Sessions and packets know nothing of jobs.
    "dispatcher.transport": Rule(
        (
            "dispatcher.transport",
            "dispatcher.errors",
            "dispatcher.config.settings",
            "dispatcher.pages.protocol",
            "dispatcher.clock",
        ),
        STDLIB | {"engineio", "msgspec", "tornado"},
    ),
    # Installed without the server's packages in reach, under another name.
    "dispatcher.sdk": Rule(("dispatcher.sdk",), STDLIB),
    "dispatcher": Rule(("dispatcher",), STDLIB | {"msgspec", "tornado"}),
    "handlers": Rule(
        (
            "handlers",
            "dispatcher.__version__",
            "dispatcher.clock",
            "dispatcher.core.jobs.model",
            "dispatcher.core.jobs.states",
            "dispatcher.core.jobs.terms",
            "dispatcher.core.jobs.turn",
            "dispatcher.errors",
            "dispatcher.pages.protocol",
            "dispatcher.node.service",
            "dispatcher.config.settings",
        ),
        STDLIB | {"msgspec", "tornado"},
    ),
    "server": Rule(("dispatcher", "handlers"), STDLIB | {"tornado"}),
}
_IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "__import__", "id", "hash"}
_IMPURE_CALLS |= {"Random", "random.Random"}
PROJECT = {"dispatcher", "handlers", "server", "tests", "bench", "pagehand"}


class Import(NamedTuple):
    """One imported name, absolute, and the line it stands in."""

    name: str
    line: int
    relative: bool


def imports(module: str, text: str, *, package: bool = False) -> Iterator[Import]:
    """Every import of a file, also those inside functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: None if package and node.level == 1 else -(node.level - package)]
            base = ".".join([*above, node.module or ""]).rstrip(".") if node.level else str(node.module)
            yield from (Import(f"{base}.{alias.name}", node.lineno, node.level > 0) for alias in node.names)


def below(name: str, top: str) -> bool:
    return name == top or name.startswith(top + ".")


def bad_imports(module: str, text: str, *, package: bool = False) -> list[str]:
    """What a module imports and may not."""
    tops = [top for top in RULES if below(module, top)]
    if not tops:
        return []
    rule = RULES[max(tops, key=len)]
    found = []
    for item in imports(module, text, package=package):
        top = item.name.split(".")[0]
        if top in PROJECT:
            good = any(below(item.name, allowed) for allowed in rule.project)
            # Under its installed name an absolute import of the sdk would find nothing.
            good = good and (item.relative or not below(module, "dispatcher.sdk"))
            good = good and (below(module, "dispatcher.sdk") or not below(item.name, "dispatcher.sdk"))
        else:
            good = top in rule.outside
        if not good:
            found.append(f"{module}:{item.line} imports {item.name}")
    return found


def clock_reads(module: str, text: str, *, package: bool = False) -> list[str]:
    """Imports of ``time`` in the server anywhere but in the one module that has the clocks."""
    if not below(module, "dispatcher") or below(module, "dispatcher.sdk") or module == "dispatcher.clock":
        return []
    names = [item for item in imports(module, text, package=package) if below(item.name, "time")]
    return [f"{module}:{item.line} imports {item.name}" for item in names]


def impurities(module: str, text: str) -> list[str]:
    """In the core, calls that do I/O, and randomness other than that of a generator that is passed in."""
    if not below(module, "dispatcher.core"):
        return []
    tree = ast.parse(text)
    found = [
        f"{module}:{item.line} imports {item.name}"
        for item in imports(module, text)
        if item.name.startswith("random.") and item.name != "random.Random"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _IMPURE_CALLS:
            found.append(f"{module}:{node.lineno} calls {ast.unparse(node.func)}")
        elif isinstance(node, ast.Attribute) and re.match(r"random\.(?!Random$)", ast.unparse(node)):
            found.append(f"{module}:{node.lineno} uses {ast.unparse(node)}")
    return found


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Each function: its name, its first line, and how many lines it has."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def long_functions(name: str, text: str) -> list[str]:
    return [f"{name}:{line} {what} has {n} lines" for what, line, n in functions(text) if n > LONGEST_FUNCTION]


def long_file(name: str, text: str) -> list[str]:
    count = len(text.splitlines())
    return [f"{name} has {count} lines"] if count > LONGEST_FILE else []


# A directory of somebody's machine says nothing to anybody else.
_MACHINE = re.compile(r"(?<![\w.>])/(?:work|root|Users/\w+)/|/tmp/bash[_]jobs")


def machine_paths(name: str, text: str) -> list[str]:
    return [f"{name}: {found[0]}" for found in _MACHINE.finditer(text)]


# the project


def files(*suffixes: str) -> list[Path]:
    """The project's files, without environments, caches and builds."""
    skipped = {".git", ".venv", ".cache", "build", "dist", "node_modules", "__pycache__", ".hypothesis"}
    found = []
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        hidden = any(part in skipped or part.endswith(("_cache", ".egg-info")) for part in parts)
        if path.suffix in suffixes and path.is_file() and not hidden:
            found.append(path)
    return found


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> tuple[str, bool]:
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if package else parts), package


SOURCES = files(".py")


def test_the_rules_are_about_modules_that_exist() -> None:
    modules = {module_of(path)[0] for path in SOURCES}
    assert {top for top in RULES if top not in modules} == set()


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    module, package = module_of(path)
    text = path.read_text("utf-8")
    assert bad_imports(module, text, package=package) == []
    assert clock_reads(module, text, package=package) == []
    assert impurities(module, text) == []


def test_no_function_is_longer_than_sixty_lines_and_most_are_far_shorter(record_property) -> None:
    texts = {shown(path): path.read_text("utf-8") for path in SOURCES}
    assert [problem for name, text in texts.items() for problem in long_functions(name, text)] == []
    program = ("dispatcher/", "handlers/", "server.py")
    lengths = [n for name, text in texts.items() if name.startswith(program) for *_, n in functions(text)]
    p90 = quantiles(lengths, n=10)[-1]
    record_property("p90 of function lengths", p90)
    assert p90 <= P90_FUNCTION


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    texts = {shown(path): path.read_text("utf-8") for path in files(".py", ".js")}
    assert [problem for name, text in texts.items() for problem in long_file(name, text)] == []


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    kinds = (".py", ".js", ".css", ".html", ".md", ".toml", ".sql", ".json", ".yml")
    texts = {shown(path): path.read_text("utf-8") for path in files(*kinds)}
    assert [problem for name, text in texts.items() for problem in machine_paths(name, text)] == []


# negative controls: what the checkers must find


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("dispatcher.core.workers.machine", "import asyncio"),
        ("dispatcher.core.workers.machine", "import json"),
        ("dispatcher.core.workers.machine", "from tornado.ioloop import IOLoop"),
        ("dispatcher.core.workers.machine", "from dispatcher.config.settings import Settings"),
        ("dispatcher.core.workers.machine", "from dispatcher import clock"),
        ("dispatcher.core.workers.machine", "from ...store import port"),
        ("dispatcher.core.workers.machine", "def f():\n    import logging"),
        ("dispatcher.core.workers.machine", "if TYPE_CHECKING:\n    from dispatcher.store.port import Store"),
        ("dispatcher.errors", "from dispatcher.core.jobs.model import JobView"),
        ("dispatcher.pages.protocol", "from dispatcher.store import port"),
        ("dispatcher.store.sqlite.store", "import tornado"),
        ("dispatcher.store.sqlite.store", "from dispatcher.node.service import Dispatcher"),
        ("dispatcher.transport.sessions", "from dispatcher.core.jobs.model import JobView"),
        ("dispatcher.transport.sessions", "import dispatcher.node.service"),
        ("dispatcher.node.service", "from handlers.api.resources import JobHandler"),
        ("dispatcher.node.service", "import server"),
        ("dispatcher.node.service", "from dispatcher.sdk import simulate"),
        ("dispatcher.node.service", "from tests.conftest import chromium"),
        ("dispatcher.node.service", "import requests"),
        ("dispatcher.sdk.client", "import tornado"),
        ("dispatcher.sdk.client", "from dispatcher.errors import PagehandError"),
        ("dispatcher.sdk.client", "from dispatcher.sdk import simulate"),
        ("dispatcher.sdk.client", "from ..errors import PagehandError"),
        ("handlers.api.resources", "from dispatcher.store.port import Store"),
        ("handlers.api.resources", "from dispatcher.transport import sessions"),
        ("handlers.api.resources", "from dispatcher.core.workers.machine import Machine"),
        ("handlers.api.resources", "from dispatcher.core import machine"),
        ("handlers.api.resources", "from dispatcher import core"),
        ("handlers.api.resources", "import server"),
        ("server", "from tests.conftest import chromium"),
    ],
)
def test_a_planted_import_is_found(module: str, text: str) -> None:
    assert len(bad_imports(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("dispatcher.core.workers.machine", "from .model import JobView\nfrom random import Random\nimport heapq"),
        ("dispatcher.sdk.client", "from . import __version__\nfrom .simulator import page\nimport json"),
        (
            "handlers.api.resources",
            "from dispatcher.core.jobs.model import JobView\nfrom dispatcher.core.jobs import states",
        ),
        ("tests.test_any", "import server, requests\nfrom dispatcher.sdk import simulate"),
    ],
)
def test_an_import_that_is_allowed_is_not_found(module: str, text: str) -> None:
    assert bad_imports(module, text) == []


def test_relative_imports_are_resolved_from_modules_and_from_packages() -> None:
    assert next(imports("a.b.c", "from .d import e")).name == "a.b.d.e"
    assert next(imports("a.b.c", "from ..d import e")).name == "a.d.e"
    assert next(imports("a.b", "from .d import e", package=True)).name == "a.b.d.e"
    assert next(imports("a.b", "from ..d import e", package=True)).name == "a.d.e"
    assert next(imports("a.b", "from . import e", package=True)).name == "a.b.e"


@pytest.mark.parametrize("text", ["import time", "from time import monotonic", "def f():\n    import time as t"])
def test_a_planted_clock_is_found(text: str) -> None:
    assert len(clock_reads("dispatcher.transport.sessions", text)) == 1
    assert len(clock_reads("dispatcher.store", text, package=True)) == 1
    assert clock_reads("dispatcher.clock", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "print(1)",
        "from random import random",
        "import random\nx = random.random()",
        "import random\nx = random.Random(1)",
        "from random import Random\nx = Random()",
    ],
)
def test_a_planted_impurity_of_the_core_is_found(text: str) -> None:
    assert len(impurities("dispatcher.core.workers.machine", text)) == 1


def test_a_generator_that_is_passed_in_is_no_impurity() -> None:
    text = "import random\ndef f(rng: random.Random) -> float:\n    return rng.random()"
    assert impurities("dispatcher.core.workers.machine", text) == []


def test_a_planted_long_function_and_a_planted_long_file_are_found() -> None:
    body = "    pass\n" * LONGEST_FUNCTION
    assert long_functions("x.py", "def f():\n" + body) != []
    assert long_functions("x.py", "class C:\n  async def f(self):\n" + body) != []
    assert long_functions("x.py", "def f():\n" + body.removesuffix("    pass\n")) == []
    assert long_file("static/x.js", "\n" * (LONGEST_FILE + 1)) != []
    assert long_file("static/x.js", "\n" * LONGEST_FILE) == []


def test_a_planted_path_is_found_and_a_route_is_not() -> None:
    assert machine_paths("x", "see " + "/".join(["", "root", "x"])) != []
    assert machine_paths("x", "GET /worker and https://a.example/root/x and /tmp/x") == []
