"""What a test needs and this machine has not: on a desk the test is skipped, in CI it fails, so that nothing goes
unseen.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["UNDER_CI", "missing"]

UNDER_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def missing(reason: str) -> NoReturn:
    """``reason`` says what is needed, and where it is to be had."""
    if UNDER_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
