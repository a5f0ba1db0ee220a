"""Fetches a tool of the tests from the npm registry into a cache that git ignores.

Such tools are third parties', so they are not in the repository. Where one cannot be had, what needs it is
skipped on a desk and fails under CI.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.missing import missing

__all__ = ["npm_file"]

_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "npm"


def npm_file(package: str, version: str, file: str) -> Path:
    """The path of a package's file; skips or fails the test if it cannot be had."""
    home = _CACHE / f"{package}-{version}"
    path = home / "node_modules" / package / file
    if not path.exists():
        _fetch(home, f"{package}@{version}")
    if path.exists():
        return path
    missing(f"{package} is not in .cache/npm and could not be fetched (needs npm and a package registry)")


def _fetch(home: Path, package: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        return
    home.mkdir(parents=True, exist_ok=True)
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(
        [npm, "install", "--prefix", str(home), *options, package], capture_output=True, check=False, timeout=100
    )
