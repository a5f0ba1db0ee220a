"""The directory of tasks: read seldom, and never out of date for long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from handlers.worker.tasks import LISTING_S, TaskDirectory
from tests.support.clock import ManualClock
from tests.support.reads import watched

QUICK = '// pagehand: {"quick": true, "title": "a"}\n'


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tasks(tmp_path: Path, clock: ManualClock) -> TaskDirectory:
    for name in ("a", "b"):
        (tmp_path / f"{name}.js").write_text(QUICK, "utf-8")
    return TaskDirectory(tmp_path, clock=clock)


def unchanged(path: Path) -> None:
    """Puts the time of change back to what it was an hour ago, in whole seconds: nothing shows a change."""
    os.utime(path, (1_700_000_000, 1_700_000_000))


def test_the_directory_is_read_once_a_second_however_often_it_is_asked(
    tasks: TaskDirectory, clock: ManualClock, tmp_path: Path
) -> None:
    with watched(tmp_path) as reads:
        for _ in range(50):
            tasks.names(), tasks.tasks(), tasks.index()
        assert (len(reads.listed), sorted(reads.opened)) == (1, ["a.js", "b.js"])
        clock.advance(LISTING_S)
        tasks.tasks(), tasks.names()
        assert (len(reads.listed), sorted(reads.opened)) == (2, ["a.js", "a.js", "b.js", "b.js"])


def test_a_file_that_is_served_is_read_and_the_directory_is_not(tasks: TaskDirectory, tmp_path: Path) -> None:
    tasks.names()
    with watched(tmp_path) as reads:
        for _ in range(5):
            assert tasks.source("a") == QUICK.encode()
            assert tasks.source("nope") is None
        assert (reads.listed, reads.opened) == ([], ["a.js"] * 5)


def test_a_new_and_a_removed_file_are_seen_at_once(tasks: TaskDirectory, tmp_path: Path) -> None:
    unchanged(tmp_path)
    assert tasks.names() == ["a", "b"]
    (tmp_path / "c.js").write_text("c", "utf-8")
    (tmp_path / "a.js").unlink()
    assert tasks.names() == ["b", "c"]


def test_a_changed_file_is_seen_at_once(tasks: TaskDirectory, tmp_path: Path) -> None:
    assert [task.title for task in tasks.tasks()] == ["a", "a"]
    (tmp_path / "a.js").write_text(QUICK.replace('"a"', '"longer"'), "utf-8")
    assert [task.title for task in tasks.tasks()] == ["longer", "a"]
    assert tasks.source("a") == (tmp_path / "a.js").read_bytes()


def test_a_change_that_no_stamp_shows_is_seen_within_a_second(
    tasks: TaskDirectory, clock: ManualClock, tmp_path: Path
) -> None:
    unchanged(tmp_path / "a.js")
    unchanged(tmp_path)
    assert [task.title for task in tasks.tasks()] == ["a", "a"]
    (tmp_path / "a.js").write_text(QUICK.replace('"a"', '"A"'), "utf-8")
    unchanged(tmp_path / "a.js")
    (tmp_path / "c.js").write_text("c", "utf-8")
    unchanged(tmp_path)
    clock.advance(LISTING_S)
    assert [task.title for task in tasks.tasks()] == ["A", "a", ""]


def test_what_went_since_the_directory_was_read_is_no_task(tasks: TaskDirectory, tmp_path: Path) -> None:
    unchanged(tmp_path)
    assert tasks.names() == ["a", "b"]
    (tmp_path / "a.js").unlink()
    unchanged(tmp_path)
    assert [task.name for task in tasks.tasks()] == ["b"]
    assert tasks.source("a") is None


@pytest.mark.expect_log("a.js: it is not offered, because it is a link that leads out of the directory")
def test_a_link_that_is_put_in_the_place_of_a_file_is_no_task(tasks: TaskDirectory, tmp_path: Path) -> None:
    unchanged(tmp_path)
    assert tasks.source("a") == QUICK.encode()
    (tmp_path.parent / "secret.js").write_text("secret", "utf-8")
    (tmp_path / "a.js").unlink()
    (tmp_path / "a.js").symlink_to(tmp_path.parent / "secret.js")
    assert tasks.source("a") is None
    assert tasks.names() == ["b"]
