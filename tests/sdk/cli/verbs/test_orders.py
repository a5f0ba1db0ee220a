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
        assert typed("workers", "resume", ID, "--url", server.url)[:2] == (0, f"{ID}\n")
    assert [json.loads(asked[2]) for asked in server.asked] == [{"now": True}, {}]


def test_a_name_that_nobody_here_has_is_refused_in_words() -> None:
    with scripted(reply(200, {"items": [], "next_cursor": None})) as server:
        said = typed("workers", "pause", "nobody", "--url", server.url)
        assert (said.status, said.err) == (
            1,
            "pagehand: nobody: no worker here has this name: `pagehand workers` lists them\n",
        )
        assert typed("workers", "pause", "--url", server.url).status == 2
