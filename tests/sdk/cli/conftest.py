"""A real server with simulated pages, for the tests of the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.support.server import Live, live, running
from tests.support.waiting import until

_PAGES = ("-m", "dispatcher.sdk", "simulate", "--types=echo,word-count", "--workers=2", "--slots=4", "--url")
_FAILING = ("-m", "dispatcher.sdk", "simulate", "--types=bad", "--workers=1", "--fail=1", "--name-prefix=bad", "--url")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with ExitStack() as stack:
        started = stack.enter_context(live(tmp_path_factory.mktemp("cli")))
        stack.enter_context(running(*_PAGES, started.url))
        stack.enter_context(running(*_FAILING, started.url))
        until(lambda: started.ask("GET", "/api/v1/stats").json()["workers"].get("connected") == 3, 20, "the pages")
        yield started


@pytest.fixture
def at(server: Live) -> list[str]:
    """Where the server is, as flags."""
    return ["--url", server.url, "--retry-for", "10"]
