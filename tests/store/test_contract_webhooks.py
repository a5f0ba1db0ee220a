"""The contract of a store: endpoints of webhooks, their messages, and the log of attempts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.jobs.turn import Cancel, TurnReport
from dispatcher.store.hooks import MOST_DEAD, MOST_DELIVERIES, MOST_READ
from dispatcher.webhooks.commands import DeleteEndpoint, PutEndpoint, Redeliver, SendMessage, Tried
from dispatcher.webhooks.endpoints import (
    Delivery,
    DeliveryOutcome,
    Endpoint,
    HookMessage,
    MessageCounts,
    callback_target,
)
from tests.store.contract import NOW, Desk, result
from tests.support.jobs import spec

ANNA = Actor("anna", "abcd1234", "192.0.2.7")
SHOP = Endpoint(
    id="shop", url="https://shop.example/x", events=frozenset({"job.succeeded", "job.cancelled"}), secret="whsec_YQ==",
    made_by="anna", made_at=NOW,
)  # fmt: skip


def turn(desk: Desk, endpoints: Sequence[Endpoint] = (SHOP,), **items: Any) -> TurnReport:
    """A turn of which these endpoints are told."""
    done: TurnReport = desk.run(desk.store.apply(replace(desk.make_turn(**items), endpoints=tuple(endpoints))))
    return done


def waiting(desk: Desk, target: str = "shop", most: int = 100) -> list[HookMessage]:
    found: list[HookMessage] = desk.run(desk.store.hooks.waiting(target, most))
    return found


def counts(desk: Desk) -> dict[str, MessageCounts]:
    found: dict[str, MessageCounts] = desk.run(desk.store.hooks.counts())
    return found


def log(desk: Desk, **wanted: Any) -> list[Delivery]:
    found: list[Delivery] = desk.run(desk.store.hooks.deliveries("shop", **wanted))
    return found


def told(desk: Desk, jobs: int = 1) -> list[HookMessage]:
    """Messages of jobs that were cancelled."""
    desk.command(PutEndpoint(SHOP))
    made = desk.submit(*[spec() for _ in range(jobs)])
    turn(desk, commands=[Cancel(job.id, "no") for job in made])
    return waiting(desk)


def tried(message: HookMessage, outcome: str, delay_s: float = 0.0, **fields: Any) -> Tried:
    disable = fields.pop("disable", None)
    known: dict[str, Any] = {"attempt": message.attempts + 1, "status": 500, "error": "no", "at": NOW, "ms": 7} | fields
    delivery = Delivery(
        message=message.id, endpoint=message.endpoint, event=message.event, job=message.job,
        outcome=DeliveryOutcome(outcome), **known,
    )  # fmt: skip
    return Tried(delivery, message.target, delay_s, disable)


def test_an_endpoint_is_kept_with_all_that_it_has(durable: Desk) -> None:
    whole = replace(
        SHOP,
        types=frozenset({"echo"}),
        old_secret="whsec_Yg==",
        old_until=NOW + 5,
        enabled=False,
        reason="no \u2603",
        name="x",
    )
    durable.command(PutEndpoint(SHOP))
    durable.command(PutEndpoint(whole))
    durable.reopen()
    assert durable.run(durable.store.hooks.endpoints()) == [whole]
    durable.command(DeleteEndpoint("shop"))
    assert durable.run(durable.store.hooks.endpoints()) == []


def test_a_change_and_its_message_are_written_in_one_turn(durable: Desk) -> None:
    durable.command(PutEndpoint(SHOP))
    (job,) = durable.submit(spec())
    report = turn(durable, commands=[Cancel(job.id, "wrong printer", ANNA)])
    assert report.told == {"shop"}
    durable.reopen()
    (message,) = waiting(durable)
    assert (message.endpoint, message.event, message.job, message.attempts) == ("shop", "job.cancelled", job.id, 0)
    body = json.loads(message.body)
    assert (body["type"], body["timestamp"]) == ("job.cancelled", "2027-01-15T08:00:00.002Z")
    assert {name: body["data"][name] for name in ("id", "state", "previous_state", "detail", "actor", "tags")} == {
        "id": job.id, "state": "cancelled", "previous_state": "queued", "detail": "wrong printer", "actor": "anna",
        "tags": [],
    }  # fmt: skip
    assert "data" not in body["data"]
    assert durable.run(durable.store.hooks.targets()) == {"shop": pytest.approx(0.0, abs=0.01)}


def test_only_what_an_endpoint_has_asked_for_is_written(desk: Desk) -> None:
    other = replace(SHOP, id="other", types=frozenset({"fax"}))
    off = replace(SHOP, id="off", enabled=False)
    everything = replace(SHOP, id="all", events=frozenset({"job.queued", "job.running", "job.succeeded"}))
    for endpoint in (SHOP, other, off, everything):
        desk.command(PutEndpoint(endpoint))
    endpoints = [SHOP, other, off, everything]
    turn(desk, endpoints, submissions=[spec()])
    claim = desk.claim_one()
    turn(desk, endpoints, reports=[result(claim.attempt)])
    assert [message.event for message in waiting(desk, "shop")] == ["job.succeeded"]
    assert [message.event for message in waiting(desk, "all")] == ["job.queued", "job.succeeded"]
    assert waiting(desk, "other") == waiting(desk, "off") == []
    assert len({message.id for name in ("shop", "all") for message in waiting(desk, name)}) == 3


def test_a_turn_that_nobody_hears_of_writes_no_message(desk: Desk) -> None:
    (job,) = desk.submit()
    assert turn(desk, (), commands=[Cancel(job.id, "")]).told == frozenset()
    assert desk.run(desk.store.hooks.targets()) == counts(desk) == {}


def test_a_message_goes_when_it_was_delivered(desk: Desk) -> None:
    (message,) = told(desk)
    desk.command(tried(message, "delivered", status=200, error=None))
    assert waiting(desk) == []
    assert counts(desk) == {}
    (line,) = log(desk)
    assert (line.message, line.attempt, line.status, line.ms, line.outcome) == (message.id, 1, 200, 7, "delivered")
    assert log(desk, failed=True) == []


def test_a_message_that_failed_waits_by_the_queue_clock(durable: Desk) -> None:
    (message,) = told(durable)
    durable.command(tried(message, "failed", 300.0))
    (again,) = waiting(durable)
    assert (again.attempts, again.body) == (1, message.body)
    assert again.due_s == pytest.approx(durable.elapsed_s + 300.0, abs=0.01)
    durable.pass_time(100.0)
    durable.turn()
    durable.pass_time(0.001)
    durable.reopen()
    durable.now_at += 86_400  # the server was off, and the wait goes on where it was
    (again,) = waiting(durable)
    assert again.due_s == pytest.approx(200.0, abs=0.1)


def test_a_dead_message_is_sent_no_more_until_somebody_asks_for_it(desk: Desk) -> None:
    first, second = told(desk, 2)
    for message in (first, second):
        desk.command(tried(message, "dead", attempt=10))
    assert waiting(desk) == []
    assert counts(desk) == {"shop": MessageCounts(0, 2)}
    dead = desk.run(desk.store.hooks.dead("shop"))
    assert [message.id for _, message in dead] == [second.id, first.id]
    assert [message.id for _, message in desk.run(desk.store.hooks.dead("shop", dead[0][0]))] == [first.id]
    report = turn(desk, commands=[Redeliver("shop", (first.id,))])
    assert report.told == {"shop"}
    assert [(message.id, message.attempts) for message in waiting(desk)] == [(first.id, 0)]
    desk.command(Redeliver("shop"))
    assert {message.id for message in waiting(desk)} == {first.id, second.id}
    assert counts(desk) == {"shop": MessageCounts(2, 0)}


def test_a_waiting_message_can_be_sent_at_once(desk: Desk) -> None:
    (message,) = told(desk)
    desk.command(tried(message, "failed", 300.0))
    desk.command(Redeliver("elsewhere", (message.id,)))
    assert (waiting(desk)[0].due_s or 0) > 200
    desk.command(Redeliver("shop", (message.id,)))
    (again,) = waiting(desk)
    assert again.attempts == 1
    assert again.due_s == pytest.approx(desk.elapsed_s, abs=0.01)


def test_messages_come_by_the_instant_at_which_they_are_due(desk: Desk) -> None:
    first, second, third = told(desk, 3)
    desk.command(tried(first, "failed", 5.0))
    assert [message.id for message in waiting(desk)] == [second.id, third.id, first.id]
    assert [message.id for message in waiting(desk, most=2)] == [second.id, third.id]


def test_an_attempt_at_a_message_that_is_gone_is_nothing(desk: Desk) -> None:
    (message,) = told(desk)
    desk.turn(commands=[tried(message, "delivered"), tried(message, "delivered"), tried(message, "failed", 5.0)])
    assert (len(log(desk)), waiting(desk), counts(desk)) == (1, [], {})


def test_a_receiver_that_wants_no_more_is_switched_off(desk: Desk) -> None:
    (message,) = told(desk)
    desk.command(tried(message, "dead", disable="gone"))
    (endpoint,) = desk.run(desk.store.hooks.endpoints())
    assert (endpoint.enabled, endpoint.reason) == (False, "gone")


def test_an_endpoint_goes_with_its_messages_and_its_log(desk: Desk) -> None:
    first, second, _ = told(desk, 3)
    desk.turn(commands=[tried(first, "dead"), tried(second, "failed", 1.0)])
    desk.command(DeleteEndpoint("shop", ANNA))
    assert (waiting(desk), log(desk), counts(desk)) == ([], [], {})
    assert desk.run(desk.store.hooks.targets()) == {}
    assert desk.run(desk.store.hooks.dead("shop")) == []


def test_the_log_and_the_dead_list_have_an_end(desk: Desk) -> None:
    desk.command(PutEndpoint(SHOP))
    message = HookMessage(id="", endpoint="shop", target="shop", event="ping", body="{}", at=NOW)
    many = [replace(message, id=f"m{number}") for number in range(MOST_DEAD + 5)]
    desk.turn(commands=[SendMessage(one) for one in many])
    desk.turn(commands=[tried(one, "dead") for one in many])
    assert counts(desk) == {"shop": MessageCounts(0, MOST_DEAD)}
    found, below = 0, None
    while page := log(desk, below=below):
        assert len(page) <= MOST_READ
        found, below = found + len(page), page[-1].number
    assert found == MOST_DELIVERIES
    newest = desk.run(desk.store.hooks.dead("shop"))
    assert [one.id for _, one in newest[:2]] == [many[-1].id, many[-2].id]


def test_of_more_messages_than_may_wait_those_that_are_due_first_are_dead(desk: Desk) -> None:
    desk.reopen(webhook_backlog=3)
    first, *_ = told(desk, 3)
    desk.command(tried(first, "failed", 60.0))
    second, third, _ = waiting(desk)
    told(desk, 2)
    assert counts(desk) == {"shop": MessageCounts(3, 2)}
    assert [one.id for _, one in desk.run(desk.store.hooks.dead("shop"))] == [third.id, second.id]
    desk.command(tried(second, "delivered"))
    assert counts(desk) == {"shop": MessageCounts(3, 2)}, "it was on its way when it was given up"
    desk.command(Redeliver("shop"))
    assert counts(desk) == {"shop": MessageCounts(5, 0)}
    assert first.id in [one.id for one in waiting(desk)]


def test_what_administrators_do_is_in_the_audit_log_without_secrets(desk: Desk) -> None:
    message = HookMessage(id="m", endpoint="shop", target="shop", event="ping", body="{}", at=NOW)
    desk.command(PutEndpoint(SHOP, ANNA, "webhook.make"))
    desk.command(SendMessage(message, ANNA))
    desk.command(Redeliver("shop", ("m",), ANNA))
    desk.command(Redeliver("shop", (), ANNA))
    desk.command(DeleteEndpoint("shop", ANNA))
    acts = desk.run(desk.store.acts(AuditFilter())).items
    actions = ["webhook.delete", "webhook.redeliver", "webhook.redeliver", "webhook.test", "webhook.make"]
    assert [act.action for act in acts] == actions
    assert "whsec" not in "".join(act.detail for act in acts)


def test_text_that_cannot_be_stored_fails_no_other_item(desk: Desk) -> None:
    bad = PutEndpoint(replace(SHOP, name="\ud800"))
    first, second = desk.turn(commands=[bad, PutEndpoint(SHOP)]).commands
    assert (first.done, second.done) == (False, True)
    assert desk.run(desk.store.hooks.endpoints()) == [SHOP]


BACK = "https://Caller.example/done?order=1"
TARGET = "callbacks caller.example:443"


def called_back(desk: Desk, url: str = BACK) -> list[HookMessage]:
    """The messages of a job with a callback that was cancelled."""
    (job,) = desk.submit(spec(callback_url=url))
    turn(desk, endpoints=(), commands=[Cancel(job.id, "no")])
    return waiting(desk, callback_target(url))


def test_a_callback_is_written_in_the_turn_of_its_jobs_end_and_in_no_other(durable: Desk) -> None:
    durable.command(PutEndpoint(SHOP))
    (job,) = durable.submit(spec(callback_url=BACK))
    assert waiting(durable, TARGET) == []
    done = turn(durable, commands=[Cancel(job.id, "no")])
    assert done.told == {"shop", TARGET}
    durable.reopen()
    (message,) = waiting(durable, TARGET)
    assert (message.endpoint, message.url, message.event, message.job) == ("callbacks", BACK, "job.cancelled", job.id)
    (other,) = waiting(durable)
    assert (other.url, other.body) == (None, message.body)
    assert message.id != other.id
    assert counts(durable) == {"shop": MessageCounts(pending=1), "callbacks": MessageCounts(pending=1)}
    assert set(durable.run(durable.store.hooks.targets())) == {"shop", TARGET}


def test_a_callback_dies_and_comes_back_as_other_messages_do(desk: Desk) -> None:
    (message,) = called_back(desk)
    desk.command(tried(message, "dead"))
    assert counts(desk) == {"callbacks": MessageCounts(dead=1)}
    (line,) = desk.run(desk.store.hooks.deliveries("callbacks"))
    assert (line.message, line.outcome) == (message.id, DeliveryOutcome.DEAD)
    ((_, dead),) = desk.run(desk.store.hooks.dead("callbacks"))
    assert (dead.url, dead.target) == (BACK, TARGET)
    desk.command(Redeliver("callbacks"))
    (again,) = waiting(desk, TARGET)
    assert (again.id, again.attempts, again.url) == (message.id, 0, BACK)
    desk.command(tried(again, "delivered"))
    assert counts(desk) == {}


def test_it_is_known_which_messages_an_endpoint_has(desk: Desk) -> None:
    first, second = told(desk, 2)
    desk.command(tried(second, "dead"))
    known = desk.run(desk.store.hooks.known("shop", [first.id, second.id, "msg_none", "\u2603"]))
    assert known == {first.id, second.id}
    assert desk.run(desk.store.hooks.known("other", [first.id])) == set()


def test_the_oldest_message_that_waits_is_known(desk: Desk) -> None:
    assert desk.run(desk.store.hooks.oldest()) is None
    first = told(desk)[0]
    desk.now_at += 60
    second = told(desk)[-1]
    assert second.at > first.at + 59
    assert desk.run(desk.store.hooks.oldest()) == first.at
    desk.command(tried(first, "dead"))
    assert desk.run(desk.store.hooks.oldest()) == second.at
    desk.command(tried(second, "delivered"))
    assert desk.run(desk.store.hooks.oldest()) is None
