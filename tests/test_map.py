"""The map of the tests, in their README, has what is there: each directory with its time, each shared module."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.support.places import ROOT

TESTS = ROOT / "tests"
#: Seconds or minutes; `about`: nobody has measured it alone.
_TIME = re.compile(r"(about )?\d+ (s|min)")


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table with this heading in its first column."""
    lines = text.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def named(text: str, heading: str) -> list[str]:
    """The names in the first column of this table."""
    return [name for first, *_ in rows(text, heading) for name in re.findall(r"`([\w/.]+)`", first)]


def untimed(text: str) -> list[str]:
    """The directories whose row tells no time; those without tests have none."""
    timed = {name for name in named(text, "directory") if any((TESTS / name).rglob("test_*.py"))}
    return [row[0] for row in rows(text, "directory") if row[0].strip("`") in timed and not _TIME.fullmatch(row[2])]


def modules(names: Iterable[str]) -> list[str]:
    """Those that are neither tests nor nameless."""
    return sorted(name for name in names if not name.startswith(("test_", "__")))


def test_the_map_has_each_directory_once_with_its_time() -> None:
    text = (TESTS / "README.md").read_text("utf-8")
    there = sorted(path.name for path in TESTS.iterdir() if path.is_dir() and not path.name.startswith((".", "__")))
    assert sorted(named(text, "directory")) == there
    assert untimed(text) == []


def test_the_map_has_each_shared_module_once() -> None:
    text = (TESTS / "README.md").read_text("utf-8")
    assert sorted(named(text, "module")) == modules(path.stem for path in (TESTS / "support").glob("*.py"))


def test_the_map_names_helpers_of_directories_that_are_there() -> None:
    text = (TESTS / "README.md").read_text("utf-8")
    kept = named(text, "helpers of a directory")
    assert kept
    assert [name for name in kept if not (TESTS / name).is_file()] == []


def test_a_map_without_a_time_is_noticed() -> None:
    table = "\n| directory | question | takes |\n|---|---|---|\n| `core` | right? | {} |\n| `vectors` | | |\n\n"
    assert untimed(table.format("12 s")) == untimed(table.format("about 5 min")) == []
    assert untimed(table.format("fast")) == untimed(table.format("")) == ["`core`"]
    assert named(table, "directory") == ["core", "vectors"]
