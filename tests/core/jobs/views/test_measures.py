"""Values for those who watch a node."""

from __future__ import annotations

import re

from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.core.jobs.terms import TYPE_PATTERN
from dispatcher.core.jobs.views.measures import OTHER_TYPES


def test_the_name_of_all_other_types_is_the_name_of_none():
    assert re.match(TYPE_PATTERN, OTHER_TYPES) is None


def test_a_backup_runs_until_it_has_an_end_and_says_why_only_if_it_failed():
    backup = Backup(name="a.db", state=BackupState.RUNNING, bytes=10, copied_bytes=0, begun_at=1.0)
    assert (backup.ended_at, backup.detail) == (None, "")
