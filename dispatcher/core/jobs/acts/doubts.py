"""What the person at a worker page says of a job in doubt that this page has had: did it happen?"""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import Actor
from dispatcher.access.commands import NOBODY_ASKED

__all__ = ["AnswerDoubt"]


class AnswerDoubt(Struct, frozen=True, kw_only=True):
    """Yes: the job has succeeded. No: it runs again. It counts while this attempt, of this worker, is in doubt."""

    job: str
    attempt: str
    worker: str
    #: None: nobody has said anything yet. Then the command changes nothing, and is done if its answer would count.
    happened: bool | None
    #: What was asked.
    question: str = ""
    actor: Actor = NOBODY_ASKED

    @property
    def said(self) -> str:
        """Question and answer."""
        return f"{self.question} {'Yes' if self.happened else 'No'}".strip()
