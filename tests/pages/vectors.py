"""The test vectors of docs/protocol.md, and the messages that the source has. Knows no test."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

from dispatcher.pages.protocol import PageMessage, ServerMessage
from tests.support.places import ROOT

__all__ = ["OF_PAGE", "OF_SERVER", "PAGE_OPS", "ROOT", "SERVER_OPS", "VECTORS", "refused_codes"]


VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests" / "vectors" / "protocol.json").read_text("utf-8"))
OF_PAGE = [vector for vector in VECTORS if vector["dir"] == "page"]
OF_SERVER = [vector for vector in VECTORS if vector["dir"] == "server"]

PAGE_OPS = {kind.__struct_config__.tag for kind in PageMessage.__args__}
SERVER_OPS = {kind.__struct_config__.tag for kind in ServerMessage.__args__}


def refused_codes() -> set[str]:
    """Every code that the server puts into ``refused``, read from its source."""
    found: set[str] = set()
    for path in sorted((ROOT / "dispatcher").rglob("*.py")):
        if "sdk" not in path.parts:
            found.update(_codes(ast.parse(path.read_text("utf-8"))))
    return found


def _codes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).split(".")[-1]
        if name == "MessageRefused":
            yield next((_text(item.value) for item in node.keywords if item.arg == "code"), "bad_message")
        elif name == "Refuse":
            yield _text(node.args[1])
        elif name == "Refused" and isinstance(node.args[0], ast.Constant):
            yield _text(node.args[0])


def _text(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant), f"a code that is not written out: {ast.unparse(node)}"
    return str(node.value)
