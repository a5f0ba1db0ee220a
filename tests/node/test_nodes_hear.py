"""What people do at one node the others hear: pauses, blocks, types, tokens, webhooks (S36, S38, S40)."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.jobs.views.changes import ChangeFilter
from dispatcher.core.jobs.views.telling import WORKERS_COMPLETE, WORKERS_MISSED, RollEvent
from dispatcher.node.rollcalls import LOOK_S
from tests.node.nodes import credentials, two_nodes
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)
ANN = Actor("ann", "", "10.0.0.1")


async def test_each_node_shows_the_workers_of_all_by_name_and_says_which_node_has_them() -> None:
    async with two_nodes() as nodes:
        for number in range(3):
            await nodes.a.register(f"a{number}", name=f"DESK-{2 * number}", labels={"site": "berlin"})
            await nodes.b.register(f"b{number}", name=f"DESK-{2 * number + 1}")
        await nodes.beat()
        found: list[tuple[str, str]] = []
        cursor: str | None = None
        while True:
            page = await nodes.a.dispatcher.known_workers(WorkerFilter(limit=2, cursor=cursor))
            found += [(worker.name, worker.node) for worker in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == [(f"DESK-{number}", "ab"[number % 2]) for number in range(6)]
        berlin = await nodes.b.dispatcher.known_workers(WorkerFilter(label="site:berlin", type="echo"))
        assert [worker.node for worker in berlin.items] == ["a", "a", "a"]
        nodes.a.pages.message("a0", '{"op":"bye"}', nodes.a.clock.monotonic())
        await nodes.beat()
        names = [
            worker.name for worker in (await nodes.b.dispatcher.known_workers(WorkerFilter(state="connected"))).items
        ]
        assert names == [f"DESK-{number}" for number in range(1, 6)]


async def test_orders_for_a_worker_of_another_node_reach_its_page() -> None:
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1")
        await nodes.beat()
        orders = nodes.b.dispatcher.orders
        shown = await orders.pause(who["worker"], "lunch", actor=ANN)
        assert (shown.shown.node, shown.shown.paused) == ("a", True)
        await nodes.beat(nodes.a)
        job = await nodes.a.submit()
        told = await nodes.a.hear("s1")
        assert [message["op"] for message in told] == ["hold"]
        await orders.resume(who["worker"], actor=ANN)
        await nodes.beat(nodes.a)
        assert [message["id"] for message in await nodes.a.hear("s1") if message["op"] == "job"] == [job.id]
        await orders.describe(who["worker"], actor=ANN, name="DESK-9")
        await orders.reload(who["worker"], actor=ANN, at_once=True)
        await nodes.beat(nodes.a)
        told = await nodes.a.hear("s1")
        assert [message["op"] for message in told] == ["registered", "reload"]
        assert told[0]["name"] == "DESK-9"


async def test_followers_at_each_node_hear_who_is_missed_at_any() -> None:
    async with two_nodes() as nodes:
        await nodes.a.register("s1", name="DESK-1")
        await nodes.beat()
        wanted = ChangeFilter(event=frozenset({WORKERS_MISSED, WORKERS_COMPLETE}))
        followers = [house.dispatcher.feed.follow(wanted, None) for house in (nodes.a, nodes.b)]

        async def told() -> list[list[tuple[str, list[str]]]]:
            for house in (nodes.a, nodes.b):
                await house.pass_time(LOOK_S)
                looking = house.dispatcher.rolls._looking
                assert looking is not None
                await looking
            found = [[item.event for item in follower.take().items] for follower in followers]
            rolls = [[event for event in events if isinstance(event, RollEvent)] for events in found]
            return [[(roll.name, [one.name for one in roll.workers]) for roll in events] for events in rolls]

        nodes.sql("UPDATE workers SET habit = repeat('1', 168), habit_before = repeat('1', 168)")
        await nodes.a.say("s1", op="bye")
        await nodes.beat()
        nodes.sql("UPDATE workers SET gone_at = gone_at - 121 WHERE gone_at IS NOT NULL")
        assert await told() == [[(WORKERS_MISSED, ["DESK-1"])]] * 2
        await nodes.b.register("s2", name="DESK-1")
        await nodes.beat()
        assert await told() == [[(WORKERS_COMPLETE, [])]] * 2
        for follower in followers:
            assert follower.take().items == []


async def test_a_type_that_is_paused_at_one_node_is_offered_by_none_until_it_is_resumed() -> None:
    async with two_nodes() as nodes:
        await nodes.a.register("s1")
        await nodes.b.dispatcher.types.pause("echo", "lunch", actor=ANN)
        await nodes.beat(nodes.a)
        job = await nodes.a.submit()
        assert not [message for message in await nodes.a.hear("s1") if message["op"] == "job"]
        await nodes.b.dispatcher.types.resume("echo", actor=ANN)
        await nodes.beat(nodes.a)
        assert [message["id"] for message in await nodes.a.hear("s1") if message["op"] == "job"] == [job.id]


async def test_a_token_that_is_made_or_revoked_at_one_node_opens_or_closes_all() -> None:
    async with two_nodes() as nodes:
        a, b = nodes.a.dispatcher.access, nodes.b.dispatcher.access
        token, text = await a.make("till", (Scope.SUBMIT,), actor=ANN)
        await nodes.beat(nodes.b)
        await eventually(lambda: b.find(text.encode()), what="b knows the token")
        ended: list[str] = []
        b.open(token.id, lambda: ended.append(token.id))
        await a.revoke(token.id, ANN)
        await nodes.beat(nodes.b)
        await eventually(lambda: b.find(text.encode()) is None, what="it opens nothing at b")
        await eventually(lambda: ended == [token.id], what="and what it had opened ends")


async def test_the_last_use_of_a_token_for_joining_is_given_by_one_of_two_nodes() -> None:
    async with two_nodes() as nodes:
        token, _ = await nodes.a.dispatcher.access.make("desks", (Scope.WORKER,), actor=ANN, uses=1)
        await nodes.beat(nodes.b)
        other = nodes.b.dispatcher.access
        await eventually(lambda: other.get(token.id), what="b knows the token")
        told: list[object] = []
        for house, worker in ((nodes.a, "worker-a"), (nodes.b, "worker-b")):
            access = house.dispatcher.access
            access.joins.join(access.one(token.id), worker, "10.0.0.9", told.append)
        await eventually(lambda: len(told) == 2, what="both are told")
        assert sorted(isinstance(one, str) for one in told) == [False, True]
        [refused] = [one for one in told if not isinstance(one, str)]
        assert getattr(refused, "code", "") == "join_used_up"
        assert nodes.sql("SELECT used FROM tokens") == [(1,)]
        assert nodes.sql("SELECT count(*) FROM credentials") == [(1,)]


async def test_a_worker_that_is_blocked_at_one_node_is_turned_away_at_another() -> None:
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1", boot="b1")
        await nodes.a.dispatcher.orders.block(who["worker"], "stolen", actor=ANN)
        await nodes.beat(nodes.b)
        nodes.b.open("s2")
        body = {"types": ["echo"], "boot": "b1", "version": 1, "token": ""} | credentials(who)
        told = await nodes.b.say("s2", op="register", **body)
        assert [(message["op"], message["code"]) for message in told] == [("refused", "blocked")]


async def test_a_webhook_that_is_made_at_one_node_hears_of_the_changes_of_another() -> None:
    async with two_nodes() as nodes:
        await nodes.a.dispatcher.webhooks.make(
            "https://example.org/hook", events=["job.queued"], types=[], name="", made_by="ann", actor=ANN
        )
        await nodes.beat(nodes.b)
        await eventually(lambda: nodes.b.dispatcher._turns.endpoints, what="b knows the webhook")
        await nodes.b.submit()
        assert nodes.sql("SELECT event FROM messages") == [("job.queued",)]


async def test_of_two_nodes_one_sends_and_when_it_is_gone_the_other() -> None:
    async with two_nodes() as nodes:
        leads = [house.dispatcher._turns.outcomes.leads for house in (nodes.a, nodes.b)]
        assert leads == [True, False]
        nodes.falls_silent("a")
        await nodes.beat(nodes.b)
        assert nodes.b.dispatcher._turns.outcomes.leads
