"""``PATCH /api/v1/types/<type>``: the terms of new jobs whose submitters name none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.config.settings import Settings
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)
PATH = "/api/v1/types/sum"


async def patched(ask: Ask, **defaults: Any) -> dict[str, Any]:
    answer = await ask(PATH, "PATCH", json={"defaults": defaults})
    assert answer.code == 200, answer.body
    told: dict[str, Any] = body_of(answer)["defaults"]
    return told


async def submitted(ask: Ask, key: str | None = None, **fields: Any) -> dict[str, Any]:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await ask("/api/v1/jobs", "POST", json={"type": "sum"} | fields, headers=headers)
    assert answer.code in (200, 201), answer.body
    job: dict[str, Any] = body_of(answer)
    return job


async def test_a_new_job_has_them_where_it_names_none(ask: Ask, settings: Settings) -> None:
    assert await patched(ask, priority=5, timeout_s=30, effects="once") == {
        "priority": 5, "timeout_s": 30.0, "effects": "once",
    }  # fmt: skip
    job = await submitted(ask)
    assert (job["priority"], job["timeout_s"], job["effects"]) == (5, 30.0, "once")
    assert job["max_attempts"] == settings.terms.max_attempts
    own = await submitted(ask, priority=0, timeout_s=90)
    assert (own["priority"], own["timeout_s"], own["effects"]) == (0, 90.0, "once")
    assert (await submitted(ask, type="other"))["priority"] == 0


async def test_null_takes_one_away_and_the_others_stay(ask: Ask) -> None:
    await patched(ask, priority=5, max_attempts=7.0)
    assert await patched(ask, priority=None) == {"max_attempts": 7}
    job = await submitted(ask)
    assert (job["priority"], job["max_attempts"]) == (0, 7)


async def test_a_job_that_is_there_keeps_what_it_has(ask: Ask) -> None:
    await patched(ask, priority=5)
    job = await submitted(ask)
    await patched(ask, priority=9)
    assert body_of(await ask(f"/api/v1/jobs/{job['id']}"))["priority"] == 5
    copy = body_of(await ask(f"/api/v1/jobs/{job['id']}/duplicate", "POST", json={}))
    assert copy["priority"] == 5


async def test_the_same_key_is_the_same_job_although_the_defaults_have_changed(ask: Ask) -> None:
    first = await submitted(ask, "order-1", data=1)
    await patched(ask, priority=5)
    assert (await submitted(ask, "order-1", data=1))["id"] == first["id"]
    refused = await ask("/api/v1/jobs", "POST", json={"type": "sum", "data": 2}, headers={"Idempotency-Key": "order-1"})
    assert (refused.code, body_of(refused)["code"]) == (422, "key_conflict")


async def test_batches_and_forms_have_them_too(ask: Ask, browser: Browser, house: House) -> None:
    await patched(ask, priority=5)
    batch = body_of(await ask("/api/v1/jobs/batch", "POST", json=[{"type": "sum"}, {"type": "sum", "priority": 1}]))
    assert [(await house.dispatcher.job(item["id"])).terms.priority for item in batch["items"]] == [5, 1]
    form = await ask(
        "/api/v1/jobs", "POST", body="type=sum",
        headers={"X-Requested-With": "test", "Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert body_of(form)["priority"] == 5
    await browser.post("/submit", {"type": "sum", "data": "", "format": "json", "key": "k"}, "/submit")
    assert [job.terms.priority for job in await house.kept()] == [5, 1, 5, 5]


async def test_they_are_an_act_with_its_reason(ask: Ask, house: House) -> None:
    await ask(PATH, "PATCH", json={"defaults": {"priority": 5}, "reason": "it is late"})
    [act] = (await house.store.acts(AuditFilter())).items
    assert (act.action, act.target) == ("type.defaults", "sum")
    assert json.loads(act.detail) == {"defaults": {"priority": 5}, "reason": "it is late"}


async def test_a_pause_keeps_them_and_a_resume_does(ask: Ask) -> None:
    await patched(ask, priority=5)
    for order in ("pause", "resume"):
        assert body_of(await ask(f"{PATH}/{order}", "POST", json={}))["defaults"] == {"priority": 5}
    await ask(f"{PATH}/pause", "POST", json={"reason": "lunch"})
    await patched(ask, priority=6)
    shown = body_of(await ask(PATH))
    assert (shown["paused"]["reason"], shown["defaults"]) == ("lunch", {"priority": 6})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"defaults": {"priority": 1_001}}, "defaults.priority: must be a whole number from -1000 to 1000, or null"),
        ({"defaults": {"priority": 1.5}}, "defaults.priority: must be a whole number from -1000 to 1000, or null"),
        ({"defaults": {"effects": "twice"}}, "defaults.effects: must be repeat or once, or null"),
        ({"defaults": {"timeout_s": "9"}}, "defaults.timeout_s: must be a number of seconds from 1 to 86400, or null"),
        ({"defaults": {"delay_s": 1}}, "defaults.delay_s: is not a default of a type"),
        ({"defaults": [1]}, 'must be {"defaults": an object'),
        ({}, 'must be {"defaults": an object'),
        ({"defaults": {}, "reason": 7}, "reason: is all there may be"),
    ],
)
async def test_what_is_wrong_is_said(ask: Ask, body: dict[str, Any], words: str) -> None:
    refused = await ask(PATH, "PATCH", json=body)
    assert (refused.code, body_of(refused)["code"]) == (422, "invalid")
    assert words in body_of(refused)["detail"]


async def test_a_default_that_stands_twice_is_refused(ask: Ask) -> None:
    refused = await ask(
        PATH, "PATCH", body='{"defaults":{"priority":1,"priority":2}}', headers={"Content-Type": "application/json"}
    )
    assert (refused.code, "stands twice" in body_of(refused)["detail"]) == (422, True)


async def test_nothing_for_a_type_that_nobody_knows_is_not_found(ask: Ask) -> None:
    assert (await ask("/api/v1/types/nobody", "PATCH", json={"defaults": {}})).code == 404
    assert (await ask("/api/v1/types/new", "PATCH", json={"defaults": {"priority": 1}})).code == 200
    assert body_of(await ask("/api/v1/types/new"))["defaults"] == {"priority": 1}


async def test_the_form_of_the_page_sets_them_and_takes_them_away(ask: Ask, browser: Browser, house: House) -> None:
    await house.submit("sum")
    pressed = await browser.post(
        "/types/sum/defaults", {"priority": "5", "timeout_s": "30.5", "reason": ""}, "/types/sum"
    )
    assert (pressed.code, pressed.headers["Location"]) == (303, "/types/sum")
    assert body_of(await ask(PATH))["defaults"] == {"priority": 5, "timeout_s": 30.5}
    page = await browser.page("/types/sum")
    assert 'name="priority" value="5"' in page
    assert 'name="timeout_s" value="30.5"' in page
    await browser.post("/types/sum/defaults", {"priority": ""}, "/types/sum")
    assert body_of(await ask(PATH))["defaults"] == {}
    refused = await browser.post("/types/sum/defaults", {"priority": "much"}, "/types/sum")
    assert (refused.code, "must be a whole number from -1000 to 1000" in refused.body.decode()) == (422, True)
    assert 'name="priority" value="much"' in refused.body.decode()
