"""``/api/v1/audit``: who has done what, over HTTP."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.config.settings import Settings
from dispatcher.node.access import MOST_REFUSALS, MOST_SIGN_INS
from handlers.api.wholelist import ACTS_AT_ONCE
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test

ADMIN = {"Authorization": "Bearer s3cret"}


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret", wrong_tokens=1_000)


async def log(ask: Ask, query: str = "") -> list[tuple[str, str, str | None]]:
    items = body_of(await ask(f"/api/v1/audit{query}", headers=ADMIN))["items"]
    return [(item["actor"], item["action"], item["target"]) for item in items]


async def test_what_people_do_is_in_the_log(ask: Ask, house: House) -> None:
    token = body_of(await ask("/api/v1/tokens", "POST", json={"name": "desk", "scopes": ["operate"]}, headers=ADMIN))
    job = body_of(await ask("/api/v1/jobs", "POST", json={"type": "label"}, headers=ADMIN))["id"]
    desk = {"Authorization": f"Bearer {token['token']}"}
    await ask(f"/api/v1/jobs/{job}/cancel", "POST", json={"reason": "jam"}, headers=desk)
    (cancelled, made) = body_of(await ask("/api/v1/audit", headers=ADMIN))["items"]
    assert cancelled == {
        "id": 2, "at": "2026-11-23T21:24:05.123Z", "actor": "desk", "token": token["id"], "remote": "127.0.0.1",
        "action": "job.cancel", "target": job, "detail": "jam", "outcome": "done",
    }  # fmt: skip
    assert (made["actor"], made["action"], made["target"]) == ("api", "token.make", token["id"])
    assert token["token"] not in made["detail"]


async def test_the_log_has_pages_and_filters(ask: Ask) -> None:
    for name in ("a", "b", "c"):
        await ask("/api/v1/tokens", "POST", json={"name": name, "scopes": ["read"]}, headers=ADMIN)
    first = await ask("/api/v1/audit?action=token.make&after=-1h&limit=2", headers=ADMIN)
    assert len(body_of(first)["items"]) == 2
    following = first.headers["Link"].partition(">")[0].removeprefix("<")
    (last,) = body_of(await ask(following, headers=ADMIN))["items"]
    assert '"name":"a"' in last["detail"]
    assert await log(ask, "?action=token.revoke") == []
    for wrong in ("cursor=x", "limit=0", "after=soon"):
        assert (await ask(f"/api/v1/audit?{wrong}", headers=ADMIN)).code == 400


async def test_the_whole_log_comes_as_lines_or_as_a_table(ask: Ask, house: House) -> None:
    for number in range(ACTS_AT_ONCE + 1):
        house.dispatcher.access.note(AuditNote(Actor("desk"), "job.cancel", f"job-{number}", "=1+1"))
    lines = await ask("/api/v1/audit?format=ndjson", headers=ADMIN)
    assert lines.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    targets = [json.loads(line)["target"] for line in lines.body.splitlines()]
    assert targets == [f"job-{number}" for number in range(ACTS_AT_ONCE, -1, -1)]
    table = await ask("/api/v1/audit?action=job.cancel", headers=ADMIN | {"Accept": "text/csv"})
    assert table.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = [*csv.DictReader(io.StringIO(table.body.decode("utf-8-sig")))]
    assert [row["target"] for row in rows] == targets
    assert rows[0]["detail"] == "'=1+1", "no formula"
    head = await ask("/api/v1/audit?format=csv", "HEAD", headers=ADMIN)
    assert (head.code, head.body) == (200, b"")
    assert (await ask("/api/v1/audit?format=csv&limit=5", headers=ADMIN)).code == 400


async def test_who_signs_in_is_in_the_log(ask: Ask, browser: Browser) -> None:
    await browser.post("/login", {"token": "s3cret", "next": "/jobs"}, "/login")
    assert await log(ask) == [("console", "console.sign_in", None)]


async def test_wrong_tokens_are_noted_once_each_and_not_without_end(ask: Ask, house: House) -> None:
    async def show(text: str) -> None:
        assert (await ask("/api/v1/jobs", headers={"Authorization": f"Bearer {text}"})).code == 401

    for _ in range(3):
        await show("yesterday's")
    assert await log(ask) == [("unknown", "token.refused", None)]
    for number in range(MOST_REFUSALS + 5):
        await show(f"no-{number}")
    assert len(await log(ask)) == MOST_REFUSALS
    house.clock.advance(60.0)
    await show("another")
    assert len(await log(ask)) == MOST_REFUSALS + 1


async def test_sign_ins_are_not_noted_without_end(ask: Ask, browser: Browser, house: House) -> None:
    for _ in range(MOST_SIGN_INS + 5):
        await browser.post("/login", {"token": "s3cret", "next": "/jobs"}, "/login")
    assert len(await log(ask)) == MOST_SIGN_INS
    await ask("/api/v1/jobs", headers={"Authorization": "Bearer wrong"})
    assert (await log(ask))[0] == ("unknown", "token.refused", None)
    house.clock.advance(60.0)
    await browser.post("/login", {"token": "s3cret", "next": "/jobs"}, "/login")
    assert len(await log(ask, "?action=console.sign_in")) == MOST_SIGN_INS + 1


async def test_a_backup_is_noted(ask: Ask, house: House) -> None:
    # The store of the tests is in memory and makes none: what is refused there is no act.
    assert (await ask("/api/v1/backups", "POST", json={}, headers=ADMIN)).code == 409
    assert await log(ask) == []
