"""Pages join on a running dispatcher: a token for joining becomes the credential of one worker."""

from __future__ import annotations

import asyncio
import json

import pytest

from dispatcher.access.commands import JoinWorker
from dispatcher.access.credentials import MOST_CREDENTIALS, MOST_GIVEN, Credential
from dispatcher.access.tokens import digest_of
from dispatcher.errors import StorageFull
from tests.node.joining import ANN, at_house, comes, identity, joined, kept, made, refusal, used
from tests.support.house import House


def test_a_page_gets_an_identity_first_and_then_a_credential_for_one_use() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        known = await identity(house, "s1", text)
        assert (used(house, token), await kept(house)) == (0, []), "an identity costs nothing"
        told = await comes(house, "s1", join=text, **known)
        assert [message["op"] for message in told] == ["credential", "registered"]
        [one] = await kept(house)
        assert one == Credential(
            worker=known["worker"], token_id=token.id, at=house.clock.utc(),
            digests=(digest_of(told[0]["credential"].encode()),),
        )  # fmt: skip
        assert [t.used for t in await house.store.tokens()] == [used(house, token)] == [1]

    at_house(test)


def test_the_use_and_the_credential_are_written_by_one_command() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        known = await joined(house, "s1", text)
        [command] = [c for turn in house.store.turns for c in turn.commands if isinstance(c, JoinWorker)]
        assert (command.spends, command.credential.worker) == (True, known["worker"])

    at_house(test)


def test_a_page_comes_again_with_its_credential_and_spends_no_use() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1)
        known = await joined(house, "s1", text)
        [again] = await comes(house, "s2", boot="loaded-anew", after="boot-s1", **known)
        assert (again["op"], again["worker"]) == ("registered", known["worker"])
        [both] = await comes(house, "s3", boot="bookmark", after="loaded-anew", join=text, **known)
        assert both["op"] == "registered"
        assert (used(house, token), len((await kept(house))[0].digests)) == (1, 1)

    at_house(test)


def test_a_page_whose_answer_was_lost_joins_again_as_the_same_worker_at_no_cost() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1, expires_at=house.clock.utc() + 60.0)
        known = await identity(house, "s1", text)
        await comes(house, "s1", join=text, **known)  # nobody reads the answer: the page is loaded anew
        house.clock.advance(3_600.0)  # meanwhile the token is used up and has expired
        for number in range(MOST_GIVEN + 2):
            told = await comes(house, f"n{number}", boot=f"b{number}", after="boot-s1", join=text, **known)
            assert told[0]["op"] == "credential"
            await comes(house, f"n{number}", boot=f"b{number}", token=told[0]["credential"], **known)
        assert used(house, token) == 1
        [one] = await kept(house)
        assert len(one.digests) == MOST_GIVEN, "the store keeps a few, however often it asks"

    at_house(test)


def test_each_of_the_last_credentials_opens_and_an_older_one_does_not() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        known = await joined(house, "s1", text)
        given = [known["token"]]
        for _ in range(MOST_GIVEN):
            told = await comes(house, "s1", join=text, worker=known["worker"], secret=known["secret"])
            given.append(told[0]["credential"])
        joins = house.dispatcher.access.joins
        assert [bool(joins.shown(known["worker"], one.encode())) for one in given] == [False, True, True, True, True]

    at_house(test)


@pytest.mark.expect_log("join_used_up|token_ended")
def test_what_is_used_up_expired_or_revoked_lets_no_other_page_join() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1)
        await joined(house, "s1", text)
        code, words = refusal(await comes(house, "s2", join=text))
        assert (code, "1 of 1" in words) == ("join_used_up", True)
        _, ending = await made(house, expires_at=house.clock.utc() + 60.0)
        house.clock.advance(60.0)
        assert refusal(await comes(house, "s3", join=ending))[0] == "token_ended"
        await house.dispatcher.access.revoke(token.id, ANN)
        assert refusal(await comes(house, "s4", join=text))[0] == "token_ended"

    at_house(test)


@pytest.mark.expect_log("join_used_up")
def test_two_pages_at_once_do_not_share_the_last_use() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1)
        known = [await identity(house, sid, text) for sid in ("s1", "s2")]
        for sid, one in zip(("s1", "s2"), known, strict=True):
            body = {"op": "register", "types": ["echo"], "boot": sid, "version": 1, "join": text, **one}
            house.pages.message(sid, json.dumps(body), house.clock.monotonic())
        told = [[message["op"] for message in await house.hear(sid)] for sid in ("s1", "s2")]
        assert told == [["credential", "registered"], ["refused"]]
        assert (used(house, token), len(await kept(house))) == (1, 1)

    at_house(test)


def test_a_register_that_is_repeated_while_it_joins_spends_nothing_more() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=2)
        known = await identity(house, "s1", text)
        body = {"op": "register", "types": ["echo"], "boot": "s1", "version": 1, "join": text, **known}
        for _ in range(2):
            house.pages.message("s1", json.dumps(body), house.clock.monotonic())
        assert [m["op"] for m in await house.hear("s1")] == ["credential", "registered"]
        assert used(house, token) == 1

    at_house(test)


@pytest.mark.expect_log("the disk is full")
def test_a_turn_that_fails_gives_the_use_back_and_the_page_asks_again() -> None:
    async def test(house: House) -> None:
        token, text = await made(house, uses=1)
        known = await identity(house, "s1", text)
        house.store.trouble = StorageFull("the disk is full")
        house.pages.message(
            "s1", json.dumps({"op": "register", "types": ["echo"], "boot": "s1", "version": 1, "join": text, **known}),
            house.clock.monotonic(),
        )  # fmt: skip
        await house.dispatcher.idle()
        await asyncio.sleep(0)
        assert (house.told.pop("s1", []), used(house, token)) == ([], 0)
        house.store.trouble = None
        await house.pass_time(2.0)
        assert [m["op"] for m in await comes(house, "s1", join=text, **known)] == ["credential", "registered"]
        assert used(house, token) == 1

    at_house(test)


@pytest.mark.expect_log("token_ended|bad_token")
def test_a_credential_opens_the_identity_of_its_worker_and_no_other() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        first, second = await joined(house, "s1", text), await joined(house, "s2", text)
        stolen = second | {"token": first["token"]}
        assert refusal(await comes(house, "s3", boot="thief", **stolen))[0] == "token_ended"
        assert refusal(await comes(house, "s4", boot="thief", token=first["token"]))[0] == "token_ended"
        # Nor does the boot of another page, which is no secret.
        assert refusal(await comes(house, "s5", boot="boot-s2", **first))[0] == "bad_token"
        assert refusal(await comes(house, "s6", boot="boot-s2", token="s3cret"))[0] == "bad_token"
        [still] = await comes(house, "s2", **second)
        assert still["worker"] == second["worker"]

    at_house(test)


def test_a_second_window_with_the_same_credential_is_no_worker_of_its_own() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        known = await joined(house, "s1", text)
        assert await comes(house, "s2", boot="copy", **known) == []
        house.pages.heard("s1", house.clock.monotonic())  # the first window answers the probe
        code, words = refusal(await house.hear("s2"))
        assert (code, "another window" in words) == ("other_window", True)
        assert list(house.dispatcher.machine.workers) == [known["worker"]]

    at_house(test)


@pytest.mark.expect_log("bad_token")
def test_the_labels_and_types_of_the_token_hold_for_its_pages() -> None:
    async def test(house: House) -> None:
        _, text = await made(house, labels={"site": "berlin"}, types=("echo",))
        known = await identity(house, "s1", text)
        await comes(house, "s1", join=text, labels={"site": "paris", "floor": "2"}, **known)
        [worker] = house.dispatcher.machine.workers.values()
        assert worker.labels == (("floor", "2"), ("site", "berlin"))
        told = await comes(house, "s1", join=text, types=["other"], **known)
        assert refusal(told)[0] == "bad_token"

    at_house(test)


@pytest.mark.expect_log("token_ended")
def test_a_page_joins_anew_with_another_token_and_has_its_labels() -> None:
    async def test(house: House) -> None:
        one, text = await made(house, labels={"site": "berlin"})
        two, other = await made(house, labels={"site": "paris"})
        known = await joined(house, "s1", text)
        told = await comes(house, "s1", join=other, **known)
        assert [message["op"] for message in told] == ["credential", "registered"]
        assert (used(house, one), used(house, two)) == (1, 1)
        assert house.dispatcher.machine.workers[known["worker"]].labels == (("site", "paris"),)
        [kept_one] = await kept(house)
        assert (kept_one.token_id, len(kept_one.digests)) == (two.id, 1), "the first credential has ended"
        await house.dispatcher.access.revoke(two.id, ANN)
        back = await comes(house, "s2", boot="again", join=other, **known)
        assert refusal(back)[0] == "token_ended"

    at_house(test)


@pytest.mark.expect_log("bad_token")
def test_a_token_for_joining_opens_nothing_else() -> None:
    async def test(house: House) -> None:
        _, text = await made(house)
        code, words = refusal(await comes(house, "s1", token=text))
        assert (code, "#join=" in words) == ("bad_token", True)

    at_house(test)


@pytest.mark.expect_log("bad_token")
@pytest.mark.parametrize("join", ["x", "ph_aaaaaaaa_" + "A" * 43, "s3cret"])
def test_what_is_no_token_for_joining_is_refused(join: str) -> None:
    async def test(house: House) -> None:
        assert refusal(await comes(house, "s1", join=join)) == (
            "bad_token", "what the page sent is no token for joining: open it with #join=... at the end of its address"
        )  # fmt: skip

    at_house(test)


def test_an_open_server_keeps_the_labels_of_those_that_join_too() -> None:
    async def test(house: House) -> None:
        _, text = await made(house, labels={"site": "berlin"})
        known = await joined(house, "s1", text)
        assert house.dispatcher.machine.workers[known["worker"]].labels == (("site", "berlin"),)

    at_house(test, token="")


@pytest.mark.expect_log("join_used_up")
def test_there_are_no_more_workers_with_credentials_than_memory_is_meant_for() -> None:
    async def test(house: House) -> None:
        token, text = await made(house)
        many = [Credential(worker=f"w{n}", token_id=token.id, digests=(b"x" * 32,)) for n in range(MOST_CREDENTIALS)]
        house.dispatcher.access.joins._table.put(many)
        known = await identity(house, "s1", text)
        assert refusal(await comes(house, "s1", join=text, **known))[0] == "join_used_up"
        assert used(house, token) == 0

    at_house(test)
