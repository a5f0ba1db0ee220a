"""The contract of a store: which jobs a search for text finds, with an index of words and without."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.core.jobs.keys import key_in_batch, key_of_owner
from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Amend, Cancel, Delete, Retry
from dispatcher.core.jobs.views.snippets import Snippet
from dispatcher.errors import BadParameter
from tests.store.conftest import OpenDesk
from tests.store.contract import KINDS, SQLITE, Desk, Kind, error, result
from tests.support.jobs import spec

#: Only a file has an index.
WAYS = ((SQLITE, True), *((kind, False) for kind in KINDS))


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0].name}-{'index' if way[1] else 'none'}")
def desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Desk:
    kind, search = request.param
    return open_desk(kind, search=search)


def _found(desk: Desk, text: str, **fields: Any) -> list[str]:
    return [job.id for job in desk.listed(search=text, **fields)]


def _submit(desk: Desk, *values: object, **fields: Any) -> list[str]:
    return [job.id for job in desk.submit(*[spec(data=json.dumps(value), **fields) for value in values])]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_search_finds_text_in_data_newest_first(desk: Desk, limit: int) -> None:
    jobs = _submit(desk, "label for Berlin", {"to": "Bern"}, "Bergen", "labels")
    assert _found(desk, "ber", limit=limit) == [jobs[2], jobs[1], jobs[0]]
    assert _found(desk, "berlin LABEL", limit=limit) == [jobs[0]]
    assert _found(desk, "rlin", limit=limit) == []


def test_a_search_finds_text_in_results_and_in_the_last_error_alone(desk: Desk) -> None:
    claim = desk.start(data='"order"')
    desk.report(error(claim.attempt, text='{"message":"no paper"}'))
    assert _found(desk, "paper") == [claim.job]
    assert _found(desk, "order paper") == []  # each word in another text
    desk.pass_time(60)
    again = desk.claim_one()
    desk.report(error(again.attempt, delay_s=None, text='{"message":"no ink"}'))
    assert (_found(desk, "paper"), _found(desk, "ink")) == ([], [claim.job])
    desk.command(Retry(claim.job))
    desk.report(result(desk.claim_one().attempt, '"printed"'))
    assert _found(desk, "printed") == _found(desk, "order") == [claim.job]


def test_a_search_finds_text_in_the_summary_alone_and_no_more_once_the_job_is_removed(desk: Desk) -> None:
    summary = "Müller, 2nd floor \\u0041 C:\\new"
    (job,) = _submit(desk, "order", summary=summary, tags=("late",))
    (other,) = _submit(desk, "Muller")
    assert _found(desk, "muller floor") == [job]
    assert _found(desk, "müller") == [other, job]
    assert _found(desk, "order floor") == _found(desk, "late") == []  # each word in another text; a tag is none
    desk.command(Amend(job=job, tags=("early",)))
    assert _found(desk, "muller floor") == [job]
    desk.command(Cancel(job, "no"))
    desk.command(Delete(job))
    assert _found(desk, "muller") == [other]


def test_a_job_that_is_removed_is_found_no_more_and_others_are(desk: Desk) -> None:
    claim = desk.start(data='"order one"')
    (other,) = _submit(desk, "order two")
    desk.report(error(claim.attempt, delay_s=None, text='"order"'))
    desk.command(Delete(claim.job))
    assert _found(desk, "order") == [other]


def test_a_search_goes_with_the_other_filters(desk: Desk) -> None:
    (tagged,) = _submit(desk, "order", tags=("a",))
    (keyed,) = _submit(desk, "order", key="k")
    (typed,) = _submit(desk, "order", type="other")
    _submit(desk, "else", tags=("a",), type="other")
    assert _found(desk, "order", tags=("a",)) == [tagged]
    assert _found(desk, "order", key="k") == [keyed]
    assert _found(desk, "order", type="other") == [typed]
    assert _found(desk, "order", states=(JobState.FAILED,)) == []


def test_each_job_shows_where_it_has_what_is_searched_if_that_is_asked(desk: Desk) -> None:
    (first,) = _submit(desk, {"to": "Berlin, B\u00e4r 1"}, summary="a bear for Berlin")
    claim = desk.claim_one()
    desk.report(result(claim.attempt, '"berlin"'))
    second, _ = _submit(desk, "x Berlin", "Rome")
    asked = {"search": "berlin", "snippets": True}
    [newer, older] = desk.listed(**asked)
    assert (newer.id, newer.snippets) == (second, (Snippet("data", '"x ', "Berlin", '"'),))
    fields = [(found.field, found.hit) for found in older.snippets]
    assert (older.id, fields) == (first, [("data", "Berlin"), ("result", "berlin"), ("summary", "Berlin")])
    assert [job.snippets for job in desk.listed(search="berlin")] == [(), ()]
    assert {job.snippets for job in desk.listed(snippets=True)} == {()}


def _called(*ends: str) -> list[str]:
    return [f"01991b2c-7d3e-7000-8000-{end:0>12}" for end in ends]


@pytest.mark.parametrize("limit", [1, 100])
def test_a_search_finds_a_job_by_the_beginning_or_the_end_of_its_id(desk: Desk, limit: int) -> None:
    jobs = _called("f0747895", "f0747896", "aaaa")
    desk._job_ids = iter([*jobs, "01991b2d-7d3e-7000-8000-000000000001"])
    _submit(desk, "f0747896", "order", "order", "order")
    assert _found(desk, "f0747896", limit=limit) == [jobs[1], jobs[0]], "the text of one, the id of the other"
    assert _found(desk, "...F0747895", limit=limit) == _found(desk, jobs[0], limit=limit) == [jobs[0]]
    assert _found(desk, "01991b2c", limit=limit) == jobs[::-1]
    assert _found(desk, "01991b2c", states=(JobState.FAILED,)) == _found(desk, "0747895") == []
    [shown] = desk.listed(search="...f0747895", snippets=True)
    assert shown.snippets == (Snippet("id", jobs[0][:-8], "f0747895", ""),)


def test_a_search_finds_jobs_by_their_whole_key(desk: Desk) -> None:
    (keyed,) = _submit(desk, "x", key="order 7")
    (theirs,) = _submit(desk, "x", key=key_of_owner("order 7", "anna"), owner="anna")
    specs = [spec(key=key_in_batch("order 7", n), batch="b") for n in range(3)]
    batch = [job.id for job in desk.submit(*specs)]
    (other,) = _submit(desk, "an order 7")
    assert _found(desk, "order 7", limit=2) == _found(desk, "order 7") == [other, *batch[::-1], keyed]
    assert _found(desk, "order 7", owner="anna") == [theirs]
    assert _found(desk, "order") == [other]
    assert _found(desk, "order 7", batch="b", states=(JobState.QUEUED,)) == batch[::-1]
    assert {job.snippets for job in desk.listed(search="order 7", owner="anna", snippets=True)} == {
        (Snippet("key", "", "order 7", ""),)
    }


def test_a_search_finds_a_job_of_any_id_by_the_whole_of_it(desk: Desk) -> None:
    first, *_ = _submit(desk, *["x"] * 12)
    assert _found(desk, first.upper()) == [first]


def test_a_search_for_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(BadParameter, match="no letter"):
        desk.run(desk.store.jobs(JobFilter(search="-")))


_words = st.sampled_from(
    ["ab", "abc", "Ab", "b", "ä", "a\u0308b", "ß", "7", "-", "\\", "\n", '"', "_", "ﬁ", "İ", "\ud83d", "😀", "x" * 4090]
)
_text = st.lists(_words, max_size=6).map(" ".join) | st.lists(_words, max_size=4).map("".join)
_asked = st.lists(
    st.sampled_from(["a", "ab", '"ab', '"', "b", "A", "7", "ss", "fi", "i", "ä", "x" * 9]), min_size=1, max_size=4
)


@given(texts=st.lists(_text, min_size=1, max_size=8), asked=_asked.map(" ".join), dumped=st.booleans())
def test_all_kinds_find_the_same_with_an_index_and_without(texts: list[str], asked: str, dumped: bool) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as directory:
        found = [_answer(kind, Path(directory), search, texts, asked) for kind, search in WAYS]
    assert found == [found[0]] * len(found)


def _answer(kind: Kind, directory: Path, search: bool, texts: list[str], asked: str) -> object:
    own = directory / f"{kind.name}{search}"
    own.mkdir()
    desk = Desk(kind, own, search=search)
    try:
        _submit(desk, *texts)
        return _found(desk, asked)
    except BadParameter as refused:
        return str(refused)
    finally:
        desk.end()
