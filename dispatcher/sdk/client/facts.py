"""What is known of a job: what the server said last. Pure."""

from __future__ import annotations

from typing import Any

__all__ = ["OPEN", "JobFacts"]

#: States that a job leaves by itself. One in doubt waits for a person: whoever waits for it is told.
OPEN = frozenset({"scheduled", "queued", "running"})


class JobFacts:
    """A job as the server showed it last; asking for news is the work of ``Job`` and ``AsyncJob``."""

    def __init__(self, fields: dict[str, Any], base_url: str) -> None:
        #: All fields, as docs/api.md names them. A job of a list lacks the long ones.
        self.fields = fields
        self._base_url = base_url

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.fields["id"])

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.fields["type"])

    @property
    def state(self) -> str:
        """The state that was known last; ``status()`` asks anew."""
        return str(self.fields["state"])

    @property
    def batch(self) -> str | None:
        """The id of the batch with which it was submitted; None: alone."""
        return self.fields.get("batch")

    @property
    def over(self) -> bool:
        """Nothing more happens to it by itself."""
        return self.state not in OPEN

    @property
    def url(self) -> str:
        """Its page for people."""
        return f"{self._base_url}/jobs/{self.id}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} {self.type} {self.state}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobFacts) and (self.id, self._base_url) == (other.id, other._base_url)

    def __hash__(self) -> int:
        return hash((self.id, self._base_url))
