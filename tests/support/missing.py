"""Ends a test that needs what this machine lacks: a developer's machine skips it, CI fails it, so that nobody
overlooks it.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["UNDER_CI", "missing"]

UNDER_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def missing(reason: str) -> NoReturn:
    """``reason`` says what is needed, and where to get it."""
    if UNDER_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
