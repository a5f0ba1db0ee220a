"""One healthy server with a token for all tests of a file: they only look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sdk.doctor.meddler import TOKEN
from tests.support.server import Live, live


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("doctor"), "--token", TOKEN) as started:
        yield started
