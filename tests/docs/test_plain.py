"""The pages that people read first: short, plain, for somebody who has never seen the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.places import ROOT
from tests.test_architecture import files

_MERGE = re.compile(r"^(?:<{7}|>{7}) ", re.M)
README = (ROOT / "README.md").read_text("utf-8")
#: Half of what the README had before it was written anew.
MOST_WORDS = 1_144
#: Words that only those know who have seen the program, or others like it.
JARGON = (
    "idempoten",
    "lease",
    "fence",
    "fencing",
    "turn",
    "lane",
    "engine.io",
    "long poll",
    "backoff",
    "payload",
    "epoch",
)
#: What the console said once, and what it says now.
RETIRED = {
    "Load this page anew": "Refresh every",
    "Last heard from": "Last contact",
    "To know": "Note",
    "Do": "Actions",
    "Lapsed": "Not accepted in time",
    "Set aside": "Skipped",
    "Quiet": "No sign of life",
}
SHOWN = [*(ROOT / "handlers/console").rglob("*.html"), *(ROOT / "handlers/console").glob("*.py")]


def test_the_first_line_says_what_it_is_for() -> None:
    [title, first, *_] = [line for line in README.splitlines() if line]
    assert title == "# Pagehand"
    assert first.startswith("Print labels, drive a till, call a DLL")
    assert "web page" in first


def test_the_readme_is_half_as_long_as_it_was() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_the_readme_needs_no_word_that_its_examples_have_not_shown() -> None:
    before = README[: README.index("## Send a job from a program")].lower()
    assert [word for word in JARGON if re.search(rf"\b{re.escape(word)}", before)] == []


@pytest.mark.parametrize(("once", "now"), RETIRED.items())
def test_the_console_has_plain_words_in_the_place_of_those_that_misled_people(once: str, now: str) -> None:
    console = "".join(path.read_text("utf-8") for path in SHOWN)
    assert len(SHOWN) > 20
    assert re.findall(rf"[>\"]{once}[<\"]|{once} (?:every|anew)", console) == []
    assert now in console


def test_the_index_names_every_page_for_whom_it_is() -> None:
    rows = re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \| (.+?) \|", (ROOT / "docs/README.md").read_text("utf-8"), re.M)
    assert [page for page, whom in rows if not whom.strip()] == []
    pages = {path.name for path in ROOT.glob("docs/*.md")} - {"README.md"}
    assert {Path(page).name for page, _ in rows} - {"README.md"} == pages


def test_what_is_not_there_yet_stands_among_the_known_gaps() -> None:
    """And no gap is in one list alone."""
    design = (ROOT / "docs/design.md").read_text("utf-8")
    [gaps] = re.findall(r"^## Known gaps\n(.*?)^## ", design, re.M | re.S)
    [listed] = re.findall(r"^Not there yet: (.*?) \(\[known gaps\]", README, re.M)
    short = [item.strip() for item in re.split(r", (?:and )?", listed)]
    keys = {"deleting a job": "Deleting a job", "several servers": "several nodes", "roles": "roles",
            "bulk actions": "Bulk actions", "backup while it runs": "backup of a running store"}  # fmt: skip
    missing = [item for item in short if keys.get(item, item).lower() not in gaps.lower()]
    assert short
    assert missing == []


def test_tasks_authors_see_each_kind_of_trouble_as_a_picture() -> None:
    text = (ROOT / "docs/tasks.md").read_text("utf-8")
    trouble = text[text.index("## When it goes wrong") :]
    parts = re.split(r"^### ", trouble, flags=re.M)[1:]
    assert [part.splitlines()[0] for part in parts if "](pictures/" not in part] == ["Look inside"]


def test_no_text_has_the_marks_of_a_merge_that_was_not_finished() -> None:
    texts = files(".md", ".py", ".js", ".css", ".html", ".sql", ".json", ".toml", ".yml")
    marked = [path.name for path in texts if _MERGE.search(path.read_text("utf-8"))]
    assert (marked, len(texts) > 500) == ([], True)
