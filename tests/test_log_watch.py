"""The watch on the log goes red in planted tests that log a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = (Path(__file__).parent / "conftest.py").read_text("utf-8")
PLANTED = """
import logging
import pytest

def test_quiet():
    logging.getLogger("planted").info("all is well")

def test_warns():
    logging.getLogger("planted").warning("look out")

@pytest.mark.expect_log("look out")
def test_warns_as_expected():
    logging.getLogger("planted").warning("look out")

@pytest.mark.expect_log("look out")
def test_expects_in_vain():
    pass

@pytest.mark.browser
def test_needs_a_browser():
    pass
"""


def planted(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, **environ: str) -> dict[str, int]:
    monkeypatch.setenv("PATH", str(pytester.path))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # of what conftest.py imports
    for name in ("CI", "CHROMIUM", "HYPOTHESIS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers =\n  browser: b\n  expect_log: e\n")
    pytester.makepyfile(PLANTED)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:tornado").parseoutcomes()


def test_an_unexpected_or_a_missing_warning_is_an_error_and_a_missing_browser_skips(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert planted(pytester, monkeypatch) == {"passed": 4, "errors": 2, "skipped": 1}


def test_under_ci_a_missing_browser_fails(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = planted(pytester, monkeypatch, CI="true")
    assert (outcomes.get("skipped", 0), outcomes.get("failed", 0) + outcomes["errors"]) == (0, 3)
