"""Statements in one round trip, and some that are sent ahead of it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from dispatcher.store.postgres.link import Link
from dispatcher.store.postgres.schema import connect
from tests.support.postgres import new_database

_DATA = "add_data"


@pytest.fixture
def link() -> Iterator[Link]:
    connection = connect(new_database(), "one")
    made = Link(connection)
    yield made
    made.close()


def _added(*texts: str) -> dict[str, object]:
    """The parameters that add these; a text is its own number."""
    return {"seqs": f"{{{','.join(texts)}}}", "ids": list(texts), "texts": list(texts)}


def _kept(link: Link) -> list[str]:
    return [text for (text,) in link._db.execute("SELECT data FROM job_data ORDER BY seq").fetchall()]


def test_what_is_sent_ahead_belongs_to_the_next_round_trip_whose_answers_have_nothing_of_it(link: Link) -> None:
    link.many([("begin", {})])
    link.ahead([(_DATA, _added("1", "2"))])
    found = link.many([("database_at", {}), (_DATA, _added("3")), ("commit", {})])
    assert [len(rows) for rows in found] == [1, 0, 0]
    assert _kept(link) == ["1", "2", "3"]


@pytest.mark.parametrize("is_asked", [True, False])
def test_the_rows_of_what_is_sent_ahead_are_read_behind_the_next_round_trip_or_as_one(
    link: Link, *, is_asked: bool
) -> None:
    soon = [("last_seq", {}), (_DATA, _added("1"))]
    [begun, at], read = link.many_and_ahead([("begin", {}), ("database_at", {})], soon)
    between = link.many([("last_seq", {})]) if is_asked else [[(0,)]]
    assert (begun, len(at), between, read()) == ([], 1, [[(0,)]], [[(0,)], []])
    link.many([("commit", {})])
    assert _kept(link) == ["1"]


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_was_sent_ahead_and_refused_fails_the_round_trip_and_is_undone_with_it(
    link: Link, *, goes_on: bool
) -> None:
    link.many([("begin", {})])
    if goes_on:
        link.ahead([(_DATA, _added("1", "1"))])
        with pytest.raises(psycopg.errors.UniqueViolation):
            link.many([("database_at", {}), ("commit", {})])
    else:
        link.ahead([(_DATA, _added("1"))])
    link.leave()
    assert _kept(link) == []
    assert len(link.one("database_at")) == 1, "the connection is as good as new"


def test_a_text_that_cannot_be_sent_leaves_no_round_trip_open(link: Link) -> None:
    link.many([("begin", {})])
    with pytest.raises(UnicodeEncodeError):
        link.ahead([(_DATA, _added("1")), (_DATA, {"seqs": "{2}", "ids": ["2"], "texts": ["\ud800"]})])
    link.leave()
    assert (_kept(link), len(link.one("database_at"))) == ([], 1)


@pytest.mark.parametrize("texts", [[], ["a"], ['"', "\\", "{", "}", ",", " ", "", "NULL", 'a"b\\c', "ä\n"]])
def test_texts_arrive_as_they_were(link: Link, texts: list[str]) -> None:
    numbers = [str(number) for number in range(len(texts))]
    link.many([("begin", {}), (_DATA, _added(*numbers) | {"texts": texts}), ("commit", {})])
    assert _kept(link) == texts
