"""The site's own task files, as far as the node asks for them: which versions are offered, and what is withheld."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from dispatcher.core.jobs.views.deployed import WithheldTask

__all__ = ["NO_FILES", "NoTaskFiles", "TaskFiles"]


class TaskFiles(Protocol):
    """What a rollout needs of them."""

    def versions(self) -> Mapping[str, str]:
        """What the site offers, by the names of the tasks."""

    def withhold(self, wanted: Iterable[WithheldTask], needed: Collection[str] = ()) -> list[WithheldTask]:
        """Has a former version offered in place of the one that failed. Returns those of which it is kept; none, if
        that of a needed type is not."""

    def withheld(self) -> list[WithheldTask]:
        """The tasks in whose place a former version is offered now, by name."""

    def release(self) -> list[WithheldTask]:
        """Has all files offered as they are. Returns what was withheld."""


class NoTaskFiles:
    """A server without a site."""

    def versions(self) -> Mapping[str, str]:
        """It offers none."""
        return {}

    def withhold(self, wanted: Iterable[WithheldTask], needed: Collection[str] = ()) -> list[WithheldTask]:
        """It keeps none."""
        return []

    def withheld(self) -> list[WithheldTask]:
        """None is."""
        return []

    def release(self) -> list[WithheldTask]:
        """None was."""
        return []


NO_FILES = NoTaskFiles()
