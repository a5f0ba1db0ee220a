"""The other Pythons of a machine: which are found, and what is said of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.pythons import candidates, said, search

OWN = ".".join(map(str, sys.version_info[:2]))


def test_pyenvs_newest_is_asked_first_and_no_trial_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("3.13.2", "3.13.10", "3.13.0t", "3.13-dev", "3.12.1"):
        (tmp_path / "versions" / name).mkdir(parents=True)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [path.parent.parent.name for path in candidates("3.13")] == ["3.13.10", "3.13.2"]


def test_a_python_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"python{OWN}").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert search([OWN, "3.99"]) == {OWN: tmp_path / f"python{OWN}", "3.99": None}


@pytest.mark.parametrize("script", ["exit 127", "echo 2.7"])
def test_a_name_behind_which_there_is_no_such_python_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert search(["3.13"]) == {"3.13": None}


def test_what_is_found_and_what_is_missing_is_said() -> None:
    assert said({"3.13": Path("/x"), "3.12": None}) == "Other Pythons found: 3.13 (/x). Not on this machine: 3.12."
    assert said({"3.14": None}) == "No other Python found: nothing more is tested. Not on this machine: 3.14."
