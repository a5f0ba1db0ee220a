"""``workers``, ``types`` and ``stats``: tables for people, lines for programs."""

from __future__ import annotations

import json
import re

import pytest

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted
from tests.support.server import Live

WIDE = {"TERM": "dumb", "COLUMNS": "150"}


def test_workers_are_listed_and_filtered(server: Live, at: list[str]) -> None:
    table = typed("workers", *at, terminal=True, environ=WIDE).out
    head, *rows = [line.split() for line in table.splitlines()]
    assert head == ["NAME", "STATE", "JOBS", "DONE", "FAILED", "LABELS", "TYPES"]
    assert ["bad-1", "connected", "0/1"] in [row[:3] for row in rows]
    one = json.loads(typed("workers", "--type=bad", "--state=connected", "-o", "json", *at).out)
    assert one["name"] == "bad-1"
    assert typed("workers", "--name=bad", *at).out == f"{one['id']}\n"
    assert typed("workers", "--label=site:rome", *at)[:2] == (0, "")


def test_a_worker_that_has_gone_has_no_id() -> None:
    gone = {"id": "", "name": "DESK-9", "state": "gone", "gone_at": "2026-01-02T03:04:05.678Z"}
    answer = reply(200, {"items": [gone], "next_cursor": None})
    with scripted(answer, answer) as server:
        assert typed("workers", "--url", server.url).out == ""
        shown = typed("workers", "--url", server.url, terminal=True, environ=WIDE).out
    assert shown.splitlines()[1].split() == ["DESK-9", "gone", "-", "-", "-", "since", "2026-01-02", "03:04:05"]


def test_types_are_listed_with_their_counts(server: Live, at: list[str]) -> None:
    server.submit("typical-1")
    assert typed("types", "typical", *at).out == "typical-1\n"
    table = typed("types", "typical", *at, terminal=True, environ=WIDE).out.splitlines()
    assert table[1].split() == ["typical-1", "0", "1", "0", "0", "0", "0"]


def test_types_are_paused_and_resumed_by_their_names(server: Live, at: list[str]) -> None:
    assert typed("types", "pause", "held-1", "held-2", "--reason", "no paper", *at)[:2] == (0, "held-1\nheld-2\n")
    job = server.submit("held-1")["id"]
    assert server.job(job)["waiting"]["code"] == "type_paused"
    row = typed("types", "held-1", *at, terminal=True, environ=WIDE).out.splitlines()[1]
    assert row.endswith(": no paper")
    shown = typed("types", "resume", "held-1", "-o", "json", *at)
    assert json.loads(shown.out)["paused"] is None
    assert typed("types", "resume", "held-2", *at).status == 0


def test_all_types_are_paused_and_resumed_together(server: Live, at: list[str]) -> None:
    assert typed("types", "pause", "--all", "--reason", "wrong prices", *at)[:2] == (0, "*\n")
    job = server.submit("held-3")["id"]
    assert server.job(job)["waits"].endswith(": wrong prices")
    assert typed("types", "resume", "--all", *at).status == 0
    assert server.job(job)["waiting"]["code"] == "no_worker"


@pytest.mark.parametrize("words", [["pause", "a"], ["defaults"], ["a"], []])
def test_all_goes_with_a_pause_and_no_names(at: list[str], words: list[str]) -> None:
    said = typed("types", *words, "--all", *at)
    assert (said.status, "--all goes with pause or resume" in said.err) == (2, True)


def test_an_order_without_a_type_or_for_none_is_said(at: list[str]) -> None:
    assert "types pause needs the name of a type" in typed("types", "pause", *at).err
    assert "'a' is no order" in typed("types", "a", "b", *at).err
    said = typed("types", "resume", "never-named", *at)
    assert (said.status, "pagehand: never-named: no job" in said.err) == (1, True)


def test_types_are_given_defaults_which_are_told_and_taken_away(at: list[str]) -> None:
    done = typed("types", "defaults", "held-3", "priority=5", "effects=once", "timeout_s=30.5", "--reason", "slow", *at)
    assert (done.status, json.loads(done.out)) == (0, {"priority": 5, "timeout_s": 30.5, "effects": "once"})
    table = typed("types", "defaults", "held-3", *at, terminal=True, environ=WIDE).out
    assert "priority=5 timeout_s=30.5 effects=once" in table
    assert typed("types", "defaults", "held-3", "priority=", "effects=", "timeout_s=", *at).status == 0
    assert "priority: must be a whole number" in typed("types", "defaults", "held-3", "priority=much", *at).err
    assert "'priority' is no default" in typed("types", "defaults", "held-3", "priority", *at).err
    assert typed("types", "defaults", "never-named", *at).status == 1


def test_the_server_counts(server: Live, at: list[str]) -> None:
    assert json.loads(typed("stats", *at).out)["draining"] is False
    table = typed("stats", *at, terminal=True, environ=WIDE).out
    assert re.search(r"^workers connected +[1-9]\d*$", table, re.M)


def test_the_server_tells_how_jobs_have_ended(at: list[str]) -> None:
    told = json.loads(typed("stats", "--type", "none", "--window", "2h", *at).out)["ended"]
    assert (told["type"], told["window_ms"], told["succeeded"]) == ("none", 7_200_000, 0)
    table = typed("stats", "--window", "30d", *at, terminal=True, environ=WIDE).out
    assert re.search(r"^WHAT +IN 43200 MINUTES$", table, re.M)
    assert re.search(r"^jobs succeeded +\d+$", table, re.M)
    assert re.search(r"^run p95 +(-|[\d.e+]+ s \(n = \d+\))$", table, re.M)
    assert "window must be" in typed("stats", "--window", "1y", *at).err
