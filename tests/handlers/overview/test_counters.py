"""The seven counters, and how the workers of a type are told."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.views.overview import Present, TypeLine
from handlers.overview.counters import counters, workers_of
from tests.handlers.overview.test_concerns import hour, look


def test_there_are_seven_and_each_leads_to_a_list() -> None:
    seen = look(
        counts={"queued": 10, "scheduled": 3, "running": 2, "in_doubt": 1, "succeeded": 99, "failed": 9},
        hour=hour(succeeded=40), present=Present(30, 4, 1, 0, 2), gone=1_000,
    )  # fmt: skip
    told = [(one.name, one.number, one.words, one.beside, one.link, one.more) for one in counters(seen)]
    assert told == [
        ("waiting", 13, "waiting", "3 of them scheduled", "/jobs?state=queued&state=scheduled", False),
        ("running", 2, "running", "", "/jobs?state=running", False),
        ("in_doubt", 1, "in doubt", "", "/doubts", False),
        ("succeeded", 40, "done", "in the last hour", "/jobs?state=succeeded&ended_after=-1h", False),
        ("failed", 0, "failed", "in the last hour", "/jobs?state=failed&ended_after=-1h", False),
        ("ready", 30, "workers ready", "4 busy, 1 paused, 2 away", "/workers", False),
        ("gone", 1_000, "not here", "", "/workers?state=gone", True),
    ]


@pytest.mark.parametrize(
    ("present", "words"),
    [
        (Present(1, 2, 3, 4, 5), "1 ready, 2 busy, 3 paused, 4 skipped, 5 away"),
        (Present(0, 0, 1, 0, 0), "1 paused"),
        (Present(0, 0, 0, 0, 0), "none"),
        (None, "1,200 offer it"),
    ],
)
def test_the_workers_of_a_type_are_told_by_how_they_stand(present: Present | None, words: str) -> None:
    view = TypeView(type="fax", offered_at=1.0, counts={}, workers=1_200)
    assert workers_of(TypeLine(known=view, hour=hour(), since=None, present=present)) == words
