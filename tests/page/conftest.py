"""The browsers that tests of the page run in, one after another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.missing import missing

from .browsers import Browser, Chromium, PhantomJS, phantomjs_path


@pytest.fixture(params=["chromium", "chromium as ie11", "phantomjs"])
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    if request.param == "phantomjs" and phantomjs_path() is None:
        missing("needs PhantomJS (pip install phasma)")
    made: Browser = PhantomJS() if request.param == "phantomjs" else Chromium(caged="ie11" in request.param)
    yield made
    made.kill()
