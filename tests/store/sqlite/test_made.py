"""A store as it is made and upgraded: what is synced, and that its schema is one that was released."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from dispatcher.store.sqlite.file import migrations
from tests.store.sqlite.test_file import _edit, _jobs, _refused, made, more_migrations

__all__ = ["made", "more_migrations"]


@pytest.mark.parametrize(
    ("edit", "names"),
    [
        ("ALTER TABLE jobs RENAME COLUMN terms TO beat_s", "jobs.terms"),
        ("ALTER TABLE attempts RENAME TO tries", "attempts."),
    ],
)
def test_a_store_older_than_the_first_release_is_refused_and_not_touched(made: Path, edit: str, names: str) -> None:
    """Its schema was edited in place, so its version does not tell."""
    _edit(made, "PRAGMA legacy_alter_table = ON", edit)
    before = made.read_bytes()
    detail = _refused(made)
    assert "not made by a released Pagehand" in detail
    assert names in detail
    assert made.read_bytes() == before


def _synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which files and directories Python syncs from now on, as they are called at that time."""
    synced: list[Path] = []
    sound = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        sound(handle)

    monkeypatch.setattr(os, "fsync", noted)
    return synced


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files are named by /proc")


@needs_proc
def test_a_store_that_was_made_has_its_directory_synced(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a power cut may take the file's name, with all its jobs."""
    synced = _synced(monkeypatch)
    assert _jobs(quick_path / "jobs.db") == 0
    assert synced == [quick_path]


@needs_proc
def test_the_copy_before_a_migration_is_synced_and_then_its_name(
    made: Path, more_migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (more_migrations / f"{len(migrations()) + 1:04d}_more.sql").write_text(
        "ALTER TABLE jobs ADD COLUMN more TEXT;", encoding="utf-8"
    )
    synced = _synced(monkeypatch)
    assert _jobs(made) == 40
    draft, directory = synced
    assert re.fullmatch(r"jobs\.db\.[0-9a-f]{8}\.new", draft.name)
    assert directory == made.parent
