"""Every test of the API runs twice: new jobs by the short way, and by the handler."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[True, False], ids=["short way", "handler"])
def short_way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
