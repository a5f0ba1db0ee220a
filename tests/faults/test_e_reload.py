"""Faults of worker pages, E1: the page is loaded anew in the middle of its jobs."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dispatcher.core.jobs.turn import Started
from tests.campaigns import reload
from tests.campaigns.record import played
from tests.store.contract import DURABLE, HOLDER, Desk, lost, result
from tests.support.jobs import spec


@pytest.mark.browser
@pytest.mark.slow
def test_fault_E01_a_browser_reloaded_in_the_middle_of_jobs_loses_none_and_records_none_twice() -> None:
    """The campaign in its short form, with its controls; ``make campaign-reload ARGS=--long`` does it 100 times."""
    record = played("reload", "short", 20_260_727, reload.play)
    print(record.written())
    assert record.verdict() == []


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("UPDATE jobs SET state = 'queued'", "unfinished"),
        ('UPDATE results SET value = \'{"n": 1, "number": 2}\'', "twice"),
        ('UPDATE results SET value = \'{"n": 0, "number": 1}\'', "twice"),
        ("UPDATE attempts SET cause = 'succeeded'", "twice"),
        ("UPDATE attempts SET offered_at = offered_at + 60 WHERE number = 2", "late"),
        ("DELETE FROM attempts WHERE number = 2", "undelivered"),
        ("UPDATE attempts SET cause = 'error' WHERE number = 2", "undelivered"),
    ],
)
def test_the_checker_of_reloads_sees_each_damage(tmp_path: Path, damage: str, seen: str) -> None:
    """One job, lost by a reload and then finished in the moment of another."""
    desk = Desk(DURABLE[0], tmp_path)
    (job,) = desk.submit(spec(data='{"n": 0}'))
    for report in (lost, lambda attempt: result(attempt, '{"n": 0, "number": 2}')):
        attempt = desk.claim_one().attempt
        desk.turn(reports=[Started(attempt, HOLDER), report(attempt)])
    at = desk.now_at
    reloads = [
        reload.Reload(at, held=[f"{job.id} 1"], finished=[]),
        reload.Reload(at, held=[], finished=[f"{job.id} 2"], stash=[attempt]),
    ]
    desk.end()
    path = tmp_path / "jobs.db"
    sound = reload.judge(path, reloads, 1.0)
    assert (sound.unfinished, sound.twice, sound.late, sound.undelivered) == ([], [], [], [])
    assert (sound.cut_short, sound.finished, sound.from_stash) == (1, 1, 1)
    with sqlite3.connect(path) as database:
        assert database.execute(damage).rowcount
    database.close()
    assert getattr(reload.judge(path, reloads, 1.0), seen)
