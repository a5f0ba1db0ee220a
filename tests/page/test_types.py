"""static/worker.js is free of names that do not exist: TypeScript reads it as ES5 in a browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from .harness import STATIC
from .npm import npm_file

FLAGS = ["--allowJs", "--checkJs", "--noEmit", "--target", "es5", "--lib", "es5,dom"]


def complaints(path: Path) -> str:
    """What TypeScript says of a script."""
    compiler = npm_file("typescript", "5.9.3", "lib/tsc.js")
    node = shutil.which("node")
    assert node, "npm without node"
    return subprocess.run(
        [node, str(compiler), *FLAGS, str(path)], capture_output=True, text=True, check=False, timeout=100
    ).stdout


@pytest.mark.slow
def test_the_worker_names_only_what_exists() -> None:
    assert complaints(STATIC / "worker.js") == ""


@pytest.mark.slow
def test_a_method_that_does_not_exist_is_caught(tmp_path: Path) -> None:
    source = (STATIC / "worker.js").read_text(encoding="utf-8")
    planted = source.replace("this._identity.claim();", "this._identity.klaim();", 1)
    assert planted != source
    (tmp_path / "worker.js").write_text(planted, encoding="utf-8")
    assert "klaim" in complaints(tmp_path / "worker.js")
