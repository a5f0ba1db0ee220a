"""``/api/v1/backups``: begins one, says how far it is, lists them; the real one is made by a real server."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.handlers.conftest import Ask, body_of
from tests.support.http import JSON
from tests.support.server import Live, live
from tests.support.waiting import until

BACKUPS = "/api/v1/backups"
FIELDS = {"name", "state", "bytes", "copied_bytes", "begun_at", "ended_at", "detail", "links"}


def whole(server: Live, address: str) -> dict[str, object]:
    """The backup when it has ended."""

    def ended() -> dict[str, object] | None:
        backup: dict[str, object] = server.ask("GET", address).json()
        return None if backup["state"] == "running" else backup

    return until(ended, what="the end of the backup")


def test_a_running_server_makes_a_backup_that_holds_its_jobs(tmp_path: Path) -> None:
    with live(tmp_path, "--backup-dir", str(tmp_path / "copies")) as server:
        job = server.submit("echo", {"order": 4711})
        begun = server.ask("POST", BACKUPS, headers=JSON)
        assert begun.status == 202
        assert begun.json().keys() == FIELDS
        assert begun.headers["location"] == begun.json()["links"]["self"]
        backup = whole(server, begun.headers["location"])
        assert (backup["state"], backup["detail"]) == ("done", None)
        assert backup["bytes"] == backup["copied_bytes"] == (tmp_path / "copies" / str(backup["name"])).stat().st_size
        assert server.ask("GET", BACKUPS).json() == {"items": [backup], "next_cursor": None}
        assert server.submit("echo")["state"] == "queued", "the store is as it was"
    (tmp_path / "restored").mkdir()
    (tmp_path / "copies" / str(backup["name"])).rename(tmp_path / "restored" / "pagehand.db")
    with live(tmp_path / "restored") as restored:
        assert restored.job(job["id"])["data"] == {"order": 4711}
        assert restored.ask("GET", "/api/v1/stats").json()["jobs"]["queued"] == 1


def test_what_a_backup_holds_is_for_its_owner_alone_and_is_whole_by_itself(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        server.submit("echo")
        backup = whole(server, server.ask("POST", BACKUPS, headers=JSON).headers["location"])
    path = tmp_path / "backups" / str(backup["name"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as alone:
        assert alone.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert alone.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.gen_test
async def test_a_store_in_memory_says_that_it_cannot_be_backed_up(ask: Ask) -> None:
    response = await ask(BACKUPS, "POST", json={})
    assert (response.code, body_of(response)["code"]) == (409, "wrong_state")
    assert "in memory" in body_of(response)["detail"]
    assert body_of(await ask(BACKUPS)) == {"items": [], "next_cursor": None}


@pytest.mark.gen_test
@pytest.mark.parametrize("body", ['{"directory": "/etc"}', "[]", '"x"'])
async def test_a_backup_takes_no_path_and_nothing_else(ask: Ask, body: str) -> None:
    response = await ask(BACKUPS, "POST", body=body, headers={"Content-Type": "application/json"})
    assert response.code == 422
    assert "empty object" in json.dumps(body_of(response)["errors"])


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["pagehand-1.db", "..%2f..%2fetc%2fpasswd.db", "x.db"])
async def test_a_backup_that_is_not_there_is_a_404(ask: Ask, name: str) -> None:
    assert (await ask(f"{BACKUPS}/{name}")).code == 404
