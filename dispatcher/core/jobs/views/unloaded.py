"""What the connected pages could not load of one task, as they say it. Pure."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["MOST_NAMED_PAGES", "MOST_WHYS", "Unloaded", "UnloadedWhy"]

#: Of one task so many reasons are told, and so many pages with each.
MOST_WHYS, MOST_NAMED_PAGES = 3, 5


class UnloadedWhy(Struct, frozen=True):
    """One reason, and who has it."""

    #: A code of the worker page, and its words.
    why: str
    pages: int
    #: The first of them: (id, name) of their workers.
    workers: list[tuple[str, str]]

    def words(self) -> str:
        """``E-TSK-01: line 3: Unexpected token ')' (KASSE-1, KASSE-2 and 3 more)``."""
        more = self.pages - len(self.workers)
        named = ", ".join(name for _, name in self.workers) + (f" and {more:,} more" if more else "")
        return f"{self.why} ({named})"


class Unloaded(Struct, frozen=True):
    """A task that pages could not load."""

    #: Those that could not load it; those that could, or could not.
    pages: int
    of: int
    #: The reasons of most pages. At most MOST_WHYS.
    whys: list[UnloadedWhy]

    def words(self) -> str:
        """``2 of 3 pages could not load the task: E-TSK-01: line 3: … (KASSE-1, KASSE-2)``."""
        return f"{self.who()} could not load the task: {self.why()}"

    def sentence(self) -> str:
        """The same as a sentence of its own."""
        words = self.words()
        return f"{words[0].upper()}{words[1:]}."

    def who(self) -> str:
        """How many pages could not."""
        if self.pages == self.of:
            return "the only page" if self.pages == 1 else f"all {self.pages:,} pages"
        return f"{self.pages:,} of {self.of:,} pages"

    def why(self) -> str:
        """The reasons, each with its pages."""
        more = "; and others" if sum(one.pages for one in self.whys) < self.pages else ""
        return "; ".join(one.words() for one in self.whys) + more
