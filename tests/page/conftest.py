"""The browsers that tests of the page run in, one after another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .browsers import Browser, Chromium, PhantomJS, browsing


@pytest.fixture(scope="module", params=["chromium", "chromium as ie11", "phantomjs"])
def started(request: pytest.FixtureRequest) -> Iterator[Chromium | None]:
    """One Chromium of a kind for all tests of a file; no PhantomJS, which starts at once."""
    if request.param == "phantomjs":
        yield None
        return
    with browsing(Chromium(caged="ie11" in request.param)) as made:
        yield made


@pytest.fixture
def browser(started: Chromium | None) -> Iterator[Browser]:
    if started is None:
        with browsing(PhantomJS()) as made:
            yield made
        return
    started.begin_anew()
    yield started
