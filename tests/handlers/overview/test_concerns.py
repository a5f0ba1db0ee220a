"""What the overview says first."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.core.jobs.acts.kept import Hold
from dispatcher.core.jobs.habits import Roll
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.model import MissingWorker, TypeView
from dispatcher.core.jobs.views.endings import Endings, steps_of, summary_of
from dispatcher.core.jobs.views.histograms import count
from dispatcher.core.jobs.views.overview import HookHealth, Overview, Present, TypeLine
from dispatcher.core.jobs.views.troubles import (
    FailingType,
    OftenFailing,
    PausedType,
    ShutType,
    StuckType,
    Troubles,
    UnloadedType,
    UntakenLane,
)
from dispatcher.core.jobs.views.unloaded import Unloaded, UnloadedWhy
from handlers.overview.concern import MOST_CONCERNS, Concern
from handlers.overview.concerns import Beside, concerns, sentence
from tests.support.jobs import NOW

STEPS = steps_of(3_600, NOW)
NOBODY = Present(0, 0, 0, 0, 0)


def hour(type_name: str = "", succeeded: int = 0, waits: tuple[float, ...] = ()) -> Any:
    """An hour in which jobs ended, with these waits."""
    ended = Endings(succeeded)
    for wait_s in waits:
        count(ended.wait, wait_s)
    return summary_of(type_name, STEPS, [(STEPS.first, ended)])


def look(**fields: Any) -> Overview:
    """A server with nothing to do, but for these fields."""
    usual: dict[str, Any] = {
        "at": NOW, "counts": {}, "present": NOBODY, "hour": hour(), "types": [], "more_types": False,
        "troubles": Troubles(), "waits": {}, "all_waits": True, "gone": 0, "most_gone": 1_000, "roll": Roll(),
        "in_doubt_since": None, "hooks": HookHealth(), "backup": None, "draining": False, "takes_jobs": True,
        "has_space": True,
    }  # fmt: skip
    return Overview(**(usual | fields))


def line(name: str, waits: tuple[float, ...]) -> TypeLine:
    view = TypeView(type=name, offered_at=1.0, counts={})
    return TypeLine(known=view, hour=hour(name, len(waits), waits), since=None, present=NOBODY)


def found(beside: Beside | None = None, **fields: Any) -> list[Concern]:
    return concerns(look(**fields), beside or Beside())


def said(beside: Beside | None = None, **fields: Any) -> list[tuple[str, str]]:
    return [(one.words.replace("\u00a0", " "), one.link) for one in found(beside, **fields)]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "All is well. No worker is connected, no job was done in the last hour, no job waits."),
        ({"present": Present(1, 0, 0, 0, 0)},
         "All is well. 1 worker ready, no job was done in the last hour, no job waits."),
        ({"present": Present(0, 0, 2, 0, 0)},
         "All is well. No worker is ready, no job was done in the last hour, no job waits."),
        ({"present": Present(30, 4, 0, 0, 0), "hour": hour(succeeded=18_300), "waits": {"a": NOW - 2.0, "b": NOW}},
         "All is well. 30 workers ready and 4 busy, 18,000 jobs an hour, nothing waits longer than 2 s."),
        ({"waits": {"a": NOW}, "all_waits": False},
         "All is well. No worker is connected, no job was done in the last hour, "
         "the longest wait that was seen is 1 s."),
    ],
)  # fmt: skip
def test_one_line_says_that_all_is_well(fields: dict[str, Any], words: str) -> None:
    assert found(**fields) == []
    told = sentence(look(**fields), []).replace("\u00a0", " ")
    assert told.replace("18,0", "18,").startswith(words.replace("18,0", "18,")[:40])
    assert told.split(", ")[-1] == words.split(", ")[-1]


SINCE = {"fax": NOW - 720.0}
FAILING = FailingType("fax", 7, False, NOW - 900.0, NOW - 300.0)
STUCK = "stuck in a task that is over and does not stop"
WHY = UnloadedWhy("E-TSK-01: bad", 2, [("w1", "A"), ("w2", "B")])
IGNORED = "skipped for a while, because it ignored its last jobs"


@pytest.mark.parametrize(
    ("troubles", "code", "sentence", "link"),
    [
        (Troubles(unserved=[TypeView(type="fax", offered_at=None, counts={"queued": 2})], since=SINCE),
         "never_offered", "2 jobs of type fax wait, the first for 12 min: no worker has ever offered it.",
         "/jobs?state=queued&type=fax"),
        (Troubles(unserved=[TypeView(type="fax", offered_at=1.0, counts={"queued": 1})], since=SINCE),
         "not_connected", "1 job of type fax waits for 12 min: no connected worker offers it.",
         "/jobs?state=queued&type=fax"),
        (Troubles(shut=[ShutType("fax", 14, True, False)], since=SINCE), "all_paused",
         "14 jobs of type fax wait, the first for 12 min: every worker that offers it is paused.", "/workers?type=fax"),
        (Troubles(shut=[ShutType("fax", 1, False, True)], since={"fax": NOW - 0.5}), "set_aside",
         f"1 job of type fax waits: every worker that offers it is {IGNORED}.", "/workers?type=fax"),
        (Troubles(shut=[ShutType(name, 0, True, False) for name in "abcdef"]), "all_paused",
         "Every worker that offers a, b, c, d, e and more is paused.", "/workers?type=a"),
        (Troubles(shut=[ShutType("a", 0, True, False), ShutType("b", 0, True, True)]), "all_paused",
         f"Every worker that offers a, b is paused or {IGNORED}.", "/workers?type=a"),
        (Troubles(untaken=[UntakenLane("fax", requirement_of({"site": "berlin", "name": "A"}), 3, "no_match",
                                       "no connected worker is called A", NOW - 7_300.0)]), "no_match",
         "3 jobs of type fax, for A, site:berlin, wait, the first for 2 h: no connected worker is called A.",
         "/jobs?state=queued&type=fax&requires=name:A&requires=site:berlin"),
        (Troubles(untaken=[UntakenLane("fax", (), 1, "paused", "1 worker offers the type, but it is paused", None)]),
         "all_paused", "1 job of type fax waits: 1 worker offers the type, but it is paused.",
         "/jobs?state=queued&type=fax"),
        (Troubles(paused=[PausedType("fax", 2, Hold(1.0, "ann", "no paper"))], since=SINCE), "type_paused",
         "2 jobs of type fax wait, the first for 12 min: the type is paused by ann: no paper.", "/types/fax"),
        (Troubles(paused=[PausedType("fax", 1, Hold(1.0, ""))]), "type_paused",
         "1 job of type fax waits: the type is paused.", "/types/fax"),
        (Troubles(paused=[PausedType("*", 1, Hold(1.0, "ann", "wrong prices"))]), "everything_paused",
         "No job is given out: all types are paused by ann: wrong prices. 1 job waits.", "/types/*"),
        (Troubles(failing=[FailingType("fax", 40, True, NOW - 900.0, NOW - 300.0)]), "failing",
         "40 of 40 jobs of type fax failed, the last one 5 min ago.", "/failures?type=fax"),
        (Troubles(failing=[FAILING]), "failing",
         "The last 7 jobs of type fax failed, the last one 5 min ago.", "/failures?type=fax"),
        (Troubles(failing=[FAILING], often=[OftenFailing("fax", 7, 42)]), "failing",
         "7 of 42 jobs of type fax failed in the last 15 min.", "/failures?type=fax"),
        (Troubles(stuck=[StuckType("fax", 6, (("w1", "A"),))], since=SINCE), "stuck",
         f"6 jobs of type fax wait, the first for 12 min: its only worker A is {STUCK}.", "/workers?type=fax"),
        (Troubles(stuck=[StuckType("fax", 6, (("w1", "A"),), 1)], since=SINCE), "stuck",
         f"6 jobs of type fax wait, the first for 12 min: its worker A is {STUCK}. 1 other takes no jobs now.",
         "/workers?type=fax"),
        (Troubles(stuck=[StuckType("fax", 1, (("w1", "A"), ("w2", "B")), 2)], since=SINCE), "stuck",
         f"1 job of type fax waits for 12 min: its workers A, B are {STUCK}. 2 others take no jobs now.",
         "/workers?type=fax"),
        (Troubles(unloaded=[UnloadedType("fax", NOW - 720.0, Unloaded(2, 3, [WHY]))]), "unloaded",
         "2 of 3 pages could not load the task fax, the first for 12 min: E-TSK-01: bad (A, B).", "/types/fax"),
        (Troubles(unserved=[TypeView(type="fax", offered_at=None, counts={"queued": 1},
                                     unloaded=Unloaded(2, 2, [WHY]))],
                  unloaded=[UnloadedType("fax", NOW - 720.0, Unloaded(2, 2, [WHY]))], since=SINCE), "unloaded",
         "1 job of type fax waits for 12 min: all 2 pages could not load the task: E-TSK-01: bad (A, B).",
         "/types/fax"),
        (Troubles(stalled=[("fax", 1.5), ("mail", 4.0)]), "stalled",
         "Jobs of type mail and of other types wait although a worker is free: none was offered for 4.0 s. "
         "The server is overloaded, or its disk is slow.", "/jobs?state=queued&type=mail"),
    ],
)  # fmt: skip
def test_each_trouble_is_a_sentence_that_leads_to_more(troubles: Troubles, code: str, sentence: str, link: str) -> None:
    assert said(troubles=troubles) == [(sentence, link)]
    assert found(troubles=troubles)[0].code == code


MISSING = [MissingWorker(f"DESK-{n}", NOW - 600.0 - n) for n in range(7)]
WORKS = Backup(name="b", state=BackupState.DONE, bytes=1, copied_bytes=1, begun_at=NOW - 90_000.0)


@pytest.mark.parametrize(
    ("fields", "code", "sentence"),
    [
        ({"draining": True, "takes_jobs": False}, "stopping", "The server is stopping: it takes no new jobs."),
        ({"takes_jobs": False, "has_space": False}, "disk",
         "The disk is nearly full: the server takes no new jobs. Those that it has go on."),
        ({"takes_jobs": False}, "not_ready", "The server takes no new jobs at the moment."),
        ({"counts": {"in_doubt": 1}, "in_doubt_since": NOW - 90.0}, "in_doubt",
         "1 job has been in doubt for 1 min: a person must decide."),
        ({"counts": {"in_doubt": 1}}, "in_doubt", "1 job is in doubt: a person must decide."),
        ({"counts": {"in_doubt": 2}, "in_doubt_since": NOW - 7_200.0}, "in_doubt",
         "2 jobs are in doubt, the first for 2 h: a person must decide."),
        ({"counts": {"in_doubt": 200}}, "in_doubt", "200 jobs are in doubt: a person must decide."),
        ({"roll": Roll(1, 1, MISSING[:1])}, "workers_missed",
         "The one worker that is usually here at this hour is not here. Missing: DESK-0 (for 10 min)."),
        ({"roll": Roll(2, 1, MISSING[:1])}, "workers_missed",
         "1 of 2 workers that are usually here at this hour is here. Missing: DESK-0 (for 10 min)."),
        ({"roll": Roll(1_234, 7, MISSING)}, "workers_missed",
         "1,227 of 1,234 workers that are usually here at this hour are here. Missing: DESK-0 (for 10 min), "
         "DESK-1 (for 10 min), DESK-2 (for 10 min), DESK-3 (for 10 min), DESK-4 (for 10 min) and more."),
        ({"hooks": HookHealth(given_up=[("shop", "it answered 410")])}, "webhook_off",
         "Nothing is sent to the webhook shop any more: it answered 410."),
        ({"hooks": HookHealth(dead=2)}, "webhook_dead",
         "2 messages of webhooks were not delivered, and nobody tries again by itself."),
        ({"hooks": HookHealth(oldest_s=301.0)}, "webhook_late",
         "A message of a webhook has waited for 5 min: its receiver does not take it."),
        ({"backup": Backup(name="b", state=BackupState.FAILED, bytes=1, copied_bytes=0, begun_at=NOW, ended_at=NOW,
                           detail="no room")}, "backup_failed", "The last backup failed: no room."),
        ({"backup": Backup(name="b", state=BackupState.DONE, bytes=1, copied_bytes=1, begun_at=NOW - 300_000.0)},
         "backup_old", "The newest backup is 3 d old: make one with pagehand backup."),
    ],
)  # fmt: skip
def test_what_else_is_wrong_is_a_sentence_too(fields: dict[str, Any], code: str, sentence: str) -> None:
    assert [one[0] for one in said(**fields)] == [sentence]
    assert found(**fields)[0].code == code


def test_nothing_is_said_of_what_is_as_it_should_be() -> None:
    assert said(backup=WORKS, hooks=HookHealth(oldest_s=300.0), counts={"failed": 9}) == []


def test_the_commonest_error_and_files_of_tasks_are_told() -> None:
    troubles = Troubles(often=[OftenFailing("fax", 40, 42), OftenFailing("mail", 5, 100)])
    told = said(
        Beside(errors={"fax": "out of paper ##"}, task_files=["a.js", "b.js"], old_pages=12, old_types=list("abcdef")),
        troubles=troubles,
    )
    assert [words for words, _ in told] == [
        "40 of 42 jobs of type fax failed in the last 15 min, most often with: out of paper ##.",
        "5 of 100 jobs of type mail failed in the last 15 min.",
        "2 task files do not work: a.js, b.js.",
        "12 connected pages have old tasks: a, b, c, d, e and more.",
    ]


def test_jobs_that_failed_one_after_the_other_are_told_with_their_commonest_error_and_since_when() -> None:
    [told] = found(Beside(errors={"fax": "out of paper ##"}), troubles=Troubles(failing=[FAILING]))
    words = "The last 7 jobs of type fax failed, the last one 5 min ago, most often with: out of paper ##."
    assert (told.words.replace("\u00a0", " "), told.since) == (words, NOW - 900.0)


USUAL = (10.0,) * 20


@pytest.mark.parametrize(
    ("waited_s", "usual", "told"),
    [(52.0, USUAL, True), (50.0, USUAL, False), (31.0, (0.1,) * 20, True), (29.0, (0.1,) * 20, False),
     (301.0, (100.0,) * 20, False), (600.0, (100.0,) * 20, True),
     (1_700.0, USUAL[:19], False), (1_900.0, USUAL[:19], True)],
)  # fmt: skip
def test_a_wait_is_too_long_when_it_is_long_and_much_longer_than_usual(
    waited_s: float, usual: tuple[float, ...], told: bool
) -> None:
    fields: dict[str, Any] = {"types": [line("fax", usual)], "waits": {"fax": NOW - waited_s}}
    assert [one.code for one in found(**fields)] == ["long_wait"] * told


def test_a_long_wait_says_what_is_usual_and_is_not_told_twice() -> None:
    fields: dict[str, Any] = {"types": [line("fax", USUAL)], "waits": {"fax": NOW - 720.0, "mail": NOW - 7_200.0}}
    assert [words for words, _ in said(**fields)] == [
        "A job of type mail that is next in line has waited for 2 h.",
        "A job of type fax that is next in line has waited for 12 min; as a rule 95 % of them wait less than 10.2 s.",
    ]
    paused = Troubles(paused=[PausedType("fax", 1, Hold(1.0, "")), PausedType("mail", 1, Hold(1.0, ""))])
    assert {one.code for one in found(troubles=paused, **fields)} == {"type_paused"}


def test_many_concerns_of_a_kind_are_told_in_part() -> None:
    many = range(MOST_CONCERNS + 5)
    troubles = Troubles(
        unserved=[TypeView(type=f"t{n}", offered_at=None, counts={"queued": 1}) for n in many],
        untaken=[UntakenLane(f"t{n}", (), 1, "no_match", "nobody", None) for n in many],
        unloaded=[UnloadedType(f"u{n}", NOW, Unloaded(1, 1, [WHY])) for n in many],
        failing=[FailingType(f"t{n}", 3, True, NOW, NOW) for n in many],
        often=[OftenFailing(f"o{n}", 5, 5) for n in many],
        paused=[PausedType(f"t{n}", 3, Hold(1.0, "")) for n in many],
    )
    sentences = [sentence for sentence, _ in said(troubles=troubles)]
    assert len(sentences) == 6 * (MOST_CONCERNS + 1)
    assert sentences[MOST_CONCERNS] == "Jobs of more types wait, and no connected worker offers them."
    assert "More jobs wait for workers that do not come, or are paused." in sentences
    assert "Pages could not load more tasks." in sentences
    assert "Many jobs of more types fail." in sentences
    assert sentences[-1] == "All jobs of more types have failed of late."
