"""``workers rollout``: what it asks, how it waits, and with what it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sdk.cli.typed import typed
from tests.sdk.client.scripted import reply, scripted


def told(state: str, **fields: Any) -> dict[str, Any]:
    rollout = {"state": state, "sentence": f"It is {state}.", "reloaded": 1, "reloading": ["A"], "left": 2}
    return {"old": 3, "types": [], "rollout": rollout | fields}


def test_it_waits_for_the_end_and_tells_it() -> None:
    slept: list[float] = []
    with scripted(reply(200, told("running")), reply(200, told("running")), reply(200, told("done"))) as server:
        said = typed(
            "workers", "rollout", "--at-a-time", "3", "--canary", "--reason", "new", "--without", "site:ulm",
            "--url", server.url, sleep=slept.append,
        )  # fmt: skip
    assert (said.status, said.out, slept) == (0, "It is done.\n", [1.0, 1.0])
    begun, *looks = server.asked
    assert begun.line == "POST /api/v1/rollout HTTP/1.1"
    assert json.loads(begun.body) == {"at_a_time": 3, "canary": True, "without": ["site:ulm"], "reason": "new"}
    assert [look.line for look in looks] == ["GET /api/v1/rollout HTTP/1.1"] * 2


def test_one_that_has_stopped_ends_with_1() -> None:
    with scripted(reply(200, told("running")), reply(200, told("stopped"))) as server:
        said = typed("workers", "rollout", "-o", "json", "--url", server.url, sleep=lambda _: None)
    assert (said.status, json.loads(said.out)["state"]) == (1, "stopped")


def test_it_is_only_begun_or_stopped() -> None:
    with scripted(reply(200, told("running"))) as server:
        assert typed("workers", "rollout", "--no-wait", "--url", server.url)[:2] == (0, "It is running.\n")
    with scripted(reply(200, told("stopped"))) as server:
        assert typed("workers", "rollout", "--stop", "--url", server.url)[:2] == (0, "It is stopped.\n")
    assert [asked.line for asked in server.asked] == ["POST /api/v1/rollout/stop HTTP/1.1"]


def test_it_waits_while_a_canary_goes_back() -> None:
    with scripted(*(reply(200, told(state)) for state in ("running", "going_back", "stopped"))) as server:
        said = typed("workers", "rollout", "--canary", "--url", server.url, sleep=lambda _: None)
    assert (said.status, said.out) == (1, "It is stopped.\n")


@pytest.mark.parametrize(("flags", "out"), [((), "All task files are"), (("-o", "json"), '{"state":"stopped"')])
def test_what_is_withheld_is_offered_all_the_same(flags: tuple[str, ...], out: str) -> None:
    with scripted(reply(200, told("stopped"))) as server:
        said = typed("workers", "rollout", "--release", *flags, "--url", server.url)
    assert (said.status, said.out.replace(" ", "").startswith(out.replace(" ", ""))) == (0, True)
    assert [asked.line for asked in server.asked] == ["POST /api/v1/rollout/release HTTP/1.1"]


@pytest.mark.parametrize("words", [["DESK-1"], ["-"]])
def test_it_names_no_workers(words: list[str]) -> None:
    said = typed("workers", "rollout", *words)
    assert (said.status, "names no workers" in said.err) == (2, True)
