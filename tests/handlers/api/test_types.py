"""One type over the API: a pause counts at once, is kept, and says who and why."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.views.troubles import PausedType
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)

ECHO = "/api/v1/types/echo"


async def order(ask: Ask, address: str, **body: Any) -> Any:
    response = await ask(address, "POST", json=body)
    assert response.code == 200, response.body
    return body_of(response)


async def test_the_jobs_of_a_paused_type_wait_until_it_is_resumed(ask: Ask, house: House) -> None:
    await house.register("s1", "echo", "fax", slots=3)
    shown = await order(ask, f"{ECHO}/pause", reason="no paper")
    assert (shown["type"], shown["workers"], shown["paused"]["reason"], shown["paused"]["by"]) == (
        *("echo", 1),
        *("no paper", "api"),
    )
    job, other = await house.submit("echo"), await house.submit("fax")
    assert [message["id"] for message in await house.hear("s1")] == [other.id]
    told = body_of(await ask(f"/api/v1/jobs/{job.id}"))
    assert (told["waits"], told["waiting"]["code"]) == ("its type is paused by api: no paper", "type_paused")
    [trouble] = (await house.dispatcher.troubles(5)).paused
    assert (trouble, trouble.hold.words()) == (PausedType("echo", 1, trouble.hold), " by api: no paper")
    assert (await order(ask, f"{ECHO}/resume", reason="new paper"))["paused"] is None
    acts = (await house.dispatcher.access.acts(AuditFilter(target="echo"))).items
    assert [(act.action, act.detail) for act in acts] == [("type.resume", "new paper"), ("type.pause", "no paper")]
    assert [message["id"] for message in await house.hear("s1")] == [job.id]
    assert (await house.dispatcher.troubles(5)).paused == []


@pytest.mark.parametrize("every", ["*", "%2A"])
async def test_all_types_are_paused_together_and_keep_their_own_pauses(ask: Ask, house: House, every: str) -> None:
    await house.register("s1", "echo", "fax", slots=3)
    await order(ask, f"{ECHO}/pause", reason="no paper")
    shown = await order(ask, f"/api/v1/types/{every}/pause", reason="wrong prices")
    assert (shown["type"], shown["workers"], shown["paused"]["reason"]) == ("*", 1, "wrong prices")
    jobs = [await house.submit("fax"), await house.submit("echo")]
    assert await house.hear("s1") == []
    told = [body_of(await ask(f"/api/v1/jobs/{job.id}")) for job in jobs]
    assert {one["waits"] for one in told} == {"all types are paused by api: wrong prices"}
    assert {one["waiting"]["code"] for one in told} == {"everything_paused"}
    assert body_of(await ask(f"/api/v1/types/{every}"))["counts"]["queued"] == 2
    troubles = await house.dispatcher.troubles(5)
    assert ([(one.type, one.queued) for one in troubles.paused], troubles.stalled) == ([("*", 2), ("echo", 1)], [])
    assert (await order(ask, f"/api/v1/types/{every}/resume"))["paused"] is None
    assert [message["id"] for message in await house.hear("s1")] == [jobs[0].id]
    assert body_of(await ask(f"/api/v1/jobs/{jobs[1].id}"))["waits"] == "its type is paused by api: no paper"


async def test_all_types_have_no_defaults_together(ask: Ask) -> None:
    refused = await ask("/api/v1/types/*", "PATCH", json={"defaults": {"priority": 5}})
    assert (refused.code, body_of(refused)["detail"]) == (
        409, "all types can be paused together, and have no defaults together: the server's settings are",
    )  # fmt: skip


async def test_a_job_that_runs_goes_on_and_a_retry_of_it_waits(ask: Ask, house: House) -> None:
    await house.register("s1", "echo")
    job = await house.submit("echo")
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await order(ask, f"{ECHO}/pause")
    await house.say("s1", op="error", attempt=offer["attempt"], message="jam", retry=True)
    await house.hear("s1")
    await house.pass_time(3_600)
    assert (await house.dispatcher.job(job.id)).state == "queued"
    assert await house.hear("s1") == []
    assert body_of(await ask(f"/api/v1/jobs/{job.id}"))["waits"] == "its type is paused by api"


@pytest.mark.parametrize("name", ["echo", "*"])
async def test_a_pause_outlives_a_restart(ask: Ask, house: House, name: str) -> None:
    job = await house.submit("echo")
    await order(ask, f"/api/v1/types/{name}/pause", reason="no paper")
    after = await House(store=house.store).start()
    await after.register("s9", "echo")
    assert await after.hear("s9") == []
    assert [kept.type for kept in after.dispatcher.types.paused()] == [name]
    assert (await after.dispatcher.types.one("echo")).counts == {"queued": 1}
    assert (await after.dispatcher.job(job.id)).state == "queued"


async def test_a_type_that_nobody_has_named_may_be_paused_and_is_forgotten_when_it_is_resumed(ask: Ask) -> None:
    address = "/api/v1/types/new-type"
    assert (await ask(address)).code == 404
    assert (await ask(f"{address}/resume", "POST", json={})).code == 404
    assert (await order(ask, f"{address}/pause"))["counts"] == {}
    assert body_of(await ask(address))["paused"]["reason"] == ""
    assert (await order(ask, f"{address}/resume"))["paused"] is None
    assert (await ask(address)).code == 404


async def test_the_list_says_which_types_are_paused(ask: Ask, house: House) -> None:
    await house.submit("echo")
    await house.submit("fax")
    await order(ask, f"{ECHO}/pause", reason="no paper")
    items = {item["type"]: item["paused"] for item in body_of(await ask("/api/v1/types"))["items"]}
    assert ((items["echo"] or {}).get("reason"), items["fax"]) == ("no paper", None)


@pytest.mark.parametrize("body", [{"reason": "a\nb"}, {"reason": "x" * 201}, {"reason": 7}, {"until": 1}])
async def test_a_reason_that_is_no_line_is_refused(ask: Ask, body: dict[str, Any]) -> None:
    refused = await ask(f"{ECHO}/pause", "POST", json=body)
    assert (refused.code, body_of(refused)["errors"][0]["pointer"]) == (422, "#/reason")


async def test_each_order_is_an_act(ask: Ask, house: House) -> None:
    await order(ask, f"{ECHO}/pause", reason="no paper")
    await order(ask, f"{ECHO}/resume")
    acts = (await house.store.acts(AuditFilter())).items
    assert [(act.action, act.target, act.detail) for act in acts] == [
        ("type.resume", "echo", ""),
        ("type.pause", "echo", "no paper"),
    ]


@pytest.mark.parametrize("name", ["Print-Label", "_print", "-.x"])
async def test_a_type_of_any_name_has_an_address_of_its_own(ask: Ask, house: House, name: str) -> None:
    await house.register("s1", name)
    assert (await order(ask, f"/api/v1/types/{name}/pause"))["type"] == name
    await house.submit(name)
    assert await house.hear("s1") == []
    assert body_of(await ask(f"/api/v1/types/{name}"))["counts"]["queued"] == 1
    await order(ask, f"/api/v1/types/{name}/resume")
    assert [message["op"] for message in await house.hear("s1")] == ["job"]


async def test_a_type_and_a_worker_tell_which_tasks_pages_could_not_load(ask: Ask, house: House) -> None:
    why = "E-TSK-01: line 3: Unexpected token"
    joined = await house.register("s1", "echo", name="KASSE-1", unloaded={"fax": why, "echo": "it is offered"})
    one = body_of(await ask("/api/v1/types/fax"))
    assert one["unloaded"] == {
        "pages": 1,
        "of": 1,
        "sentence": f"The only page could not load the task: {why} (KASSE-1).",
        "whys": [{"why": why, "pages": 1, "workers": [{"id": joined["worker"], "name": "KASSE-1"}]}],
    }
    assert body_of(await ask("/api/v1/types/echo"))["unloaded"] is None
    [worker] = body_of(await ask("/api/v1/workers"))["items"]
    assert (worker["types"], worker["unloaded"]) == (["echo"], {"fax": why})


async def test_a_job_that_waits_for_such_a_type_says_why(ask: Ask, house: House) -> None:
    why = "E-TSK-01: line 3: Unexpected token"
    await house.register("s1", "echo", name="KASSE-1", unloaded={"fax": why})
    job = await house.submit("fax")
    told = f"no connected worker offers the type fax: the only page could not load the task: {why} (KASSE-1)"
    assert body_of(await ask(f"/api/v1/jobs/{job.id}"))["waits"] == told
