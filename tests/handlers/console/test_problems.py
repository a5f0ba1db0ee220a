"""What the overview says first."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.model import FailingType, PausedType, ShutType, Troubles, TypeView
from handlers.console.problems import MOST_PROBLEMS, all_is_well, problems


def said(troubles: Troubles, **counts: int) -> list[tuple[str, str]]:
    found = problems(troubles, counts, draining=False, ready=True)
    return [(sentence.replace("\u00a0", " "), link) for sentence, link in found]


@pytest.mark.parametrize(
    ("counts", "connected", "line"),
    [
        ({}, 0, "All is well: no job waits; no worker is connected."),
        ({"failed": 3}, 1, "All is well: no job waits; 1 worker is connected."),
        ({"running": 1, "queued": 2, "scheduled": 1_000}, 12,
         "All is well: 1 job running, 1,002 waiting; 12 workers are connected."),
    ],
)  # fmt: skip
def test_one_line_says_that_all_is_well(counts: dict[str, int], connected: int, line: str) -> None:
    assert all_is_well(counts, connected) == line


@pytest.mark.parametrize(
    ("troubles", "sentence", "link"),
    [
        (Troubles(shut=[ShutType("fax", 14, True, False)]),
         "14 jobs of type fax wait: every worker that offers it is paused.", "/workers?type=fax"),
        (Troubles(shut=[ShutType("fax", 1, False, True)]),
         "1 job of type fax waits: every worker that offers it is skipped for a while, because it ignored its last "
         "jobs.", "/workers?type=fax"),
        (Troubles(shut=[ShutType(name, 0, True, False) for name in "abcdef"]),
         "Every worker that offers a, b, c, d, e and more is paused.", "/workers?type=a"),
        (Troubles(shut=[ShutType("a", 0, True, False), ShutType("b", 0, True, True)]),
         "Every worker that offers a, b is paused or skipped for a while, because it ignored its last jobs.",
         "/workers?type=a"),
        (Troubles(paused=[PausedType("fax", 2, Hold(1.0, "ann", "no paper"))]),
         "2 jobs of type fax wait: the type is paused by ann: no paper.", "/types/fax"),
        (Troubles(paused=[PausedType("fax", 1, Hold(1.0, ""))]),
         "1 job of type fax waits: the type is paused.", "/types/fax"),
        (Troubles(failing=[FailingType("fax", 40, True)]),
         "40 of 40 jobs of type fax failed.", "/jobs?state=failed&type=fax"),
        (Troubles(failing=[FailingType("fax", 7, False)]),
         "The last 7 jobs of type fax failed.", "/jobs?state=failed&type=fax"),
        (Troubles(stalled=[("fax", 1.5), ("mail", 4.0)]),
         "Jobs of type mail and of other types wait although a worker is free: none was offered for 4.0 s. "
         "The server is overloaded, or its disk is slow.", "/jobs?state=queued&type=mail"),
    ],
)  # fmt: skip
def test_each_problem_is_a_sentence_that_leads_to_more(troubles: Troubles, sentence: str, link: str) -> None:
    assert said(troubles) == [(sentence, link)]


def test_many_problems_of_a_kind_are_shown_in_part() -> None:
    many = range(MOST_PROBLEMS + 5)
    troubles = Troubles(
        unserved=[TypeView(type=f"t{n}", offered_at=None, counts={"queued": 1}) for n in many],
        failing=[FailingType(f"t{n}", 3, True) for n in many],
        paused=[PausedType(f"t{n}", 3, Hold(1.0, "")) for n in many],
    )
    sentences = [sentence for sentence, _ in said(troubles)]
    assert len(sentences) == 3 * (MOST_PROBLEMS + 1)
    assert sentences[MOST_PROBLEMS] == "Jobs of more types wait, and no connected worker offers them."
    assert sentences[-1] == "All jobs of more types have failed of late."
