"""Workers that have joined: what ends a credential, and what does not."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import AuditFilter
from dispatcher.access.commands import EndCredentials
from dispatcher.node.access import Access
from tests.node.joining import ANN, at_house, comes, identity, joined, kept, made, refusal, used
from tests.support.house import House


def test_a_token_that_expires_or_is_used_up_ends_no_page_that_has_joined() -> None:
    async def test(house: House) -> None:
        _, text = await made(house, uses=1, expires_at=house.clock.utc() + 60.0)
        known = await joined(house, "s1", text)
        await house.pass_time(120.0)
        assert house.ended == []
        [again] = await comes(house, "s2", boot="anew", after="boot-s1", **known)
        assert again["op"] == "registered"

    at_house(test)


@pytest.mark.expect_log("token_ended")
def test_a_revoked_token_ends_the_pages_that_have_joined_with_it_and_no_others() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        _, other = await made(house)
        known, stays = await joined(house, "s1", text), await joined(house, "s2", other)
        await house.dispatcher.access.revoke(token.id, ANN)
        assert (set(house.ended), refusal(await house.hear("s1"))[0]) == ({"s1"}, "token_ended")
        assert [one.worker for one in await kept(house)] == [stays["worker"]]
        assert refusal(await comes(house, "s3", boot="anew", **known))[0] == "token_ended"

    at_house(test)


@pytest.mark.expect_log("token_ended")
def test_a_worker_that_joins_in_the_turn_that_revokes_its_token_gets_nothing() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        known = await identity(house, "s1", text)
        revoking = asyncio.ensure_future(house.dispatcher.access.revoke(token.id, ANN))
        await asyncio.sleep(0)
        told = await comes(house, "s1", join=text, **known)
        await revoking
        told += await house.hear("s1")
        assert refusal(told)[0] == "token_ended"
        assert (await kept(house), house.dispatcher.access.joins.of(known["worker"])) == ([], None)

    at_house(test)


@pytest.mark.expect_log("token_ended")
def test_who_ends_one_credential_ends_one_page() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        known, stays = await joined(house, "s1", text), await joined(house, "s2", text)
        one = await house.dispatcher.orders.end_credential(known["worker"], actor=ANN)
        assert (one.joined, set(house.ended)) == (None, {"s1"})
        assert refusal(await house.hear("s1"))[0] == "token_ended"
        assert [one.worker for one in await kept(house)] == [stays["worker"]]
        # While the token works its page may join anew: that is another use.
        told = await comes(house, "s3", boot="anew", **known)
        assert refusal(told)[0] == "token_ended"
        assert used(house, token) == 2

    at_house(test)


def test_a_blocked_worker_must_join_anew_and_spends_no_use_while_it_is_blocked() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=5)
        known = await joined(house, "s1", text)
        await house.dispatcher.orders.block(known["worker"], "lost", actor=ANN)
        assert (await kept(house), house.dispatcher.access.joins.of(known["worker"])) == ([], None)
        assert refusal(await comes(house, "s2", boot="anew", join=text, **known))[0] == "blocked"
        assert used(house, token) == 1
        await house.dispatcher.orders.unblock(known["worker"], actor=ANN)
        told = await comes(house, "s3", boot="anew", join=text, **known)
        assert [message["op"] for message in told] == ["credential", "registered"]
        assert used(house, token) == 2

    at_house(test)


def test_a_new_life_knows_who_has_joined_and_forgets_those_of_revoked_tokens() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        known = await joined(house, "s1", text)
        other = Access(house.store, house.clock, house.dispatcher._turns)
        await other.start()
        assert other.joins.shown(known["worker"], known["token"].encode()) == other.one(token.id)
        house.store.rows.tokens._tokens[token.id] = replace(token, revoked_at=1.0)
        later = Access(house.store, house.clock, house.dispatcher._turns)
        await later.start()
        assert later.joins.of(known["worker"]) is None

    at_house(test)


def test_old_tokens_for_joining_make_room_only_when_nobody_has_joined_with_them() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1)
        await joined(house, "s1", text)
        holds = house.dispatcher.access.one(token.id)
        assert (holds.works(house.clock.utc()), holds.holds(house.clock.utc())) == (False, True)
        assert not replace(holds, revoked_at=1.0).holds(house.clock.utc())
        assert not replace(holds, used=0, expires_at=1.0).holds(house.clock.utc())

    at_house(test)


def test_the_audit_log_has_who_joined_and_whose_credential_was_ended() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        known = await joined(house, "s1", text)
        await house.dispatcher.orders.end_credential(known["worker"], "stolen", actor=ANN)
        acts = [(a.action, a.actor.name, a.target, a.detail) for a in (await house.store.acts(AuditFilter())).items]
        assert acts[:2] == [
            ("worker.end_credential", "ann", known["worker"], "stolen"), ("worker.join", "berlin", known["worker"], "")
        ]  # fmt: skip
        commands = [c for turn in house.store.turns for c in turn.commands]
        assert EndCredentials((known["worker"],), ANN, "stolen") in commands
        assert text not in repr(commands)
        assert known["token"] not in repr(commands)

    at_house(test)
