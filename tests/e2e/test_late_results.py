"""``--late-accept`` and ``--no-late-accept``, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.http import Page
from tests.support.server import live

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("flag", "verdict", "state"),
    [("--late-accept", "recorded", "succeeded"), ("--no-late-accept", "stale", "scheduled")],
)
def test_a_result_after_an_error_counts_as_the_operator_has_set(
    tmp_path: Path, flag: str, verdict: str, state: str
) -> None:
    with live(tmp_path, flag, "--backoff-base-s", "60") as server:
        page = Page(server)
        page.register("x")
        job = server.submit("x", 1)
        attempt = page.hear("job")["attempt"]
        page.say("accept", attempt=attempt)
        page.say("error", attempt=attempt, message="no")
        assert page.hear("recorded")["verdict"] == "recorded"
        page.say("result", attempt=attempt, value=7)
        assert page.hear("recorded")["verdict"] == verdict
        assert server.ask("GET", f"/api/v1/jobs/{job['id']}").json()["state"] == state
