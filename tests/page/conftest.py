"""The browsers that tests of the page run in, one after another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .browsers import Browser, Chromium, PhantomJS, browsing


@pytest.fixture(params=["chromium", "chromium as ie11", "phantomjs"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    phantomjs = request.param == "phantomjs"
    with browsing(PhantomJS() if phantomjs else Chromium(caged="ie11" in request.param)) as made:
        yield made
