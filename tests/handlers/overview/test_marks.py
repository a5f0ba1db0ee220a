"""Deploys, pauses and restarts: in words, in the charts, in a list, and for programs."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditEntry, AuditNote, AuditOutcome
from dispatcher.core.jobs.views.deployed import versions_text
from handlers.overview.bars import bars_of, marked
from handlers.overview.marking import MOST_READ
from handlers.overview.marks import MOST_MARKS, ChartMark, grouped, marks_of
from tests.handlers.conftest import Ask, Browser, body_of
from tests.support.house import House
from tests.support.jobs import NOW

ANNA, SERVER = Actor("anna"), Actor("server")
numbers = count(1)
OLD, NEW = "aaaaaaaaaaaa-1764400000", "bbbbbbbbbbbb-1764500000"


def act(action: str, target: str = "", detail: str = "", at: float = NOW, actor: Actor = ANNA, **more: Any) -> Any:
    return AuditEntry(
        at=at, actor=actor, action=action, target=target, detail=detail, number=next(numbers), **more
    )  # fmt: skip


def said(*acts: AuditEntry, type_name: str = "", names: dict[str, str] | None = None) -> list[tuple[str, str, str]]:
    return [(mark.kind, mark.words, mark.link) for mark in marks_of(grouped(acts, type_name), names or {})]


@pytest.mark.parametrize(
    ("one", "kind", "words", "link"),
    [
        (act("server.start", "main", "1.0"), "restart", "The server started (version 1.0)", ""),
        (act("server.stop", "node-a", "1.0"), "restart", "The server node-a was asked to stop (version 1.0)", ""),
        (act("type.pause", "fax", "no line"), "pause", "Type fax was paused by anna: no line", "/types/fax"),
        (act("type.resume", "fax"), "pause", "Type fax was resumed by anna", "/types/fax"),
        (act("type.pause", "*"), "pause", "All types were paused by anna", "/types/*"),
        (act("worker.pause", "w1", "lunch"), "pause", "Worker DESK-1 was paused by anna: lunch", "/workers/w1"),
        (act("worker.drain", "w2"), "pause", "Worker w2 was paused, to leave, by anna", "/workers/w2"),
        (act("workers.pause", "o1", '{"matched":40,"filter":{"label":"site:ulm"},"reason":"paint"}'), "pause",
         "40 workers were paused by anna: paint", "/workers"),
        (act("workers.drain", "o2", '{"matched":1,"ids":1}'), "pause",
         "1 worker was paused, to leave, by anna", "/workers"),
        (act("workers.resume", "o3", '{"matched":4'), "pause", "Many workers were resumed by anna", "/workers"),
        (act("rollout.begin", "", '{"at_a_time":5,"canary":true,"reason":"new labels"}'), "deploy",
         "A rollout was begun by anna: new labels", "/rollout"),
        (act("rollout.stop"), "deploy", "The rollout was stopped by anna", "/rollout"),
        (act("rollout.end", "", '{"state":"done","reloaded":20}'), "deploy",
         "The rollout ended: 20 pages loaded anew", "/rollout"),
        (act("rollout.end", "", '{"state":"stopped","reloaded":1,"reason":"3 of 4 tries failed"}'), "deploy",
         "The rollout stopped by itself: 3 of 4 tries failed", "/rollout"),
        (act("rollout.end", "", '{"state":"sto'), "deploy", "The rollout stopped by itself", "/rollout"),
        (act("task.version", "fax", versions_text(NEW, OLD)), "deploy", "New version of fax", "/types/fax"),
    ],
)  # fmt: skip
def test_each_kind_of_act_is_a_mark_in_words_with_a_link(one: Any, kind: str, words: str, link: str) -> None:
    assert said(one, names={"w1": "DESK-1"}) == [(kind, words, link)]


def test_what_one_actor_does_of_one_kind_within_a_quarter_of_an_hour_is_one_mark() -> None:
    workers = [act("worker.pause", f"w{n}", "printers", NOW + 60.0 * n) for n in range(5)]
    others = [act("worker.pause", "w9", "printers", NOW + 900.0), act("worker.pause", "w8", "lunch", NOW)]
    starts = [act("server.start", "main", "1.0", NOW - n, SERVER) for n in range(3)]
    tasks = [act("task.version", name, versions_text(NEW, OLD), NOW - 9.0, SERVER) for name in ("a", "b")]
    names = {f"w{n}": f"DESK-{n}" for n in range(3)}
    assert said(*workers, *others, *starts, *tasks, names=names) == [
        ("pause", "Worker w9 was paused by anna: printers", "/workers/w9"),
        ("pause", "Worker w8 was paused by anna: lunch", "/workers/w8"),
        ("pause", "5 workers (DESK-0, DESK-1, DESK-2 and others) were paused by anna: printers", "/workers"),
        ("restart", "The server started 3 times (version 1.0)", ""),
        ("deploy", "New versions of 2 tasks (a, b)", "/types"),
    ]
    assert said(*workers) == [("pause", "5 workers were paused by anna: printers", "/workers")]


def test_what_tells_nothing_new_is_no_mark() -> None:
    assert said(
        act("task.version", "fax", OLD),  # the first time that it is seen
        act("worker.pause", "w1", outcome=AuditOutcome.REFUSED),
    ) == []  # fmt: skip
    from_two_nodes = [act("task.version", "fax", versions_text(NEW, OLD), NOW + n * 1_000.0) for n in range(2)]
    back = act("task.version", "fax", versions_text(OLD, NEW), NOW + 5_000.0)
    assert len(said(*from_two_nodes, back)) == 2


def test_the_marks_of_a_type_are_without_those_of_others() -> None:
    acts = [act("type.pause", name) for name in ("fax", "mail", "*")]
    assert [words for _, words, _ in said(*acts, type_name="fax")] == [
        "All types were paused by anna", "Type fax was paused by anna",
    ]  # fmt: skip


def a_mark(kind: str, at: float, words: str = "") -> ChartMark:
    return ChartMark(at=at, kind=kind, code="", words=words, by="")


def test_marks_stand_over_the_bars_each_kind_with_a_form_of_its_own_and_in_the_words() -> None:
    bars = bars_of([(1, 0)] * 10, 100, "1 job")
    marks = [a_mark("deploy", 50.0), a_mark("pause", 0.0), a_mark("restart", 99.0), a_mark("pause", 100.0)]
    drawn = marked(bars, marks, 0.0, 100.0)
    assert drawn.label == "1 job; 3 marks (1 deploy, 1 pause, 1 restart)"
    assert [one.kind for one in drawn.marks] == ["deploy", "pause", "restart"]
    assert drawn.marks[0].path.startswith("M20.0 -14h3")
    assert len({re.sub("[0-9.]+", "", one.path) for one in drawn.marks}) == 3
    assert marked(bars, [], 0.0, 100.0) == bars


@pytest.mark.gen_test
async def test_the_page_marks_its_charts_and_says_the_same_in_a_list(browser: Browser, house: House) -> None:
    await house.register("s1", "sum", name="DESK-1")
    [worker] = house.dispatcher.workers().items
    await house.dispatcher.orders.pause(worker.id, "<b>lunch</b>", actor=ANNA)
    await house.submit("sum")
    await house.dispatcher.types.pause("other", "", actor=ANNA)
    page = await browser.page("/history")
    assert page.count("Worker DESK-1 was paused by anna: &lt;b&gt;lunch&lt;/b&gt;</a>") == 1
    assert f'<a href="/workers/{worker.id}">' in page
    assert "Deploys, pauses and restarts before the last 24 hours: none." in page
    assert page.count("Type other was paused by anna</a>") == 1
    assert (await browser.page("/history?type=sum")).count("Type other was paused") == 0


@pytest.mark.gen_test
async def test_programs_get_the_same_marks_if_they_ask(ask: Ask, house: House) -> None:
    await house.dispatcher.types.pause("fax", "no line", actor=ANNA)
    told = body_of(await ask("/api/v1/stats?window=24h&marks=1"))["marks"]
    assert told == {
        "items": [{
            "at": "2026-11-23T21:24:05.123Z", "kind": "pause", "code": "type.pause", "by": "anna", "acts": 1,
            "sentence": "Type fax was paused by anna: no line.", "links": {"console": "/types/fax"},
        }],
        "left_out": 0, "more": False,
    }  # fmt: skip
    assert "marks" not in body_of(await ask("/api/v1/stats?window=24h"))
    refused = await ask("/api/v1/stats?marks=1")
    assert refused.code == 400
    assert "name it, too, as in window=24h" in refused.body.decode()


@pytest.mark.gen_test
async def test_so_many_marks_are_shown_and_the_others_counted(ask: Ask, house: House) -> None:
    for number in range(MOST_READ + 1):
        house.dispatcher.access.note(AuditNote(ANNA, "type.pause", "fax", f"{number}"))
    await house.dispatcher.idle()
    told = body_of(await ask("/api/v1/stats?window=24h&marks=1"))["marks"]
    assert (len(told["items"]), told["left_out"], told["more"]) == (MOST_MARKS, MOST_READ - MOST_MARKS, True)
    assert told["items"][0]["sentence"] == f"Type fax was paused by anna: {MOST_READ}."
