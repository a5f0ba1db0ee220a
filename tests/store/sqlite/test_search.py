"""The index of words: it is whole after a crash and after a change of the setting, and no search reads too much."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dispatcher.core.jobs.rows import WriteSet
from dispatcher.core.jobs.turn import Cancel, Delete
from dispatcher.core.jobs.views.search import MOST_CHARS, search_of
from dispatcher.errors import StorageTrouble
from dispatcher.store.sqlite import lists
from dispatcher.store.sqlite.search import (
    FILLED,
    LOOKED,
    MOST_READ,
    MOST_WAITING,
    SearchIndex,
    find_by_reading,
    prepare_index,
)
from dispatcher.store.sqlite.store import SqliteStore
from tests.store.contract import DURABLE, Desk, result
from tests.support.jobs import spec


@pytest.fixture
def desk(quick_path: Path) -> Iterator[Desk]:
    made = Desk(DURABLE[0], quick_path)
    yield made
    made.end()


def _store(desk: Desk) -> Any:
    assert isinstance(desk.store, SqliteStore)
    return desk.store


def _at(desk: Desk, call: Callable[[], Any]) -> Any:
    """What the call returns in the store's thread."""
    return desk.run(_store(desk)._thread.run(call))


def _remove(desk: Desk, job_id: str) -> None:
    desk.command(Cancel(job_id, "no"))
    desk.command(Delete(job_id))


def _submit(desk: Desk, *texts: str) -> list[str]:
    return [job.id for job in desk.submit(*[spec(data=json.dumps(text)) for text in texts])]


def _found(desk: Desk, text: str) -> list[str]:
    return [job.id for job in desk.listed(search=text, limit=100)]


def _filled(desk: Desk) -> SearchIndex:
    """The index, once all jobs are in it."""
    if _store(desk)._filling is not None:
        desk.run(_store(desk)._filling)
    index: SearchIndex = _store(desk)._index
    assert index.first == 0
    return index


def _check(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO job_words (job_words) VALUES ('integrity-check')")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_jobs_that_came_without_an_index_are_taken_in_slice_by_slice_and_found_meanwhile(desk: Desk) -> None:
    desk.reopen(search=False)
    jobs = _submit(desk, *["order"] * (FILLED * 3), "last")
    tables = "SELECT 1 FROM sqlite_schema WHERE name LIKE 'job_words%'"
    assert _at(desk, lambda: _store(desk)._db.execute(tables).fetchall()) == []
    desk.reopen(search=True)
    index = _store(desk)._index
    _store(desk)._filling.cancel()
    assert index.first > FILLED
    assert not _at(desk, index.fill)
    assert 1 < index.first <= len(jobs) + 1 - FILLED
    assert _found(desk, "order") == jobs[-2::-1]
    _remove(desk, jobs[0])
    _remove(desk, jobs[-2])
    (new,) = _submit(desk, "order")
    desk.reopen()
    _filled(desk)
    assert _found(desk, "order") == [new, *jobs[-3:0:-1]]
    _at(desk, lambda: _check(_store(desk)._db))


def test_a_store_that_was_without_its_index_for_a_while_makes_it_anew(desk: Desk) -> None:
    (kept, gone) = _submit(desk, "order", "order")
    desk.reopen(search=False)
    _remove(desk, gone)
    (new,) = _submit(desk, "order")
    desk.reopen(search=True)
    _filled(desk)
    assert _found(desk, "order") == [new, kept]


def test_the_index_of_a_server_that_was_killed_is_whole(desk: Desk, tmp_path: Path) -> None:
    _submit(desk, "order", "order")
    claim = desk.claim_one()
    desk.report(result(claim.attempt, '"printed"'))
    for suffix in ("", "-wal"):  # what the disk has, without a close
        shutil.copy(f"{desk.store.location}{suffix}", tmp_path / f"copy.db{suffix}")
    database = sqlite3.connect(tmp_path / "copy.db", isolation_level=None)
    index = prepare_index(database, 1, wanted=True)
    assert index is not None
    assert index.find('"printed"', search_of("printed").phrases, 9, 9) == ([1], 1)
    _check(database)
    database.close()


def test_a_store_whose_sqlite_has_no_fts5_says_nothing_and_keeps_no_index() -> None:
    class Plain(sqlite3.Connection):
        def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
            if "fts5" in statement:
                raise sqlite3.OperationalError("no such function: fts5_source_id")
            return super().execute(statement, *rest)

    database = sqlite3.connect(":memory:", factory=Plain, isolation_level=None)
    database.executescript("CREATE TABLE meta (name, value); INSERT INTO meta VALUES ('search_first_2', 7)")
    assert prepare_index(database, 1, wanted=True) is None
    assert database.execute("SELECT * FROM meta").fetchall() == []  # whoever has FTS5 again makes it anew
    database.close()


def test_a_beginning_of_very_many_words_is_read_in_the_texts_and_finds_the_same(desk: Desk) -> None:
    words = [f"sku{number}" for number in range(600)]
    jobs = _submit(desk, *[" ".join([*words, f"job{number}"]) for number in range(40)])
    index = _filled(desk)
    narrowed = _at(desk, lambda: index.narrowed(search_of("sku5").phrases))
    assert narrowed == ('"sku5"*', True)
    assert _at(desk, lambda: index.narrowed(search_of("sku job7").phrases)) == ('"job7"*', False)
    assert _at(desk, lambda: index.narrowed(search_of("sku").phrases)) == ("", False)
    assert _found(desk, "sku job7") == [jobs[7]]
    assert _found(desk, "sku") == jobs[::-1]


def _with_texts(texts: dict[int, str]) -> WriteSet:
    writes = WriteSet()
    writes.data = texts
    return writes


def _take_in_what_waits(desk: Desk) -> None:
    """As many jobs come as the index takes in at once; they belong to no search of the tests."""
    _submit(desk, *["filler"] * MOST_WAITING)
    assert not _at(desk, lambda: _store(desk)._index._waiting)


def test_the_newest_texts_wait_and_the_index_takes_them_in_together(desk: Desk) -> None:
    (kept, gone, changed) = _submit(desk, "order", "order", "order")
    numbers = "SELECT number FROM job_words_waiting"
    assert _at(desk, lambda: _store(desk)._db.execute(numbers).fetchall()) == [(4,), (8,), (12,)]
    _remove(desk, gone)
    assert _at(desk, lambda: _store(desk)._db.execute(numbers).fetchall()) == [(4,), (12,)]
    desk.reopen()
    assert _found(desk, "order") == [changed, kept]
    _take_in_what_waits(desk)
    assert _at(desk, lambda: _store(desk)._db.execute(numbers).fetchall()) == []
    assert _found(desk, "order") == [changed, kept]
    _at(desk, lambda: _check(_store(desk)._db))


def test_few_long_texts_do_not_wait_for_many(desk: Desk) -> None:
    index = _store(desk)._index
    _submit(desk, *["order" + " x" * MOST_CHARS] * 24)
    assert _at(desk, lambda: len(index._waiting)) == 24
    _submit(desk, "order" + " x" * MOST_CHARS)
    assert _at(desk, lambda: (len(index._waiting), index._chars)) == (0, 0)


def test_what_a_rolled_back_turn_let_wait_does_not_wait(desk: Desk) -> None:
    store = _store(desk)
    (job,) = _submit(desk, "order")

    def roll_back() -> None:
        store._db.execute("BEGIN IMMEDIATE")
        store._index.write(_with_texts({7: '"order"'}))
        store._db.execute("ROLLBACK")
        store._rows.reload()

    _at(desk, roll_back)
    assert _at(desk, lambda: list(store._index._waiting)) == [4]
    assert _found(desk, "order") == [job]


def test_the_words_of_a_job_that_is_removed_leave_the_index(desk: Desk) -> None:
    (gone, _) = _submit(desk, "secret order", "order")
    _take_in_what_waits(desk)
    _remove(desk, gone)
    asked = "SELECT rowid / 4 FROM job_words WHERE job_words MATCH ?"
    left = _at(desk, lambda: [_store(desk)._db.execute(asked, (word,)).fetchall() for word in ("secret", "order")])
    assert left == [[], [(2,)]]


def test_long_texts_are_read_fewer_at_once_and_all_are_found(desk: Desk) -> None:
    desk.reopen(search=False)
    at_once = MOST_READ // MOST_CHARS + 2
    jobs = _submit(desk, *["order" + " x" * MOST_CHARS] * at_once, "order")
    seqs = range(1, len(jobs) + 1)
    found, told = _at(desk, lambda: find_by_reading(_store(desk)._db, search_of("order"), list(seqs)))
    assert (found, told) == (list(seqs[:0:-1]), 2)
    assert _found(desk, "order") == jobs[::-1][:100]
    desk.reopen(search=True)
    index = _store(desk)._index
    _store(desk)._filling.cancel()
    reached = [_at(desk, lambda: index.first)]
    while not _at(desk, index.fill):
        reached.append(index.first)
    assert 2 in reached
    assert _found(desk, "order") == jobs[::-1][:100]


def test_a_slice_compares_so_many_ids_at_most_with_a_part_of_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "CALLED", 2)
    ids = [f"01991b2c-7d3e-7000-8000-{seq:0>12}" for seq in range(5)]
    desk._job_ids = iter(ids)
    _submit(desk, *["order"] * 4, ids[0][-8:])
    asked: list[str] = []
    _at(desk, lambda: _store(desk)._db.set_trace_callback(asked.append))
    assert _found(desk, ids[0][-8:]) == [ids[4], ids[0]]
    reaches = [re.findall(r"seq < (\d+) AND seq >= (\d+)", words) for words in asked if "substr(id" in words]
    assert reaches == [[("6", "4")], [("4", "2")], [("2", "1")]]


def test_a_slice_of_a_search_looks_into_one_part_of_the_index_alone(desk: Desk) -> None:
    index = _filled(desk)
    seqs = [1, LOOKED - 1, LOOKED, 2 * LOOKED - 1, 2 * LOOKED]
    _at(desk, lambda: index.write(_with_texts({seq: '"order"' for seq in seqs})))
    asked: list[str] = []
    _at(desk, lambda: _store(desk)._db.set_trace_callback(asked.append))
    below, found = 2 * LOOKED + 1, []
    while below > 1:
        some, below = _at(desk, partial(index.find, '"order"', search_of("order").phrases, below, 9))
        found.append(some)
    assert found == [[2 * LOOKED], [2 * LOOKED - 1, LOOKED], [LOOKED - 1, 1]]
    matched = [words for words in asked if "MATCH" in words]
    assert [f'"\ue000{part}" AND "order"' in words for part, words in enumerate(reversed(matched))] == [True] * 3


#: SQLite's number for the beginning or the end of a transaction.
TRANSACTION = 22


def test_a_slice_that_fails_is_the_end_of_the_store(desk: Desk) -> None:
    """A failed sync was passed over here, and the store went on: the campaign of system calls found it."""
    store = _store(desk)
    desk.submit(spec())

    def fail() -> None:
        store._index.first = 2  # there is a slice to take in
        store._db.set_authorizer(lambda action, *names: sqlite3.SQLITE_DENY if action == TRANSACTION else 0)
        try:
            store._filled()
        finally:
            store._db.set_authorizer(None)

    for act in (partial(_at, desk, fail), partial(desk.submit, spec())):
        with pytest.raises(StorageTrouble, match="the store failed: not authorized"):
            act()


def test_an_index_of_another_form_is_made_anew_even_if_this_form_was_there_before(desk: Desk, quick_path: Path) -> None:
    """A store that an older version has worked on, and one that has gone there and back."""
    (job,) = [job.id for job in desk.submit(spec(data='"order"', summary="for Berlin"))]
    for there in ("UPDATE meta SET name = 'search_first' WHERE name = 'search_first_2'",
                  "INSERT INTO meta (name, value) VALUES ('search_first', 0)"):  # fmt: skip
        _filled(desk)
        desk.close()
        with closing(sqlite3.connect(quick_path / "jobs.db")) as database, database:
            database.execute("DELETE FROM job_words_waiting")
            database.execute("INSERT INTO job_words (job_words) VALUES ('delete-all')")
            database.execute(there)
        desk.open()
        _filled(desk)
        assert _found(desk, "berlin") == [job]
    _at(desk, lambda: _check(_store(desk)._db))
