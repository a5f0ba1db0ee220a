"""What the look at a server says of a type, and what a look without troubles is."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.endings import Endings, steps_of, summary_of
from dispatcher.core.jobs.views.histograms import ERROR, FEW_SAMPLES, count
from dispatcher.core.jobs.views.overview import TypeLine
from dispatcher.core.jobs.views.troubles import OftenFailing, Troubles

STEPS = steps_of(3_600, 1_800_000_000.0)


def line(waits: list[float]) -> TypeLine:
    ended = Endings(len(waits))
    for wait_s in waits:
        count(ended.wait, wait_s)
    view = TypeView(type="fax", offered_at=None, counts={})
    return TypeLine(known=view, hour=summary_of("fax", STEPS, [(STEPS.first, ended)]), since=None, present=None)


def test_what_95_percent_of_the_waits_stay_below_is_told_of_enough_samples() -> None:
    waits = [1.0] * (FEW_SAMPLES - 1)
    assert line([]).usual_wait_s is None
    assert line(waits).usual_wait_s is None
    assert line([*waits, 100.0]).usual_wait_s == pytest.approx(1.0, rel=ERROR)
    assert line([*waits, 100.0, 100.0]).usual_wait_s == pytest.approx(100.0, rel=ERROR)


def test_there_are_no_troubles_unless_some_are_found() -> None:
    assert Troubles() == Troubles(unserved=[], often=[], since={})
    assert Troubles() != Troubles(often=[OftenFailing("fax", 5, 10)])
