"""What somebody at a page has said of a job in doubt, in words for the audit log."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.acts.doubts import AnswerDoubt


@pytest.mark.parametrize(
    ("happened", "question", "said"),
    [
        (True, "Did it come out?", "Did it come out? Yes"),
        (False, "Did it come out?", "Did it come out? No"),
        (True, "", "Yes"),
    ],
)
def test_question_and_answer_stand_side_by_side(happened: bool, question: str, said: str) -> None:
    assert AnswerDoubt(job="j", attempt="a", worker="w", happened=happened, question=question).said == said
