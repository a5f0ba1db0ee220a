"""What grows in a browser is seen, in the short form of the campaign and in its arithmetic."""

from __future__ import annotations

import pytest

from tests.campaigns import leaks
from tests.campaigns.leaks import MOST_BYTES, Sample, grown
from tests.campaigns.record import Skipped, played
from tests.support.missing import missing


@pytest.mark.slow
@pytest.mark.browser
def test_a_worker_page_and_a_console_keep_nothing_that_they_have_done_with() -> None:
    try:
        record = played("leaks", "short", 1, leaks.play)
    except Skipped as reason:
        missing(str(reason))
    print(record.written())
    assert record.verdict() == []


def test_what_leaks_has_grown_from_third_to_third_and_what_is_merely_full_has_not() -> None:
    full = [Sample(1e6 * min(n, 10), 100, 5) for n in range(30)]
    leaking = [Sample(1e6 + n * MOST_BYTES, 100 + 200 * n, 5 + 2 * n) for n in range(30)]
    assert (grown(full).leaks, grown(leaking).leaks) == (0, 3)
    assert grown(leaking).size == 10 * MOST_BYTES
