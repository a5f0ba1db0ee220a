"""Tokens on a running dispatcher: made, found, revoked, and what the store is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.access.commands import UsedTokens
from dispatcher.access.scopes import Scope
from dispatcher.errors import BadRequest, TokenNotFound, WrongState
from dispatcher.node import access
from dispatcher.node.access import MOST_REFUSALS, MOST_REFUSALS_A_DAY, Access
from tests.support.house import House

SUBMIT = (Scope.SUBMIT,)


def at_house(test: Callable[[House, Access], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        house = House(**settings)
        await house.start()
        try:
            await test(house, house.dispatcher.access)
        finally:
            await house.dispatcher.close()

    asyncio.run(run())


def told(house: House) -> list[dict[str, float]]:
    """The uses that the store was told of."""
    return [c.used for turn in house.store.turns for c in turn.commands if isinstance(c, UsedTokens)]


def test_a_token_opens_from_when_it_is_made_until_it_is_revoked() -> None:
    async def test(house: House, tokens: Access) -> None:
        token, text = await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        assert (token.name, token.made_by, token.made_at) == ("scanner", "anna", house.clock.utc())
        found = tokens.find(text.encode())
        assert found is not None
        assert found == tokens.session(token.id)
        assert (found.name, found.scopes, found.token_id) == ("scanner", frozenset(SUBMIT), token.id)
        house.clock.advance(5.0)
        revoked = await tokens.revoke(token.id)
        assert revoked.revoked_at == house.clock.utc()
        assert tokens.find(text.encode()) is None
        assert tokens.session(token.id) is None
        house.clock.advance(5.0)
        assert await tokens.revoke(token.id) == revoked, "a second time it stays as it is"
        (kept,) = await house.store.tokens()
        assert (kept.digest, kept.revoked_at) == (token.digest, revoked.revoked_at)

    at_house(test)


def test_wrong_tokens_of_a_whole_day_leave_room_for_what_is_done() -> None:
    async def test(house: House, tokens: Access) -> None:
        for _ in range(MOST_REFUSALS_A_DAY // MOST_REFUSALS + 5):
            for _ in range(MOST_REFUSALS + 1):
                tokens.refused("192.0.2.7")
            await house.pass_time(60.0)
        await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        assert await noted(house, "token.refused") == MOST_REFUSALS_A_DAY
        await house.pass_time(86_400.0)
        tokens.refused("192.0.2.7")
        await tokens.make("another", SUBMIT, actor=Actor("anna"))
        assert await noted(house, "token.refused") == MOST_REFUSALS_A_DAY + 1

    at_house(test)


async def noted(house: House, action: str) -> int:
    return len((await house.store.acts(AuditFilter(action=action, limit=10_000))).items)


def test_a_new_life_knows_the_stores_tokens() -> None:
    async def test(house: House, tokens: Access) -> None:
        _, text = await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        other = Access(house.store, house.clock, house.dispatcher._turns)
        assert other.find(text.encode()) is None
        await other.start()
        assert other.find(text.encode()) is not None

    at_house(test)


def test_the_store_is_told_of_a_use_once_a_minute() -> None:
    async def test(house: House, tokens: Access) -> None:
        token, text = await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        at = house.clock.utc()
        for _ in range(3):
            tokens.find(text.encode())
        await house.dispatcher.idle()
        assert told(house) == [{token.id: at}]
        house.clock.advance(60.0)
        tokens.session(token.id)
        await house.dispatcher.idle()
        assert told(house) == [{token.id: at}, {token.id: at + 60.0}]
        assert [kept.last_used_at for kept in await house.store.tokens()] == [at + 60.0]

    at_house(test)


def test_an_unknown_token_cannot_be_revoked() -> None:
    async def test(house: House, tokens: Access) -> None:
        with pytest.raises(TokenNotFound, match="'nobody12'"):
            await tokens.revoke("nobody12")

    at_house(test)


def test_what_the_store_cannot_hold_makes_no_token() -> None:
    async def test(house: House, tokens: Access) -> None:
        with pytest.raises(BadRequest):
            await tokens.make("\ud800", SUBMIT, actor=Actor("anna"))
        assert tokens.all() == []

    at_house(test)


def test_tokens_that_open_nothing_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_TOKENS", 2)

    async def test(house: House, tokens: Access) -> None:
        await tokens.make("first", SUBMIT, actor=Actor("anna"), expires_at=house.clock.utc() + 1)
        second, _ = await tokens.make("second", SUBMIT, actor=Actor("anna"))
        with pytest.raises(WrongState, match="revoke one first"):
            await tokens.make("third", SUBMIT, actor=Actor("anna"))
        house.clock.advance(1.0)
        third, _ = await tokens.make("third", SUBMIT, actor=Actor("anna"))
        assert {token.id for token in tokens.all()} == {second.id, third.id}
        assert {token.id for token in await house.store.tokens()} == {second.id, third.id}

    at_house(test)


@pytest.mark.expect_log("bad_token")
def test_a_page_registers_with_a_token_that_has_the_scope_for_workers() -> None:
    async def test(house: House, tokens: Access) -> None:
        _, good = await tokens.make("desk", (Scope.WORKER,), actor=Actor("anna"), types=("label",))
        _, other = await tokens.make("reader", (Scope.READ,), actor=Actor("anna"))
        assert (await house.register("s1", "label", token=good))["op"] == "registered"
        for token, kind, words in (
            (good, "letter", "The type 'letter' is none of them"),
            (other, "label", "needs the scope 'worker', and the token 'reader' has 'read'"),
            (good[:-1], "label", "not this server's token"),
        ):
            house.open("s2")
            [refused] = await house.say("s2", op="register", types=[kind], boot="b", version=1, token=token)
            assert refused["code"] == "bad_token"
            assert words in refused["detail"]

    at_house(test, token="sesame")


@pytest.mark.expect_log("bad_token|too_many_wrong_tokens")
def test_a_page_that_guesses_must_wait_and_one_with_a_token_of_its_own_need_not() -> None:
    async def test(house: House, tokens: Access) -> None:
        _, good = await tokens.make("desk", (Scope.WORKER,), actor=Actor("anna"))
        house.open("s1")
        for number in range(20):
            [refused] = await house.say("s1", op="register", types=["label"], boot="b", version=1, token=f"no-{number}")
            assert "is not this server's token" in refused["detail"]
        [refused] = await house.say("s1", op="register", types=["label"], boot="b", version=1, token="sesame")
        assert refused["code"] == "too_many_wrong_tokens"
        assert "Try again in 3 s" in refused["detail"]
        assert (await house.register("s2", "label", token=good))["op"] == "registered"
        house.clock.advance(3.0)
        assert (await house.register("s3", "label", token="sesame"))["op"] == "registered"

    at_house(test, token="sesame")


@pytest.mark.expect_log("token_ended")
@pytest.mark.parametrize("way", ["revoked", "expired"])
def test_a_token_that_ends_ends_the_sessions_of_its_pages(way: str) -> None:
    async def test(house: House, tokens: Access) -> None:
        expires_at = house.clock.utc() + 60.0
        desk, text = await tokens.make("desk", (Scope.WORKER,), actor=Actor("anna"), expires_at=expires_at)
        _, other = await tokens.make("other", (Scope.WORKER,), actor=Actor("anna"))
        await house.register("s1", "label", token=text)
        await house.register("s2", "letter", token=other)
        job = await house.submit("label")
        assert [message["op"] for message in await house.hear("s1")] == ["job"]
        if way == "revoked":
            await tokens.revoke(desk.id)
        else:
            assert house.dispatcher._next_deadline() is not None
            house.clock.step_wall(59.5)
            assert (house.dispatcher._next_deadline() or 0.0) <= house.clock.monotonic() + 0.5
            await house.pass_time(0.5)
        [refused] = await house.hear("s1")
        assert (refused["code"], "revoked or has expired" in refused["detail"]) == ("token_ended", True)
        assert (set(house.ended), list(house.pages.sessions)) == ({"s1"}, ["s2"])
        assert await house.state(job) == "queued", "its page is gone for good: the job is free at once"
        house.open("s3")
        [again] = await house.say("s3", op="register", types=["label"], boot="b", version=1, token=text)
        assert again["code"] == "token_ended"
        assert (await house.register("s4", "label", token=other))["op"] == "registered"
        assert [message["op"] for message in await house.hear("s4")] == ["job"]

    at_house(test, token="sesame")


def test_a_page_that_shows_another_token_outlives_its_first_one() -> None:
    async def test(house: House, tokens: Access) -> None:
        first, one = await tokens.make("first", (Scope.WORKER,), actor=Actor("anna"))
        second, two = await tokens.make("second", (Scope.WORKER,), actor=Actor("anna"))
        registered = await house.register("s1", token=one)
        again = {"worker": registered["worker"], "secret": registered["secret"], "boot": "boot-s1"}
        await house.say("s1", op="register", types=["echo"], version=1, token=two, **again)
        await tokens.revoke(first.id)
        assert house.ended == []
        house.pages.ended("s1", house.clock.monotonic())
        await tokens.revoke(second.id)
        assert (house.ended, len(tokens.opened)) == ([], 0)

    at_house(test, token="sesame")


def test_what_is_opened_with_a_token_that_has_ended_meanwhile_ends_at_once() -> None:
    async def test(house: House, tokens: Access) -> None:
        token, _ = await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        await tokens.revoke(token.id)
        told = asyncio.Event()
        tokens.open(token.id, told.set)
        async with asyncio.timeout(5):
            await told.wait()

    at_house(test)


def test_another_token_of_the_settings_ends_what_was_opened_without_one_of_the_store() -> None:
    async def test(house: House, tokens: Access) -> None:
        told: list[str] = []
        token, _ = await tokens.make("scanner", SUBMIT, actor=Actor("anna"))
        tokens.open("", lambda: told.append("own"))
        tokens.open(token.id, lambda: told.append("scanner"))
        tokens.own_token_changed()
        assert told == ["own"]

    at_house(test)
