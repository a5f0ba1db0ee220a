"""``status`` and ``failures``: for people at night, and for scripts."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted
from tests.support.server import Live

WIDE = {"TERM": "dumb", "COLUMNS": "150"}
PROBLEM = {"code": "in_doubt", "sentence": "1 job is in doubt: a person must decide.", "type": None, "since": None}


def test_where_all_is_well_it_says_so_and_ends_well() -> None:
    well = reply(200, {"well": True, "sentence": "All is well. 3 workers ready.", "problems": []})
    with scripted(well) as server:
        assert typed("status", "--url", server.url)[:2] == (0, "All is well. 3 workers ready.\n")


def test_what_is_to_be_looked_at_is_told_and_the_status_says_so_too() -> None:
    seen = {"well": False, "sentence": "1 thing to look at", "problems": [PROBLEM]}
    with scripted(reply(200, seen), reply(200, seen)) as server:
        told = typed("status", "--url", server.url)
        assert told[:2] == (1, f"1 thing to look at\n- {PROBLEM['sentence']}\n")
        as_json = typed("status", "-o", "json", "--url", server.url)
        assert (as_json.status, json.loads(as_json.out)) == (1, seen)


def test_a_real_server_is_asked(server: Live, at: list[str]) -> None:
    said = typed("status", *at)
    assert said.status in (0, 1)
    first = said.out.splitlines()[0]
    assert first.startswith("All is well.") if said.status == 0 else first.endswith(" to look at")


def test_failed_jobs_stand_by_what_they_failed_with_and_their_ids_go_into_a_pipe(server: Live, at: list[str]) -> None:
    ids = [server.submit("bad", terms={"max_attempts": 1})["id"] for _ in range(2)]
    for job_id in ids:
        assert server.job(job_id, wait_s=20)["state"] == "failed"
    printed = typed("failures", "--type=bad", *at).out.split()
    assert set(ids) <= set(printed)
    head, row, *_ = typed("failures", "--type=bad", *at, terminal=True, environ=WIDE).out.splitlines()
    assert head.split() == ["JOBS", "TYPE", "LAST", "WHAT", "THEY", "FAILED", "WITH"]
    assert row.split()[:2] == [str(len(printed)), "bad"]
    one = json.loads(typed("failures", "--type=bad", "-o", "json", *at).out.splitlines()[0])
    assert one["ids"] == printed
    assert typed("failures", "--type=never", *at)[:2] == (0, "")
