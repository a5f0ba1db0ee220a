"""One worker over the API: what operators order of it counts at once and is kept."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.terms import MOST_LABELS
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test(timeout=30)


async def join(house: House, sid: str = "s1", task: str = "echo", **fields: Any) -> tuple[str, dict[str, Any]]:
    """A page; its worker's address, and what proves it."""
    known = await house.register(sid, task, **({"name": "desk", "labels": {"floor": "2"}} | fields))
    return f"/api/v1/workers/{known['worker']}", {"worker": known["worker"], "secret": known["secret"]}


async def order(ask: Ask, address: str, **body: Any) -> Any:
    response = await ask(address, "POST", json=body)
    assert response.code == 200, response.body
    return body_of(response)


async def test_a_paused_worker_gets_no_job_until_it_is_resumed(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    shown = await order(ask, f"{address}/pause", reason="lunch")
    assert (shown["paused"], shown["page_paused"], shown["held"]["reason"]) == (True, False, "lunch")
    [told] = await house.hear("s1")
    since_ms = round(1_000 * house.clock.utc())
    assert told == {"op": "hold", "paused": True, "by": "api", "reason": "lunch", "since_ms": since_ms}
    job = await house.submit("echo")
    assert await house.hear("s1") == []
    told = body_of(await ask(f"/api/v1/jobs/{job.id}"))
    assert told["waits"] == "1 worker offers the type echo, but it is paused by api: lunch"
    assert (await order(ask, f"{address}/resume"))["held"] is None
    assert [message["op"] for message in await house.hear("s1")] == ["hold", "job"]


async def test_its_comings_and_goings_are_told_the_newest_first(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    await house.pass_time(2.0)
    house.pages.away("s1", house.clock.monotonic())
    [gone, came] = body_of(await ask(address))["lately"]
    assert ((gone["event"], came["event"]), came["ago_s"]) == (("away", "connected"), 2.0)


async def test_what_an_operator_says_wins_over_the_page_and_is_taken_back_by_null(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    said = {"name": "DESK-7", "note": "the door", "labels": {"site": "berlin", "floor": "3"}}
    shown = body_of(await ask(address, "PATCH", json=said))
    assert (shown["name"], shown["page_name"], shown["note"]) == ("DESK-7", "desk", "the door")
    assert (shown["labels"], shown["page_labels"]) == ({"floor": "3", "site": "berlin"}, {"floor": "2"})
    assert [message["name"] for message in await house.hear("s1")] == ["DESK-7"]
    shown = body_of(await ask(address, "PATCH", json={"name": None, "labels": {"floor": None}}))
    assert (shown["name"], shown["labels"]) == ("desk", {"floor": "2", "site": "berlin"})
    assert (await ask(address, "PATCH", json={"labels": {"name": "x"}})).code == 422


async def test_an_operator_gives_a_worker_no_more_labels_than_a_page_may_have(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    many = {f"a{number}": "1" for number in range(MOST_LABELS)}
    assert (await ask(address, "PATCH", json={"labels": many})).code == 200
    answer = await ask(address, "PATCH", json={"labels": {"b": "1"}})
    assert (answer.code, body_of(answer)["errors"][0]["pointer"]) == (422, "#/labels")
    assert body_of(await ask(address))["labels"] == many | {"floor": "2"}
    assert (await ask(address, "PATCH", json={"labels": {"a0": None, "b": "1"}})).code == 200


async def test_it_is_kept_over_restarts_of_the_page_and_of_the_server(ask: Ask, house: House) -> None:
    address, proof = await join(house)
    await order(ask, f"{address}/pause", reason="lunch")
    after = await House(store=house.store).start()
    kept = (await after.dispatcher.orders.one(proof["worker"])).shown
    assert (kept.id, kept.name, kept.state, kept.paused) == (proof["worker"], "desk", "gone", True)
    await after.register("s9", "echo", name="desk", **proof)
    assert [message["op"] for message in await after.hear("s9")] == ["hold"]
    await after.submit("echo")
    assert await after.hear("s9") == []


async def test_a_worker_that_drains_is_told_to_leave(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    assert (await order(ask, f"{address}/drain", reason="a new PC"))["held"]["leaves"] is True
    [told] = await house.hear("s1")
    wanted = {"op": "hold", "paused": True, "by": "api", "reason": "a new PC", "leave": True}
    assert told == wanted | {"since_ms": round(1_000 * house.clock.utc())}


async def test_a_blocked_page_is_turned_away_until_it_is_unblocked(ask: Ask, house: House) -> None:
    address, proof = await join(house)
    shown = await order(ask, f"{address}/block", reason="not ours")
    assert (shown["state"], shown["name"], shown["blocked"]["reason"]) == ("gone", "desk", "not ours")
    refused = {"op": "refused", "code": "blocked", "detail": "this worker was blocked by api: not ours"}
    assert await house.hear("s1") == [refused]
    house.open("s2")
    again = {"op": "register", "version": 1, "boot": "b2", "types": ["echo"], "token": house.settings.token, **proof}
    assert await house.say("s2", **again) == [refused]
    assert (await order(ask, f"{address}/unblock"))["blocked"] is None
    assert [message["op"] for message in await house.say("s2", **again)] == ["registered"]


async def test_a_page_reloads_when_it_is_idle_or_at_once(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    assert (await order(ask, f"{address}/reload"))["reloads"] is True
    assert await house.hear("s1") == [{"op": "reload", "idle": True}]
    await order(ask, f"{address}/reload", now=True)
    assert await house.hear("s1") == [{"op": "reload"}]
    house.pages.ended("s1", house.clock.monotonic())
    assert (await ask(f"{address}/reload", "POST", json={})).code == 409


async def test_each_order_is_one_act_of_whoever_asked(ask: Ask, house: House) -> None:
    address, proof = await join(house, "s1", "print-label")
    await order(ask, f"{address}/pause", reason="lunch")
    await order(ask, f"{address}/resume", reason="back")
    await order(ask, f"{address}/reload", now=True)
    await order(ask, f"{address}/reload", now=True, reason="stuck")
    await order(ask, f"{address}/reload", reason="a new driver")
    await ask(address, "PATCH", json={"note": "x"})
    await ask(address, "PATCH", json={"name": "DESK-7", "labels": {"floor": None}, "reason": " it moved "})
    await ask(address, "PATCH", json={"joined": None, "reason": "stolen"})
    await ask(f"{address}/test", "POST", json={"reason": "a new printer"})
    await order(ask, f"{address}/block", reason="not ours")
    await order(ask, f"{address}/unblock", reason="ours after all")
    acts = (await house.dispatcher.access.acts(AuditFilter(target=proof["worker"]))).items
    assert [(act.action.removeprefix("worker."), act.detail) for act in reversed(acts)] == [
        ("pause", "lunch"), ("resume", "back"), ("reload", "at once"), ("reload", "at once: stuck"),
        ("reload", "a new driver"), ("change", '{"note":"x"}'),
        ("change", '{"reason":"it moved","name":"DESK-7","labels":{"floor":null}}'), ("test", "a new printer"),
        ("block", "not ours"), ("unblock", "ours after all"),
    ]  # fmt: skip


@pytest.mark.parametrize("verb", ["resume", "unblock", "reload", "test", "forget"])
async def test_a_reason_is_one_short_line(ask: Ask, house: House, verb: str) -> None:
    address, _ = await join(house)
    for reason in ("two\nlines", "w" * 201):
        assert (await ask(f"{address}/{verb}", "POST", json={"reason": reason})).code == 422
    assert (await ask(address, "PATCH", json={"reason": "two\nlines"})).code == 422


async def test_a_test_job_is_a_new_job_for_this_worker_with_the_reason_in_its_summary(ask: Ask, house: House) -> None:
    await join(house, "s0", "print-label", name="other")
    address, _ = await join(house, "s1", "print-label")
    keyed = {"Idempotency-Key": "t-1"}
    answer = await ask(f"{address}/test", "POST", json={"reason": "a new printer"}, headers=keyed)
    job = body_of(answer)
    assert (answer.code, answer.headers["Location"]) == (201, f"/api/v1/jobs/{job['id']}")
    assert (job["type"], job["requires"]) == ("print-label", {"name": "desk"})
    assert (job["summary"], job["data"]) == ("Test job: a new printer", {"order": 7, "copies": 1})
    again = await ask(f"{address}/test", "POST", json={"reason": "a new printer"}, headers=keyed)
    assert (again.code, body_of(again)["id"]) == (200, job["id"])
    acts = body_of(await ask("/api/v1/audit?action=worker.test"))["items"]
    assert [act["detail"] for act in acts] == ["a new printer"], "a second answer is no second act"


async def test_a_test_job_that_cannot_be_is_refused_in_words(ask: Ask, house: House) -> None:
    address, _ = await join(house)
    unknown = await ask(f"{address}/test", "POST", json={"type": "own"})
    assert (unknown.code, body_of(unknown)["errors"][0]["pointer"]) == (422, "#/type")
    other = await ask(f"{address}/test", "POST", json={"type": "print-label"})
    assert (other.code, "offers no such task" in body_of(other)["detail"]) == (409, True)


async def test_its_newest_jobs_are_shown_with_their_errors_and_those_of_a_namesake_are_not(
    ask: Ask, house: House
) -> None:
    tried = await take(house, await submit(house, "mine"), "twin")
    await tried.say("accept")
    worker = (await house.dispatcher.job("mine")).worker
    assert (await ask(f"/api/v1/workers/{worker}", "PATCH", json={"note": "kept"})).code == 200
    await tried.error("out of <paper>", retry=False)
    other = await take(house, await submit(house, "other"), "twin")
    await other.say("accept")
    (mine,) = body_of(await ask(f"/api/v1/workers/{worker}"))["recent"]
    assert (mine["id"], mine["state"], mine["error"]["message"]) == ("mine", "failed", "out of <paper>")
    page = await ask(f"/workers/{worker}", headers={"Accept": "text/html"})
    assert "out of &lt;paper&gt;" in page.body.decode()
    assert 'href="/jobs/other"' not in page.body.decode()
    await other.leave()


async def test_no_more_than_fifty_of_its_jobs_are_shown(ask: Ask, house: House) -> None:
    address, _ = await join(house, slots=60)
    for _ in range(51):
        await house.submit("echo")
    for message in await house.hear("s1"):
        await house.say("s1", op="accept", attempt=message["attempt"])
    recent = body_of(await ask(address))["recent"]
    assert len({job["id"] for job in recent}) == len(recent) == 50


async def test_a_worker_that_will_not_come_back_is_forgotten_and_one_that_is_here_or_blocked_is_not(
    ask: Ask, house: House
) -> None:
    address, proof = await join(house)
    await order(ask, f"{address}/pause", reason="broken")
    here = await ask(f"{address}/forget", "POST", json={})
    assert (here.code, "the worker is here" in body_of(here)["detail"]) == (409, True)
    await order(ask, f"{address}/block", reason="not ours")
    await house.pass_time(house.settings.store_check_s)
    blocked = await ask(f"{address}/forget", "POST", json={})
    assert (blocked.code, "unblock it first" in body_of(blocked)["detail"]) == (409, True)
    await order(ask, f"{address}/unblock")
    assert [worker["name"] for worker in body_of(await ask("/api/v1/workers"))["items"]] == ["desk"]
    shown = await order(ask, f"{address}/forget", reason="scrapped")
    assert (shown["id"], shown["name"], shown["state"], shown["held"]) == (proof["worker"], "desk", "gone", None)
    assert body_of(await ask("/api/v1/workers"))["items"] == []
    assert (await ask(address)).code == 404
    after = await House(store=house.store).start()
    assert after.dispatcher.machine.operators.kept == {}
    acts = body_of(await ask("/api/v1/audit?action=worker.forget"))["items"]
    assert [(act["target"], act["detail"]) for act in acts] == [(proof["worker"], "scrapped")]


async def test_a_page_says_how_its_browser_treats_it(ask: Ask, house: House) -> None:
    said = {"hidden_for_ms": 60_000, "slow_timers": True, "stood_still_ms": 40_000, "stood_still_ago_ms": 5_000}
    worker = (await house.register("s1", "echo", page=said))["worker"]
    house.clock.advance(2.0)
    shown = body_of(await ask(f"/api/v1/workers/{worker}"))
    names = ("hidden_s", "slow_timers", "stood_still")
    assert [shown[name] for name in names] == [62.0, True, {"for_s": 40.0, "ago_s": 7.0}]
    assert shown["page"] == {}
    await house.register("s2", "echo", boot="boot-s1", worker=worker, secret=house.pages.registrar.secret(worker))
    shown = body_of(await ask(f"/api/v1/workers/{worker}"))
    assert [shown[name] for name in names] == [None, False, None]


async def test_what_a_page_says_of_itself_is_told_in_the_words_of_json(ask: Ask, house: House) -> None:
    said = {"document_mode": None, "storage": True, "kiosk": False, "screens": 2, "zoom": 1.5, "user_agent": "IE\0"}
    worker = (await house.register("s1", "echo", page=said))["worker"]
    shown = body_of(await ask(f"/api/v1/workers/{worker}"))
    told = {"storage": "true", "kiosk": "false", "screens": "2", "zoom": "1.5", "user_agent": "IE\ufffd"}
    assert shown["page"] == told


async def test_one_that_has_gone_is_read_by_its_id_or_its_name_with_its_day(ask: Ask, house: House) -> None:
    address, proof = await join(house, name="TILL 1/ü", labels={"site": "berlin"})
    for _ in range(3):
        await house.pass_time(house.settings.store_check_s)
    job = await house.submit("echo")
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    await house.say("s1", op="bye")
    await house.pass_time(house.settings.store_check_s)
    told = body_of(await ask(address))
    assert told == body_of(await ask("/api/v1/workers/name:TILL%201%2F%C3%BC"))
    assert (told["id"], told["name"], told["state"]) == (proof["worker"], "TILL 1/ü", "gone")
    assert (told["labels"], told["types"], told["done"]) == ({"site": "berlin"}, ["echo"], 1)
    assert [one["id"] for one in told["recent"]] == [job.id]
    assert [one["event"] for one in told["lately"]] == ["away", "connected"]
    assert len(told["day"]) == 96
    assert told["day"][-1] | {"at": ""} == {"at": "", "state": "busy", "tries": 1}
    assert {one["state"] for one in told["day"][:-1]} == {"unknown"}
    [listed] = body_of(await ask("/api/v1/workers?state=gone"))["items"]
    assert listed["id"] == proof["worker"]
    assert (await ask(f"{address}/pause", "POST", json={"reason": "x"})).code == 200
    assert (await ask(f"{address}/forget", "POST", json={})).code == 200
    assert (await ask(address)).code == (await ask("/api/v1/workers/name:nobody")).code == 404
