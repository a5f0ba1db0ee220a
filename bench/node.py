"""Node's engine.io, where it is: ``npm install --prefix DIR engine.io`` puts it there, and ``--npm DIR`` says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

__all__ = ["command", "missing", "version"]

_ECHO = Path(__file__).resolve().parent / "echo.js"
_PACKAGE = Path("node_modules", "engine.io", "package.json")


def missing(npm: Path, node: str | None) -> str:
    """What is not there, in words; empty if all is. ``node`` is the program, if it was found."""
    if node is None:
        return "there is no program `node`"
    if not (npm / _PACKAGE).exists():
        return f"engine.io is not in {npm} (npm install --prefix DIR engine.io, then --npm DIR)"
    return ""


def version(npm: Path) -> str:
    """Of engine.io, as its package says it; or what is missing."""
    lacking = missing(npm, shutil.which("node"))
    return f"not measured, {lacking}" if lacking else str(json.loads((npm / _PACKAGE).read_text("utf-8"))["version"])


def command(npm: Path, port: int) -> list[str]:
    """Starts the echo."""
    return ["node", str(_ECHO), str(port), str(npm)]
