"""``workers rename``, ``labels`` and ``test``: orders that say more than a reason."""

from __future__ import annotations

import json

import pytest

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted

ID = "0358abe0" * 4
SHOWN = {"id": ID, "name": "desk"}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (("rename", "--to", "DESK-8"), {"name": "DESK-8"}),
        (("rename", "--to", ""), {"name": None}),
        (
            ("labels", "--set", "site:bonn", "--set", "url:http://a", "--unset", "floor"),
            {"labels": {"floor": None, "site": "bonn", "url": "http://a"}},
        ),
    ],
)
def test_a_name_and_labels_are_changed_and_nothing_else_is(words: tuple[str, ...], sent: dict[str, object]) -> None:
    with scripted(reply(200, SHOWN)) as server:
        said = typed("workers", words[0], ID, *words[1:], "--reason", "it moved", "--url", server.url)
    assert said[:2] == (0, f"{ID}\n")
    assert server.asked[0][0].startswith(f"PATCH /api/v1/workers/{ID} ")
    assert json.loads(server.asked[0][2]) == {"reason": "it moved"} | sent


def test_a_test_job_is_printed_by_its_id_so_that_it_can_be_waited_for(at: list[str]) -> None:
    with scripted(reply(201, {"id": "01a2"})) as server:
        said = typed("workers", "test", ID, "--example", "echo", "--reason", "a new PC", "--url", server.url)
    assert said[:2] == (0, "01a2\n")
    assert server.asked[0][0].startswith(f"POST /api/v1/workers/{ID}/test ")
    assert json.loads(server.asked[0][2]) == {"reason": "a new PC", "type": "echo"}
    refused = typed("workers", "test", "bad-1", *at)
    assert (refused.status, "comes with an example" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("rename", ID), "needs --to NAME"),
        (("rename", ID, ID, "--to", "A"), "of several with one name any would get the jobs"),
        (("rename", "--label", "site:bonn", "--to", "A"), "of several with one name any would get the jobs"),
        (("labels", ID), "needs --set LABEL:VALUE or --unset LABEL"),
        (("labels", ID, "--set", "bonn"), "write it as site:berlin"),
        (("pause", ID, "--to", "A"), "--to belongs to workers rename"),
        (("reload", "--label", "site:bonn", "--now"), "--now is for workers by name"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_sent(words: tuple[str, ...], why: str) -> None:
    said = typed("workers", *words, "--url", "http://127.0.0.1:9")
    assert (said.status, why in said.err) == (2, True), said.err


def test_all_that_match_get_labels_or_a_test_job_when_that_is_meant() -> None:
    operation = {"id": "o1", "matched": 2, "done": 2, "skipped": {}, "stopped": None, "ended_at": "20", "state": "done"}
    told = reply(200, {"matched": 2, "done": 2, "skipped": {}, "operation": operation})
    with scripted(told, told) as server:
        to = ("--url", server.url)
        assert typed("workers", "labels", "--label", "site:ulm", "--set", "site:bonn", "--yes", *to)[:2] == (0, "2\n")
        assert typed("workers", "test", "--name", "A", "--example", "echo", "--reason", "why", *to)[:2] == (0, "2\n")
    labels, test = (json.loads(asked[2]) for asked in server.asked)
    assert (labels["action"], labels["labels"], labels["filter"]) == ("labels", {"site": "bonn"}, {"label": "site:ulm"})
    assert (test["action"], test["type"], test["reason"], test["dry_run"]) == ("test", "echo", "why", True)
