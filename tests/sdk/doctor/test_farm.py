"""What the server tells of itself: real pages and jobs at a real server, and what no healthy server says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dispatcher.sdk.client.config import find_config
from dispatcher.sdk.client.exchange import ServerAnswer
from dispatcher.sdk.doctor import farm, gate
from dispatcher.sdk.doctor.findings import Level
from dispatcher.sdk.doctor.messenger import Messenger
from dispatcher.sdk.doctor.probes import look
from dispatcher.sdk.doctor.report import examine, exit_status
from dispatcher.sdk.doctor.seen import Heard, Sighting
from tests.sdk.doctor.meddler import examined, of, wrongs
from tests.support.http import Page
from tests.support.server import live

CONFIG = find_config("http://127.0.0.1:8888", None, environ={})
CHROME = {"library": "0.1.0", "user_agent": "Mozilla/5.0 Chrome/156", "storage": True, "document_mode": None}


def a_look(*, ready: str = "[+]takes jobs\nok\n", metrics: str = "", **fields: Any) -> Sighting:
    def said(text: str) -> Heard:
        return Heard(answer=ServerAnswer(200, {}, text.encode()))

    return Sighting(url=CONFIG.url, address=CONFIG.address, ready=(said(ready),), metrics=said(metrics), **fields)


def worker(name: str, **page: Any) -> Mapping[str, Any]:
    return {"name": name, "state": "connected", "transport": "polling", "page": CHROME | page}


def test_pages_in_old_modes_and_types_without_workers_are_found_at_a_real_server(tmp_path: Path) -> None:
    """The facts travel as the worker page sends them and the API shows them."""
    with live(tmp_path) as server:
        pages = []
        desks: dict[str, dict[str, object]] = {
            "OLD-DESK": {"document_mode": 10},
            "EDGE": {"document_mode": 11},
            "STALE": {"library": "0.0.9", "transport_reason": "WebSockets broke twice"},
            "KIOSK": {"storage": False},
        }
        for name, said in desks.items():
            page = Page(server)
            page.register("echo", name=name, page=CHROME | said)
            pages.append(page)
        server.submit("print-lable", "x")
        status, findings = examined(server.url)
        for page in pages:
            page.leave()
    assert (status, wrongs(findings)) == (1, ["types", "pages", "pages"])
    assert [finding.says for finding in findings if finding.check == "pages"] == [
        "Internet Explorer shows them in document mode 10: OLD-DESK",
        "their worker.js is of 0.0.9, and the server of 0.1.0: STALE",
        "their browsers keep nothing: KIOSK",
        "they stay with long-polling (WebSockets broke twice): STALE",
    ]
    assert of(findings, "types").says == "jobs wait for what no worker offers: print-lable"


def test_pages_in_good_browsers_are_fine() -> None:
    seen = a_look(workers=(worker("A"), worker("B", document_mode="11"), {"name": "C", "state": "gone"}))
    [finding] = farm.pages(seen)
    assert (finding.level, finding.says) == (Level.OK, "2 connected, in browsers that will do")


@pytest.mark.parametrize(("workers", "queued", "level"), [(0, 1, Level.WRONG), (1, 1, Level.OK), (0, 0, Level.OK)])
def test_jobs_wait_in_vain_where_nobody_offers_their_type(workers: int, queued: int, level: Level) -> None:
    [finding] = farm.types(a_look(types=({"type": "echo", "workers": workers, "counts": {"queued": queued}},)))
    assert finding.level is level


def test_many_names_are_cut_short() -> None:
    seen = a_look(workers=tuple(worker(f"D{number}", document_mode="9") for number in range(8)))
    assert next(farm.pages(seen)).says.endswith("mode 9: D0, D1, D2, D3, D4 and 3 more")


def test_what_the_server_lacks_is_named() -> None:
    ready = "[+]not draining\n[-]takes jobs\n[-]room on the store's disk\n[-]something new\nnot ready\n"
    found = list(farm.store(a_look(ready=ready)))
    assert [finding.says.partition(": ")[2] for finding in found] == [
        "takes jobs", "room on the store's disk", "something new",
    ]  # fmt: skip
    assert "Make room on the disk" in found[1].mend
    assert all(finding.level is Level.WRONG and finding.mend for finding in found)


@pytest.mark.parametrize(("fast", "slow"), [(100, False), (96, False), (94, True)])
def test_a_slow_disk_is_found(fast: int, slow: bool) -> None:
    metrics = (
        f'pagehand_turn_duration_seconds_bucket{{le="0.25"}} {fast}.0\n'
        'pagehand_turn_duration_seconds_bucket{le="+Inf"} 100.0\npagehand_turn_duration_seconds_count 100.0\n'
    )
    found = list(farm.store(a_look(metrics=metrics)))
    assert [finding.level for finding in found] == [Level.OK] + [Level.WRONG] * slow
    assert not slow or "6% of all writes took longer than 0.25 s" in found[1].says


@pytest.mark.parametrize(("used", "level"), [(100, Level.OK), (810, Level.WRONG)])
def test_few_free_descriptors_are_found(used: int, level: Level) -> None:
    [finding] = farm.descriptors(a_look(metrics=f"process_open_fds {used}.0\nprocess_max_fds 1000.0\n"))
    assert (finding.level, finding.says) == (level, f"the server uses {used} of its 1000 descriptors")


def test_a_server_that_does_not_know_its_descriptors_says_nothing_of_them() -> None:
    assert list(farm.descriptors(a_look())) == []


def test_refusals_of_others_are_noted() -> None:
    metrics = (
        'pagehand_answers_total{code="forbidden_origin",status="403"} 7.0\n'
        'pagehand_answers_total{code="not_found",status="404"} 9.0\n'
        'pagehand_transport_events_total{event="refused_sessions"} 2.0\n'
    )
    found = list(farm.refusals(a_look(metrics=metrics)))
    assert [finding.level for finding in found] == [Level.NOTE, Level.NOTE]
    assert "refused 7 requests with forbidden_origin" in found[0].says
    assert "no room for pages 2 times" in found[1].says


def test_lists_that_are_longer_than_a_page_are_read_whole(tmp_path: Path) -> None:
    """The 101st type is on the second page."""
    with live(tmp_path) as server:
        jobs = [{"type": f"t{number:03}"} for number in range(101)]
        body = "\n".join(json.dumps(job) for job in jobs)
        assert server.ask("POST", "/api/v1/jobs/batch", body, {"Content-Type": "application/x-ndjson"}).status == 201
        seen = look(Messenger(find_config(server.url, None, environ={})), 1)
    assert seen.types is not None
    assert {f"t{number:03}" for number in range(101)} <= {item["type"] for item in seen.types}
    assert not seen.more
    assert exit_status(seen, findings := examine(seen)) == 1
    assert "t000, t001, t002, t003, t004 and 96 more" in of(findings, "types").says


@pytest.mark.parametrize("text", ["[", "[" * 5_000, "null", '{"items": 7}', '{"items": [7, null], "next_cursor": 3}'])
def test_odd_answers_are_no_faults_of_the_doctor(text: str) -> None:
    odd = Heard(answer=ServerAnswer(200, {"content-type": "application/json", "date": "yesterday"}, text.encode()))
    seen = Sighting(
        url=CONFIG.url, address=CONFIG.address, ready=(odd, odd), bare=odd, own_page=odd, shown=odd,
        waited=odd, stream=odd, metrics=odd, script=odd, workers=({"page": 7}, {}), types=({"counts": 7}, {}),
    )  # fmt: skip
    assert examine(seen)
    [told] = gate.clock(seen)
    assert told.says == "the header Date of the answers is no date"
    for check in (farm.store, farm.pages, farm.types, farm.refusals, farm.descriptors):
        list(check(seen))
