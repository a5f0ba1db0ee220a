"""Ends a test that needs what this machine lacks: a developer's machine skips it, CI fails it, so that nobody
overlooks it.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

__all__ = ["UNDER_CI", "chromium_path", "missing"]

UNDER_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def missing(reason: str) -> NoReturn:
    """``reason`` says what is needed, and where to get it."""
    if UNDER_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def chromium_path() -> str | None:
    """Where Chromium is; None: not here, or without its driver. ``CHROMIUM`` names another one."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    return found if shutil.which("chromedriver") else None
