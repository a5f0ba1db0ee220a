"""The lines of a job's log: those that hold a text, and all of them as plain text. Pure.

A job's page and the API use the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dispatcher.core.jobs.model import LogLine
from dispatcher.errors import BadParameter
from handlers.api.jobjson import instant

__all__ = ["LONGEST_SOUGHT", "as_text", "check_sought", "lines_gone", "lines_with"]

#: The most characters that are sought in a line.
LONGEST_SOUGHT = 200


def check_sought(text: str) -> str:
    """What is sought. Raises BadParameter if it is too long."""
    if len(text) > LONGEST_SOUGHT:
        raise BadParameter(f"q has {len(text)} characters; at most {LONGEST_SOUGHT} are sought.", parameter="q")
    return text


def lines_with(sought: str, lines: Sequence[LogLine]) -> Sequence[LogLine]:
    """The lines that hold this text, whatever its capitals; all of them if it is empty."""
    wanted = sought.casefold()
    return [line for line in lines if wanted in line.line.casefold()] if wanted else lines


def lines_gone(lines: Sequence[LogLine]) -> int:
    """How many lines were before them, which are not kept any more."""
    return lines[0].line_no - 1 if lines else 0


def as_text(lines: Iterable[LogLine]) -> str:
    """A line of text for each: number, instant in UTC, what it says. What goes on below it begins with a tab."""
    return "".join(f"{line.line_no} {instant(line.at)} {_indented(line.line)}\n" for line in lines)


def _indented(text: str) -> str:
    return "\n\t".join(text.splitlines())
