"""Runs the short form of the tests on the other Pythons of this machine: ``make test-others``.

Each gets an environment of its own within the first one (``.venv/other-3.13``). What is not on the machine is named
and is no failure; a test that fails on one of them is.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: Which are looked for, the newest first. The floor, 3.11, stands in setup.py.
VERSIONS = ("3.14", "3.13", "3.12", "3.11")

ROOT = Path(__file__).resolve().parent.parent
_PLAIN = re.compile(r"[0-9.]+")
#: One that cannot make environments is of no use.
_PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def main(arguments: list[str]) -> int:
    """Runs them, the newest first; the exit status is 1 if a test failed on any."""
    parser = argparse.ArgumentParser(prog="tests.pythons", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--newest", action="store_true", help="only on the newest that is found")
    parser.add_argument("pytest", nargs="*", help="what pytest is told, after --")
    asked = parser.parse_args(arguments)
    own = ".".join(map(str, sys.version_info[:2]))
    found = search([version for version in VERSIONS if version != own])
    print(said(found), flush=True)
    here = [(version, python) for version, python in found.items() if python is not None]
    failed = [version for version, python in here[: 1 if asked.newest else None] if not _run(version, python, asked)]
    if failed:
        print(f"Tests fail on Python {', '.join(failed)}.", flush=True)
    return 1 if failed else 0


def search(versions: list[str]) -> dict[str, Path | None]:
    """A Python of each version, or None."""
    return {version: next(filter(_works(version), candidates(version)), None) for version in versions}


def candidates(version: str) -> Iterator[Path]:
    """Where a Python of this version may be: on the path, and among pyenv's, the newest first."""
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    kept = [path for path in versions.glob(f"{version}.*") if _PLAIN.fullmatch(path.name)]
    for path in sorted(kept, key=lambda path: [int(part) for part in path.name.split(".")], reverse=True):
        yield path / "bin" / f"python{version}"


class _works:
    """Whether a file is a Python of the version: pyenv puts names on the path behind which there is none."""

    def __init__(self, version: str) -> None:
        self._version = version

    def __call__(self, python: Path) -> bool:
        try:
            done = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, timeout=30)
        except OSError:
            return False
        return done.returncode == 0 and done.stdout.strip() == self._version


def said(found: dict[str, Path | None]) -> str:
    """Which are there and which are not, in words."""
    here = [f"{version} ({python})" for version, python in found.items() if python is not None]
    missing = [version for version, python in found.items() if python is None]
    words = f"Other Pythons found: {', '.join(here)}." if here else "No other Python found: nothing more is tested."
    return words + (f" Not on this machine: {', '.join(missing)}." if missing else "")


def _run(version: str, python: Path, asked: argparse.Namespace) -> bool:
    tester = _environment(version, python)
    print(f"The short form on Python {version} ...", flush=True)
    return subprocess.run([tester, "-m", "pytest", "-q", *asked.pytest], cwd=ROOT).returncode == 0


def _environment(version: str, python: Path) -> Path:
    """The environment's Python. The stamp is as old as its packages, as in the Makefile."""
    home, packages = ROOT / ".venv" / f"other-{version}", ROOT / "setup.py"
    tester, stamp = home / "bin" / "python", home / "test.stamp"
    if not _works(version)(tester):
        subprocess.run([python, "-m", "venv", "--clear", home], check=True)
    if not stamp.exists() or stamp.stat().st_mtime < packages.stat().st_mtime:
        print(f"Installing what the tests need into {home.relative_to(ROOT)} ...", flush=True)
        pip = (tester, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run((*pip, "--editable", ".[test]"), cwd=ROOT, check=True)
        stamp.touch()
    return tester


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
