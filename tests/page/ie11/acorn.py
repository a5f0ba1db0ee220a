"""Fetches acorn, the JavaScript parser of the gate, from the npm registry into a cache that git ignores.

It is a third party's, so it is not in the repository. Without it the gate is skipped on a desk and fails under CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["VERSION", "acorn_source"]

VERSION = "8.15.0"
_CACHE = Path(__file__).resolve().parents[3] / ".cache" / "npm" / f"acorn-{VERSION}"


def acorn_source() -> str | None:
    """The text of acorn.js; None: it is not in the cache and could not be fetched. ``ACORN`` names a file."""
    given = os.environ.get("ACORN")
    path = Path(given) if given else _CACHE / "node_modules" / "acorn" / "dist" / "acorn.js"
    if not path.exists() and not given:
        _fetch()
    return path.read_text(encoding="utf-8") if path.exists() else None


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        return
    _CACHE.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(_CACHE), "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run([*command, f"acorn@{VERSION}"], capture_output=True, check=False, timeout=120)
