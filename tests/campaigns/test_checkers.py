"""The campaigns' checkers see what they are for, and the page says what the records say."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from dispatcher.core.jobs import validate
from dispatcher.core.jobs.turn import Started
from dispatcher.sdk.simulate import Outcome
from tests.campaigns import planted, reliability
from tests.campaigns.carriers import carriers, lopsided
from tests.campaigns.kill import thin
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED, Notes, violations
from tests.campaigns.record import Control, Figure, Measure, Record
from tests.campaigns.transports import judge
from tests.store.contract import DURABLE, HOLDER, Desk, lost, result
from tests.support.jobs import spec


def _store(directory: Path) -> tuple[Path, Notes]:
    """Three jobs: one done at once, one done after a loss, one that waits; a batch of two that nobody has heard of;
    and what their clients know."""
    desk = Desk(DURABLE[0], directory)
    notes = Notes()
    for key in ("a", "b"):
        (job,) = desk.submit(spec(data=f'"{key}"', key=key))
        notes.sent[key], notes.accepted[key] = key, job.id
    first, second = desk.claim(2)
    desk.turn(reports=[Started(first.attempt, HOLDER), Started(second.attempt, HOLDER), lost(second.attempt)])
    (second,) = desk.claim(1)
    for claim, key in ((first, "a"), (second, "b")):
        desk.report(result(claim.attempt, f'"done {key}"'))
        notes.answers[key].add(f'"done {key}"')
        notes.outcomes.append(Outcome(claim.job, claim.attempt, "worker-1", "recorded", "result"))
    (job,) = desk.submit(spec(data='"c"', key="c"))
    notes.sent["c"], notes.accepted["c"] = "c", job.id
    for key in notes.batch("d", 2):
        notes.sent[key] = key
        desk.submit(spec(data=json.dumps(key), key=key))
    notes.sent |= dict.fromkeys(notes.batch("e", 3))
    desk.end()
    return directory / "jobs.db", notes


def test_the_checker_of_kills_finds_nothing_where_nothing_is_wrong(tmp_path: Path) -> None:
    path, notes = _store(tmp_path)
    assert violations(path, notes, drained=False) == []
    assert violations(path, notes, drained=False) == [], "a second look compares with the first"


@pytest.mark.parametrize(
    ("damage", "seen"),
    [
        ("DELETE FROM jobs WHERE key = 'a'", "lost"),
        ("UPDATE job_data SET data = '\"x\"' WHERE seq = (SELECT seq FROM jobs WHERE key = 'c')", "changed"),
        ("DELETE FROM job_data WHERE seq = (SELECT seq FROM jobs WHERE key = 'c')", "changed"),
        ("DELETE FROM job_data WHERE seq = (SELECT seq FROM jobs WHERE key = 'c')", "I1:"),
        ("UPDATE jobs SET key = 'd' WHERE key = 'c'", "unexpected"),
        ("UPDATE jobs SET id = 'other' WHERE key = 'c'", "unexpected"),
        ("UPDATE results SET value = '\"never sent\"'", "changed"),
        ("DELETE FROM results", "I4:"),
        ("UPDATE jobs SET state = 'queued' WHERE key = 'a'", "I4:"),
        ("UPDATE attempts SET cause = 'succeeded' WHERE cause = 'lost'", "I4:"),
        ("UPDATE attempts SET cause = 'error' WHERE cause = 'succeeded'", "lost"),
        ("UPDATE attempts SET number = 7 WHERE cause = 'lost'", "I11:"),
        ("UPDATE jobs SET number = 3 WHERE key = 'b'", "I11:"),
        ("INSERT INTO results VALUES (99, '1')", "I2:"),
        ("DELETE FROM jobs WHERE key = 'd\u00b71'", "batch"),
        ("UPDATE tallies SET jobs = jobs + 1", "I18:"),
        ("DELETE FROM tallies", "I18:"),
    ],
)
def test_the_checker_of_kills_sees_each_damage(tmp_path: Path, damage: str, seen: str) -> None:
    path, notes = _store(tmp_path)
    with sqlite3.connect(path) as database:
        assert database.execute(damage).rowcount
    database.close()
    found = violations(path, notes, drained=False)
    assert any(text.startswith(seen) for text in found), found


def test_the_checker_of_kills_sees_a_result_that_changes_between_two_looks(tmp_path: Path) -> None:
    path, notes = _store(tmp_path)
    assert violations(path, notes, drained=False) == []
    notes.answers["a"].add('"another run"')
    with sqlite3.connect(path) as database:
        database.execute("UPDATE results SET value = '\"another run\"' WHERE value = '\"done a\"'")
    database.close()
    assert any(text.startswith("I5:") for text in violations(path, notes, drained=False))


def test_a_job_that_was_there_at_the_look_before_and_is_gone_is_seen(tmp_path: Path) -> None:
    path, notes = _store(tmp_path)
    assert violations(path, notes, drained=False) == []
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM jobs WHERE key = 'd\u00b71'")
    database.close()
    assert any(text.startswith("I2: ") and "vanished" in text for text in violations(path, notes, drained=False))


def test_every_fault_of_rows_is_counted_in_a_figure() -> None:
    said = re.findall(r'f"([IS]\d+b?:)', Path(validate.__file__).read_text("utf-8"))
    counted = [*LOST, *UNEXPECTED, *TWICE, *TORN]
    assert sorted(set(said) - set(counted)) == []
    assert len(counted) == len(set(counted))


def test_a_job_that_has_not_ended_after_the_drain_is_lost(tmp_path: Path) -> None:
    path, notes = _store(tmp_path)
    assert [text.partition(":")[0] for text in violations(path, notes, drained=True)] == ["lost"] * 3


def test_a_record_is_broken_by_a_violation_a_slow_measure_a_blind_control_or_an_empty_denominator() -> None:
    def broken(**fields: object) -> bool:
        return bool(Record("x", **fields).verdict())  # type: ignore[arg-type]

    assert not broken(figures=[Figure("f", 0, 9, "n")], measures=[Measure("m", 1, "s", 1)])
    assert broken(figures=[Figure("f", 1, 9, "n")])
    assert broken(figures=[Figure("f", 0, 0, "n")])
    assert broken(measures=[Measure("m", 1.1, "s", 1)])
    assert broken(controls=[Control("c", 0, 9, "n")])
    assert broken(controls=[Control("c", 1, 9, "n", must_fail=False)])
    assert not broken(controls=[Control("c", 1, 9, "n"), Control("c", 0, 9, "n", must_fail=False)])


def test_the_page_on_reliability_is_what_the_records_make() -> None:
    assert reliability.PAGE.read_text(encoding="utf-8") == reliability.page(), "run: make reliability"


def test_every_figure_on_the_page_comes_from_a_record_and_has_its_denominator(tmp_path: Path) -> None:
    figure = Figure("lost", 0, 10_000, "kills", "S1")
    record = Record("kill", [figure], [Measure("m", 2, "s", 5)], [Control("lie", 3, 9, "jobs")], commit="abc")
    (tmp_path / "kill.json").write_text(record.written(), encoding="utf-8")
    page = reliability.page(tmp_path)
    assert "| lost | 0 | 10,000 kills | 3/10,000 = 0.03 % | S1 |" in page
    assert "| lie | 3 (9 jobs) | yes: it was seen |" in page
    assert page.count("There is no record of this campaign.") == len(reliability.CAMPAIGNS) - 1


def test_a_recorded_campaign_was_as_promised_or_the_page_says_so() -> None:
    for path in sorted(reliability.RECORDS.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["figures"], path
        assert record["controls"], path
        assert all(bool(c["count"]) == c["must_fail"] for c in record["controls"]), path
        assert not record["commit"].endswith("with changes"), f"{path}: measured on a program that no commit has"


def test_a_planted_bug_that_no_test_finds_is_a_broken_promise() -> None:
    totals = {
        "planted": 3, "found": 2, "areas": {"core": {"planted": 3, "found": 2}}, "not_found": ["off by one"],
        "slowest_s": 4.5,
    }  # fmt: skip
    record = planted.record_of(totals)
    assert record.verdict() == ["planted bugs that no test found: 1 of 3", "not found: off by one"]
    found = planted.record_of(totals | {"found": 3, "not_found": []})
    assert found.verdict() == []


def test_a_run_of_the_kill_campaign_says_when_it_was_thin() -> None:
    assert thin(1100, 100) == []
    [note] = thin(300, 100)
    assert "thin: 3.0 acknowledged jobs a kill" in note


@pytest.mark.parametrize(
    ("polling", "websocket", "wrong"), [(5, 5, 0), (4, 6, 0), (10, 0, 1), (0, 10, 1), (9, 1, 1), (0, 0, 2)]
)
def test_a_campaign_in_which_one_carrier_had_next_to_no_pages_fails(polling: int, websocket: int, wrong: int) -> None:
    items = [{"transport": "polling"}] * polling + [{"transport": "websocket"}] * websocket + [{"transport": None}]
    assert len(lopsided(carriers(json.dumps({"items": items})))) == wrong


def test_the_judge_of_the_transports_sees_lost_and_wrong_jobs(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "jobs.db") as database:
        database.executescript(
            "CREATE TABLE jobs (seq, state); CREATE TABLE job_data (seq, data); CREATE TABLE results (seq, value);"
            "CREATE TABLE attempts (job, cause);"
            "INSERT INTO jobs VALUES (1, 'succeeded'), (2, 'running'), (3, 'succeeded'), (4, 'succeeded');"
            "INSERT INTO job_data VALUES (1, '0'), (2, '1'), (3, '2'), (4, '3');"
            "INSERT INTO results VALUES (1, '0'), (3, '0'), (4, '3');"
            "INSERT INTO attempts VALUES (1, 'succeeded'), (3, 'succeeded'), (4, 'succeeded'), (4, 'succeeded');"
            "INSERT INTO attempts VALUES (3, 'lapsed');"
        )
    found = judge(tmp_path / "jobs.db", 5)
    assert (found.unfinished, found.twice) == (2, 2), "one runs, one is not there"
    assert (found.repeated, found.lapsed) == (2, 1)
