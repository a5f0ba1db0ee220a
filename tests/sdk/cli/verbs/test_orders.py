"""``workers pause`` and the like: orders for workers by name or id."""

from __future__ import annotations

import json

from tests.sdk.cli.typed import typed
from tests.support.server import Live


def one(at: list[str], name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(typed("workers", f"--name={name}", "-o", "json", *at).out)
    return found


def test_a_worker_is_ordered_about_by_its_name_and_by_its_id(server: Live, at: list[str]) -> None:
    worker = str(one(at, "bad-1")["id"])
    assert typed("workers", "pause", "bad-1", "--reason", "lunch", *at)[:2] == (0, f"{worker}\n")
    assert "lunch" in str(one(at, "bad-1")["held"])
    held = json.loads(typed("workers", "resume", worker, "-o", "json", *at).out)
    assert (held["id"], held["held"]) == (worker, None)


def test_a_name_that_nobody_or_more_than_one_has_is_refused_in_words(server: Live, at: list[str]) -> None:
    said = typed("workers", "pause", "nobody", *at)
    assert (said.status, said.err) == (1, "pagehand: nobody: no workers here have this name; give an id\n")
    assert typed("workers", "pause", *at).status == 2
