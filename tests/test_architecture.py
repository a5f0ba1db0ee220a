"""Which module may import what, which may know the time, and how long a function or a file may be.

Who may import whom stands in pyproject.toml, and import-linter reads it; here it is seen to find what is planted.

Each checker is a function from a file's name and text to what is wrong with it. It runs on the project, where
it must find nothing, and on planted samples, where it must find what was planted.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
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

#: The part of the standard library that reads no clock, does no I/O, does not wait, and has no randomness.
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

#: What modules may import besides the project, if not all of the standard library. The longest matching name counts.
PURITY = {
    # msgspec: Structs are frozen dataclasses; the core decodes nothing. random: only the class of a given generator.
    "dispatcher.core": PURE | {"msgspec", "random", "unicodedata"},
    "dispatcher.core.jobs.versions": PURE | {"hashlib"},
    "dispatcher.access": PURE | {"hashlib", "hmac", "ipaddress", "msgspec"},
    "dispatcher.webhooks": PURE | {"base64", "hmac", "ipaddress", "msgspec", "urllib"},
    "dispatcher.errors": {"__future__"},
    "dispatcher.reading": {"__future__", "re", "urllib"},
    "dispatcher.clock": {"__future__", "time", "typing"},
    "dispatcher.config.settings": PURE,
    "dispatcher.pages.protocol": PURE | {"msgspec", "json"},
}
#: Packages of others that the program needs, each named in setup.py.
OUTSIDE = {"engineio", "httptools", "msgspec", "prometheus_client", "psycopg", "tornado", "websockets"}
PROGRAM = {"dispatcher", "handlers", "server"}
_IMPURE_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "__import__", "id", "hash"}
_IMPURE_CALLS |= {"Random", "random.Random"}


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


def impure_imports(module: str, text: str, *, package: bool = False) -> list[str]:
    """Forbidden imports from outside the project in a module of ``PURITY``."""
    tops = [top for top in PURITY if below(module, top)]
    if not tops:
        return []
    allowed = PURITY[max(tops, key=len)] | PROGRAM
    found = imports(module, text, package=package)
    return [f"{module}:{item.line} imports {item.name}" for item in found if item.name.split(".")[0] not in allowed]


def outside(module: str, text: str, *, package: bool = False) -> set[str]:
    """The packages that a file of the program imports, other than its own and the standard library."""
    if module.split(".")[0] not in PROGRAM:
        return set()
    return {item.name.split(".")[0] for item in imports(module, text, package=package)} - STDLIB - PROGRAM


def absolute_in_sdk(module: str, text: str, *, package: bool = False) -> list[str]:
    """Imports of the sdk by itself that would find nothing under the name that it has when it is installed."""
    if not below(module, "dispatcher.sdk"):
        return []
    found = imports(module, text, package=package)
    return [
        f"{module}:{item.line} imports {item.name}"
        for item in found
        if below(item.name, "dispatcher") and not item.relative
    ]


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


# A directory on one machine means nothing to other people.
_MACHINE = re.compile(r"(?<![\w.>])/(?:work|root|Users/\w+)/|/tmp/bash[_]jobs")


def machine_paths(name: str, text: str) -> list[str]:
    return [f"{name}: {found[0]}" for found in _MACHINE.finditer(text)]


# the project


def files(*suffixes: str) -> list[Path]:
    """The project's files, without environments, caches and builds."""
    skipped = {".git", ".venv", ".cache", "build", "dist", "mutants", "node_modules", "__pycache__", ".hypothesis"}
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


def test_purity_is_asked_of_modules_that_exist() -> None:
    assert set(PURITY) - {module_of(path)[0] for path in SOURCES} == set()


@pytest.mark.parametrize("path", SOURCES, ids=shown)
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    module, package = module_of(path)
    text = path.read_text("utf-8")
    assert impure_imports(module, text, package=package) == []
    assert absolute_in_sdk(module, text, package=package) == []
    assert clock_reads(module, text, package=package) == []
    assert impurities(module, text) == []


def test_the_program_needs_seven_packages_of_others_and_tests_of_applications_two() -> None:
    needed = {(name, below(at, "dispatcher.sdk.testing")) for at, *x in map(_read, SOURCES) for name in outside(at, *x)}
    assert needed == {(name, False) for name in OUTSIDE} | {("_quickjs", True), ("pytest", True)}


def _read(path: Path) -> tuple[str, str]:
    return module_of(path)[0], path.read_text("utf-8")


def broken_contracts(tree: Path) -> list[str]:
    """The contracts of pyproject.toml that the program in a directory breaks; ``make lint`` says where."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert re.search(r"^Contracts: \d+ kept", done.stdout, re.M), done.stdout + done.stderr
    return re.findall(r"^(.+) BROKEN", done.stdout, re.M)


def test_who_may_import_whom_is_kept() -> None:
    assert broken_contracts(ROOT) == []


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


ARROWS = "Arrows go down"


@pytest.mark.parametrize(
    ("module", "text", "contract"),
    [
        ("dispatcher/pages/protocol.py", "from dispatcher.store import port", ARROWS),
        ("dispatcher/transport/session.py", "from dispatcher.pages.protocol import Offer", ARROWS),
        ("dispatcher/core/fleet/lanes.py", "def f():\n    from ...store import port", ARROWS),
        ("dispatcher/store/port.py", "from dispatcher.node.waits.waiters import Waiters", ARROWS),
        ("dispatcher/errors.py", "from dispatcher import clock", ARROWS),
        ("dispatcher/node/timer.py", "from dispatcher.sdk import simulate", ARROWS),
        ("dispatcher/core/jobs/states.py", "from dispatcher.config import settings", ARROWS),
        ("dispatcher/novelty.py", "", ARROWS),
        (
            "dispatcher/core/jobs/states.py",
            "from ..workers import retry",
            "Workers know the fleet, the fleet knows jobs",
        ),
        (
            "dispatcher/core/fleet/pools.py",
            "from ..workers import retry",
            "Workers know the fleet, the fleet knows jobs",
        ),
        (
            "dispatcher/core/jobs/states.py",
            "from ..fleet import worker",
            "Workers know the fleet, the fleet knows jobs",
        ),
        ("dispatcher/config/help.py", "from dispatcher.config import checks", "Sources of settings know checks"),
        ("dispatcher/core/jobs/states.py", "from dispatcher import clock", "The core knows nothing but errors"),
        ("dispatcher/config/help.py", "from dispatcher.core.jobs.model import JobView", "Settings know of jobs"),
        ("dispatcher/store/views.py", "from dispatcher.core.workers import retry", "The store knows nothing of"),
        ("dispatcher/store/views.py", "from dispatcher.core.fleet import worker", "The store knows nothing of"),
        ("dispatcher/transport/pings.py", "from dispatcher.core.jobs import model", "The transport knows nothing of"),
        ("handlers/site.py", "from dispatcher.store.port import Store", "Handlers know jobs, settings and errors"),
        ("handlers/site.py", "from dispatcher.core.workers import retry", "Handlers know jobs, settings and errors"),
        ("dispatcher/config/help.py", "import tornado.web", "HTTP is for transport and handlers"),
        ("dispatcher/store/views.py", "import engineio", "HTTP is for transport and handlers"),
        ("dispatcher/sdk/simulate.py", "if TYPE_CHECKING:\n    from ..errors import PagehandError", "The sdk stands"),
        ("dispatcher/sdk/simulate.py", "import msgspec", "The sdk stands alone"),
        ("dispatcher/clock.py", "from handlers import site", "Handlers stand above the dispatcher"),
        ("handlers/site.py", "import server", "Nobody imports what starts or tests the program"),
    ],
)
def test_a_planted_import_is_found(tmp_path, module: str, text: str, contract: str) -> None:
    for name in ("dispatcher", "handlers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    assert [name for name in broken_contracts(tmp_path) if name.startswith(contract)] != []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("dispatcher.core.workers.machine", "import asyncio"),
        ("dispatcher.core.workers.machine", "import json"),
        ("dispatcher.core.workers.machine", "from tornado.ioloop import IOLoop"),
        ("dispatcher.core.workers.machine", "def f():\n    import logging"),
        ("dispatcher.errors", "import re"),
        ("dispatcher.config.settings", "import os"),
        ("dispatcher.pages.protocol", "import hmac"),
    ],
)
def test_a_planted_import_of_an_impure_module_is_found(module: str, text: str) -> None:
    assert len(impure_imports(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("dispatcher.core.workers.machine", "from .model import JobView\nfrom random import Random\nimport heapq"),
        ("dispatcher.pages.protocol", "import json\nimport msgspec"),
        ("dispatcher.node.service", "import asyncio"),
        ("tests.test_any", "import server, requests"),
    ],
)
def test_an_import_that_is_allowed_is_not_found(module: str, text: str) -> None:
    assert impure_imports(module, text) == []


def test_a_planted_need_is_found_in_the_program_and_not_in_its_tests() -> None:
    assert outside("server", "import requests\nimport json\nfrom dispatcher import clock") == {"requests"}
    assert outside("dispatcher.node.service", "from tests.desk import lacking") == {"tests"}
    assert outside("tests.test_any", "import requests") == set()


def test_an_absolute_import_of_the_sdk_by_itself_is_found() -> None:
    assert len(absolute_in_sdk("dispatcher.sdk.simulate", "from dispatcher.sdk import simulator")) == 1
    assert absolute_in_sdk("dispatcher.sdk.simulate", "from . import simulator\nimport json") == []
    assert absolute_in_sdk("tests.test_any", "from dispatcher.sdk import simulate") == []


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
