"""``workers pause`` and the like: orders for workers by name or id."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted

ID = "0358abe0" * 4
SHOWN = {"id": ID, "name": "desk", "held": None}


def test_a_worker_is_ordered_about_by_its_name() -> None:
    gone = {"id": "", "name": "desk"}
    with scripted(reply(200, {"items": [SHOWN, gone], "next_cursor": None}), reply(200, SHOWN)) as server:
        said = typed("workers", "pause", "desk", "--reason", "lunch", "--url", server.url)
    assert said[:2] == (0, f"{ID}\n")
    assert "label=name%3Adesk" in server.asked[0][0]
    assert server.asked[1][0].startswith(f"POST /api/v1/workers/{ID}/pause ")
    assert json.loads(server.asked[1][2]) == {"reason": "lunch"}


def test_a_worker_is_ordered_about_by_its_id() -> None:
    with scripted(reply(200, SHOWN), reply(200, SHOWN)) as server:
        assert typed("workers", "reload", ID, "--now", "-o", "json", "--url", server.url).status == 0
        assert typed("workers", "resume", ID, "--reason", "mended", "--url", server.url)[:2] == (0, f"{ID}\n")
    assert [json.loads(asked[2]) for asked in server.asked] == [{"now": True}, {"reason": "mended"}]


def test_a_name_that_nobody_here_has_is_refused_in_words() -> None:
    with scripted(reply(200, {"items": [], "next_cursor": None})) as server:
        said = typed("workers", "pause", "nobody", "--url", server.url)
        assert (said.status, said.err) == (
            1,
            "pagehand: nobody: no worker here has this name: `pagehand workers` lists them\n",
        )
        assert typed("workers", "pause", "--url", server.url).status == 2


def test_an_order_for_all_that_match_counts_them_and_with_yes_does_it(at: list[str]) -> None:
    counted = typed("workers", "pause", "--name", "bad", *at)
    assert (counted.status, counted.out) == (0, "1\n")
    assert "So many workers match, and nothing was done. Do it: --expect 1 --yes" in counted.err
    assert typed("workers", "pause", "--name", "bad", "--expect", "7", "--yes", *at).status == 1
    done = typed("workers", "pause", "--name", "bad", "--expect", "1", "--yes", "--reason", "paint", *at)
    assert done[:2] == (0, "1\n")
    [worker] = map(json.loads, typed("workers", "--name", "bad", "-o", "json", *at).out.splitlines())
    assert worker["held"]["reason"] == "paint"
    again = typed("workers", "pause", "--name", "bad", "--yes", *at)
    assert (again.out, "1 could not be helped: wrong_state" in again.err) == ("0\n", True)
    assert typed("workers", "resume", "--name", "bad", "--yes", *at)[:2] == (0, "1\n")
    assert "or a filter for all that match" in typed("workers", "pause", "desk", "--name", "bad", *at).err


def test_one_that_has_gone_is_forgotten_by_its_name(at: list[str]) -> None:
    unknown = typed("workers", "forget", "NOBODY", *at)
    assert (unknown.status, unknown.err) == (1, "pagehand: NOBODY: no worker of this name has gone\n")
    done = {"id": "o1", "done": 1, "skipped": {}, "ended_at": "2026-01-02T03:04:05.678Z"}
    told = {"matched": 1, "done": 1, "skipped": {}, "operation": done}
    nobody = reply(200, {"items": [{"id": "", "name": "DESK-9"}], "next_cursor": None})
    with scripted(nobody, reply(200, told)) as server:
        said = typed("workers", "forget", "DESK-9", "--reason", "scrapped", "--url", server.url)
    assert said[:2] == (0, "DESK-9\n")
    asked = json.loads(server.asked[1][2])
    assert asked == {"action": "forget", "reason": "scrapped", "ids": ["name:DESK-9"]}


def test_one_that_is_here_is_not_forgotten(at: list[str]) -> None:
    said = typed("workers", "forget", "bad-1", *at)
    assert (said.status, "the worker is here" in said.err) == (1, True)
