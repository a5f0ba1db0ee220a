"""Every test gets a watch on the log, the browser and its marker, and Hypothesis's profiles.

A test that logs a warning or an error fails, unless it expects the line:
``@pytest.mark.expect_log("regex")``. An expected line that never comes fails the test too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.choice import front_in_force
from tests.support.missing import UNDER_CI, chromium_path, missing
from tests.support.places import FRONT

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=200, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", parent=settings.get_profile("ci"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if UNDER_CI else "dev"))


def pytest_report_header() -> str:
    """Which front the servers of the tests have that choose none themselves."""
    return f"front: {front_in_force(Settings(front=os.environ.get(FRONT, '')))}"


def pytest_configure() -> None:
    """Keeps pytest-tornado from making an event loop by asking for one, which it would not close."""
    asyncio.set_event_loop(None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser a developer's machine skips the test; CI must have one, so that nothing is overlooked."""
    if item.get_closest_marker("browser") is None:
        return
    if chromium_path():
        return
    missing("needs Chromium and chromedriver on the PATH (Debian: apt-get install chromium chromium-driver)")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One Chromium for all tests of a file. A file that needs it made otherwise has a ``chromium`` of its own."""
    from tests.page.browsers import Chromium, browsing  # for few tests: all others do without selenium

    with browsing(Chromium()) as browser:
        yield browser


class _Watch(logging.Handler):
    """Keeps the lines that are logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Tornado's access log warns of every 4xx; the answer's status is what a test asserts.
        if record.name == "tornado.access" and record.levelno < logging.ERROR:
            return
        self.lines.append(f"{record.name} {record.levelname}: {record.getMessage()}")
        if record.exc_info and record.exc_info[1] is not None:
            self.lines[-1] += f" ({record.exc_info[1]!r})"


@pytest.fixture(autouse=True)
def _no_unexpected_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """It is set up first and torn down last, so that it also hears what other fixtures log at their end."""
    watch = _Watch()
    logging.getLogger().addHandler(watch)
    yield
    logging.getLogger().removeHandler(watch)
    wanted = [str(mark.args[0]) for mark in request.node.iter_markers("expect_log")]
    unexpected = [line for line in watch.lines if not any(re.search(regex, line) for regex in wanted)]
    missing = [regex for regex in wanted if not any(re.search(regex, line) for line in watch.lines)]
    assert not unexpected, "logged, and not expected with @pytest.mark.expect_log:\n" + "\n".join(unexpected)
    assert not missing, f"expected in the log, and never came: {missing}"
