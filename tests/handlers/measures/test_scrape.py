"""``/metrics``: what a scrape gets, who may read it, and that its names and labels stay few."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dispatcher.config.settings import Settings
from dispatcher.core.jobs.views.measures import OTHER_TYPES
from dispatcher.node.turns.activity import MOST_NAMED
from tests.handlers.conftest import Ask, draining, no_room
from tests.support.house import House, run_one
from tests.support.jobs import spec

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scrape(ask: Ask, **given: object) -> Samples:
    response = await ask("/metrics", **given)
    assert response.code == 200
    families = text_string_to_metric_families(response.body.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


@pytest.mark.gen_test
async def test_a_scrape_tells_what_has_happened_and_what_stands_now(ask: Ask, house: House) -> None:
    await house.register("s1", "echo")
    await house.dispatcher.submit(spec("echo"))
    await run_one(house)
    await house.dispatcher.submit(spec("echo", delay_s=60.0))
    house.transport.carried = {"polling": 1, "websocket": 7}
    samples = await scrape(ask)
    assert value(samples, "pagehand_jobs", type="echo", state="succeeded") == 1
    assert value(samples, "pagehand_jobs", type="echo", state="scheduled") == 1
    assert value(samples, "pagehand_jobs", type=OTHER_TYPES, state="queued") == 0, "a series that an alert can watch"
    assert value(samples, "pagehand_jobs_submitted_total", type="echo") == 2
    assert value(samples, "pagehand_attempts_offered_total", type="echo") == 1
    assert value(samples, "pagehand_jobs_settled_total", type="echo", state="succeeded") == 1
    assert value(samples, "pagehand_workers", state="connected") == 1
    assert value(samples, "pagehand_sessions", transport="websocket") == 7
    assert value(samples, "pagehand_webhook_messages", state="pending") == 0, "there before the first webhook"
    assert value(samples, "pagehand_webhook_attempts_total", outcome="dead") == 0
    assert value(samples, "pagehand_changes_total") == house.dispatcher.feed.ring.end > 0
    assert value(samples, "pagehand_change_followers") == 0
    assert value(samples, "pagehand_change_gaps_total") == 0
    assert value(samples, "pagehand_takes_jobs") == 1
    assert value(samples, "pagehand_turn_duration_seconds_count") == len(house.store.turns)
    assert value(samples, "pagehand_turn_duration_seconds_bucket", le="+Inf") == len(house.store.turns)
    assert value(samples, "process_start_time_seconds") > 0


@pytest.mark.gen_test
async def test_answers_are_counted_by_their_status_and_the_code_of_their_problem(ask: Ask) -> None:
    await ask("/api/v1/jobs/nobody")
    await ask("/api/v1/jobs", "PUT", body="", headers={"Content-Type": "application/json"})
    await ask("/livez")
    samples = await scrape(ask)
    assert value(samples, "pagehand_answers_total", status="404", code="not_found") == 1
    assert value(samples, "pagehand_answers_total", status="405", code="method_not_allowed") == 1
    assert value(samples, "pagehand_answers_total", status="200", code="") == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(("scene", "name"), [(draining, "pagehand_draining"), (no_room, "pagehand_store_has_space")])
async def test_a_server_that_takes_no_jobs_says_why(ask: Ask, name: str) -> None:
    samples = await scrape(ask)
    assert value(samples, "pagehand_takes_jobs") == 0
    assert value(samples, name) == (1 if name == "pagehand_draining" else 0)


@pytest.mark.gen_test
async def test_it_comes_as_openmetrics_where_that_is_accepted(ask: Ask) -> None:
    response = await ask("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert response.body.endswith(b"# EOF\n")
    assert (await ask("/metrics")).headers["Content-Type"].startswith("text/plain")
    head = await ask("/metrics", "HEAD")
    assert (head.code, head.body) == (200, b"")


@pytest.mark.gen_test
async def test_however_many_types_there_are_their_series_are_bounded(ask: Ask, house: House) -> None:
    for number in range(MOST_NAMED + 20):
        await house.dispatcher.submit(spec(f"type-{number}"))
    samples = await scrape(ask)
    types = {dict(labels)["type"] for name, labels in samples if name == "pagehand_jobs"}
    assert len(types) == MOST_NAMED + 1
    assert value(samples, "pagehand_jobs", type=OTHER_TYPES, state="queued") == 20


class TestWithAToken:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token="t" * 20)

    @pytest.mark.gen_test
    async def test_a_scraper_shows_it_as_any_program_does(self, ask: Ask) -> None:
        refused = await ask("/metrics")
        assert refused.code == 401
        assert b"Authorization: Bearer" in refused.body
        assert await scrape(ask, headers={"Authorization": "Bearer " + "t" * 20})
