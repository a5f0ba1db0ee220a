"""Tokens for joining in the API: how many uses are left, and how one credential ends."""

from __future__ import annotations

import json

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.api.tokens import ADMIN, made, refused, shown
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test


@pytest.fixture
def settings() -> Settings:
    return Settings(token="s3cret")


async def test_a_token_for_joining_says_how_many_uses_are_left(ask: Ask, house: House) -> None:
    token = await made(ask, "worker", join={"uses": 2}, labels={"site": "berlin"})
    assert (token["join"], token["labels"]) == ({"uses": 2, "used": 0, "left": 2}, {"site": "berlin"})
    worker, told = await joins(house, "s1", token["token"])
    now = body_of(await ask(token["links"]["self"], headers=ADMIN))
    assert (now["join"], now["works"]) == ({"uses": 2, "used": 1, "left": 1}, True)
    await joins(house, "s2", token["token"])
    now = body_of(await ask(token["links"]["self"], headers=ADMIN))
    assert (now["join"], now["works"]) == ({"uses": 2, "used": 2, "left": 0}, False)
    one = body_of(await ask(f"/api/v1/workers/{worker}", headers=ADMIN))
    assert one["joined"] == {"token": token["id"], "at": "2026-11-23T21:24:05.123Z"}
    assert one["labels"] == {"site": "berlin"}
    assert told not in json.dumps(one)


async def test_an_administrator_ends_the_credential_of_one_worker(ask: Ask, house: House) -> None:
    token = await made(ask, "worker", join={"uses": 2})
    worker, _ = await joins(house, "s1", token["token"])
    address = f"/api/v1/workers/{worker}"
    ended = await ask(address, "PATCH", json={"joined": None}, headers=ADMIN)
    assert (ended.code, body_of(ended)["joined"]) == (200, None)
    assert (await ask(address, headers=ADMIN)).code == 404, "its page is gone, and nothing is kept"
    assert (await ask(address, "PATCH", json={"joined": None}, headers=ADMIN)).code == 404
    changed = await ask(address, "PATCH", json={"joined": "x"}, headers=ADMIN)
    assert (changed.code, body_of(changed)["code"]) == (422, "invalid")


async def test_a_worker_that_has_joined_is_known_while_its_page_is_away(ask: Ask, house: House) -> None:
    token = await made(ask, "worker", join={"uses": 2})
    worker, _ = await joins(house, "s1", token["token"])
    await house.say("s1", op="bye")
    address = f"/api/v1/workers/{worker}"
    away = body_of(await ask(address, headers=ADMIN))
    assert (away["state"], away["joined"]["token"]) == ("gone", token["id"])
    named = await ask(address, "PATCH", json={"joined": None, "note": "lost"}, headers=ADMIN)
    assert (body_of(named)["joined"], body_of(named)["note"]) == (None, "lost")


async def test_a_worker_that_had_joined_and_is_forgotten_must_join_anew(ask: Ask, house: House) -> None:
    token = await made(ask, "worker", join={"uses": 2})
    worker, told = await joins(house, "s1", token["token"])
    await house.say("s1", op="bye")
    address = f"/api/v1/workers/{worker}"
    forgotten = await ask(f"{address}/forget", "POST", json={"reason": "scrapped"}, headers=ADMIN)
    assert (forgotten.code, body_of(forgotten)["joined"]) == (200, None)
    assert (await ask(address, headers=ADMIN)).code == 404
    again = await House(store=house.store, token="s3cret").start()
    assert (again.dispatcher.access.joins.of(worker), told != "") == (None, True)


async def test_a_token_for_joining_opens_no_address(ask: Ask) -> None:
    token = await made(ask, "worker", join={"uses": 2})
    refused(await ask("/api/v1/jobs", headers=shown(token)), "forbidden_scope", "'read'")


async def joins(house: House, sid: str, text: str) -> tuple[str, str]:
    """A page joins: its worker and its credential."""
    house.open(sid)
    said = {"op": "register", "types": ["echo"], "boot": f"boot-{sid}", "version": 1, "join": text}
    [known] = await house.say(sid, **said)
    told = await house.say(sid, **(said | {"worker": known["worker"], "secret": known["secret"]}))
    return known["worker"], told[0]["credential"]
