"""Faults of worker pages, E1: the page is loaded anew in the middle of its jobs."""

from __future__ import annotations

import pytest

from tests.campaigns import reload
from tests.campaigns.record import played

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_fault_E01_a_browser_reloaded_in_the_middle_of_jobs_loses_none_and_records_none_twice() -> None:
    """The campaign in its short form, with its controls; ``make campaign-reload ARGS=--long`` does it 100 times."""
    record = played("reload", "short", 20_260_727, reload.play)
    print(record.written())
    assert record.verdict() == []
