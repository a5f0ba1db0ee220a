"""The contract of a store: the audit log."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import MOST_DETAIL, Actor, AuditEntry, AuditFilter, AuditNote, AuditOutcome
from dispatcher.access.commands import MakeToken, RevokeToken
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.turn import Adopt, Amend, Cancel, Decide, Delete, Reopen, Retry
from dispatcher.errors import BadParameter
from dispatcher.store.acts import MOST_ACTS_FORGOTTEN
from dispatcher.store.driving import PURGE_EVERY_S
from dispatcher.store.views import SLICE, SLICES
from tests.store.conftest import OpenDesk
from tests.store.contract import NOW, Desk, Kind
from tests.support.jobs import spec

ANNA = Actor("anna", "abcd1234", "192.0.2.7")
DAY_S = 86_400.0
TOKEN = Token(id="abcd1234", digest=bytes(32), name="desk", scopes=(Scope.READ,), made_by="anna", made_at=NOW)


def acts(desk: Desk, **wanted: object) -> list[AuditEntry]:
    found: list[AuditEntry] = desk.run(desk.store.acts(AuditFilter(**wanted))).items  # type: ignore[arg-type]
    return found


def noted(desk: Desk, *targets: str, actor: str = "anna") -> None:
    desk.turn(commands=[AuditNote(Actor(actor), "backup.begin", target) for target in targets])


def targets(desk: Desk, **wanted: object) -> list[str]:
    return [act.target for act in acts(desk, **wanted)]


def test_a_new_store_has_no_act(desk: Desk) -> None:
    assert acts(desk) == []


def test_an_act_is_kept_with_who_did_it_and_from_where(durable: Desk) -> None:
    (job,) = durable.submit()
    durable.command(Cancel(job.id, "wrong printer \N{SNOWMAN}", ANNA))
    (before,) = acts(durable)
    durable.reopen()
    (act,) = acts(durable)
    assert act == before
    assert (act.actor, act.action, act.target, act.detail) == (ANNA, "job.cancel", job.id, "wrong printer \N{SNOWMAN}")
    assert NOW <= act.at <= durable.now_at


def test_what_came_too_late_is_noted_as_refused(desk: Desk) -> None:
    (job,) = desk.submit()
    desk.turn(commands=[Cancel(job.id, "one", ANNA), Cancel(job.id, "two", ANNA)])
    assert [(act.action, act.detail, act.outcome) for act in acts(desk)] == [
        ("job.cancel", "two", AuditOutcome.REFUSED),
        ("job.cancel", "one", AuditOutcome.DONE),
    ]


@pytest.mark.parametrize("job", ["job-99", "job-1"])
@pytest.mark.parametrize("kind_of", [Retry, Adopt, Cancel, Delete, Decide, Amend, Reopen])
def test_where_the_job_is_not_there_nothing_is_noted(desk: Desk, kind_of: Any, job: str) -> None:
    desk.submit()
    desk.turn(commands=[Cancel("job-1", "done with"), Delete("job-1")])
    more = (
        {"value": "1", "reason": "paper"}
        if kind_of is Decide
        else {"reason": "no"}
        if kind_of in (Cancel, Reopen)
        else {}
    )
    assert not desk.command(kind_of(job=job, actor=ANNA, **more)).done
    assert acts(desk) == []


def test_a_long_detail_is_cut(desk: Desk) -> None:
    (job,) = desk.submit()
    token = replace(TOKEN, types=tuple(f"label-{number}" for number in range(100)))
    desk.turn(commands=[Cancel(job.id, "ä" * 2_000, ANNA), MakeToken(token, actor=ANNA)])
    assert [len(act.detail) for act in acts(desk)] == [MOST_DETAIL] * 2


def test_what_nobody_asked_for_is_not_noted(desk: Desk) -> None:
    (job,) = desk.submit()
    desk.turn(commands=[Cancel(job.id, "the server stops"), MakeToken(TOKEN), RevokeToken(TOKEN.id, NOW)])
    assert acts(desk) == []


@pytest.mark.parametrize(
    ("command", "action", "detail"),
    [
        (Retry("job-1", ANNA), "job.retry", ""),
        (Retry("job-1", ANNA, reason="new toner"), "job.retry", "new toner"),
        (Adopt("job-1", ANNA), "job.adopt", ""),
        (Decide("job-1", "1", "seen on paper", ANNA), "job.decide", "succeeded: seen on paper"),
        (Decide("job-1", None, "", ANNA), "job.decide", "failed"),
        (Reopen("job-1", "it is there", ANNA), "job.reopen", "it is there"),
        (Delete("job-1", actor=ANNA), "job.delete", ""),
        (Delete("job-1", free_key=True, actor=ANNA), "job.delete", "with its key"),
        (Amend(job="job-1", delay_s=5.0, expires_s=None, actor=ANNA), "job.change", '{"delay_s":5.0,"expires_s":null}'),
        (
            Amend(job="job-1", priority=5, requires=(("site", ("rome",)),), tags=("a",), reason="late", actor=ANNA),
            "job.change",
            '{"priority":5,"requires":[["site",["rome"]]],"tags":["a"],'
            '"was":{"priority":0,"requires":[],"tags":[]},"reason":"late"}',
        ),
    ],
)
def test_each_command_has_its_words(desk: Desk, command: object, action: str, detail: str) -> None:
    desk.submit()
    desk.turn(commands=[command])
    (act,) = acts(desk)
    assert (act.action, act.target, act.detail) == (action, "job-1", detail)


def test_of_a_change_that_came_too_late_nothing_is_noted_that_was(desk: Desk) -> None:
    desk.submit()
    desk.turn(commands=[Cancel("job-1", "no"), Amend(job="job-1", priority=5, reason="late", actor=ANNA)])
    assert [(act.outcome, act.detail) for act in acts(desk)] == [
        (AuditOutcome.REFUSED, '{"priority":5,"reason":"late"}')
    ]


def test_a_token_is_noted_without_what_opens_anything(desk: Desk) -> None:
    desk.turn(commands=[MakeToken(TOKEN, actor=ANNA), RevokeToken(TOKEN.id, NOW, ANNA)])
    revoked, made = acts(desk)
    assert (made.action, made.target) == ("token.make", TOKEN.id)
    assert json.loads(made.detail) == {"name": "desk", "scopes": ["read"], "types": [], "expires_at": None}
    assert (revoked.action, revoked.target) == ("token.revoke", TOKEN.id)


def test_pages_lead_from_the_newest_to_the_oldest(desk: Desk) -> None:
    noted(desk, "a", "b", "c")
    first = desk.run(desk.store.acts(AuditFilter(limit=2)))
    assert [act.target for act in first.items] == ["c", "b"]
    noted(desk, "d")
    second = desk.run(desk.store.acts(AuditFilter(limit=2, cursor=first.next_cursor)))
    assert ([act.target for act in second.items], second.next_cursor) == (["a"], None)


def test_filters_are_all_obeyed_together(desk: Desk) -> None:
    noted(desk, "a")
    early = desk.now_at
    desk.pass_time(60.0)
    noted(desk, "b", "a", actor="ben")
    assert targets(desk, actor="ben") == ["a", "b"]
    assert targets(desk, target="a", actor="ben") == ["a"]
    assert targets(desk, action="job.cancel") == []
    assert targets(desk, after=early + 1.0) == ["a", "b"]
    assert targets(desk, before=early + 1.0) == ["a"]


def along(desk: Desk, **wanted: Any) -> list[int]:
    """The numbers of all acts, page by page along the cursors."""
    found: list[int] = []
    cursor = None
    while True:
        page = desk.run(desk.store.acts(AuditFilter(cursor=cursor, **wanted)))
        found += [act.number for act in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_times_are_obeyed_although_the_wall_clock_went_to_and_fro(desk: Desk) -> None:
    chosen = random.Random(7)
    for number in range(40):
        desk.now_at = NOW + chosen.choice([number * 60.0, chosen.uniform(-1e4, 1e4)])
        noted(desk, *["a"] * 97, actor=chosen.choice(["anna", "ben"]))
    everything = acts(desk, limit=10_000)
    instants = [None, *(NOW + chosen.uniform(-1e4, 1e4) for _ in range(4))]
    for after, before, actor in itertools.product(instants, instants, [None, "anna", "nobody"]):
        expected = [
            act.number
            for act in everything
            if (after is None or act.at >= after)
            and (before is None or act.at < before)
            and actor in (None, act.actor.name)
        ]
        assert along(desk, after=after, before=before, actor=actor) == expected


def test_what_is_behind_many_others_is_found_along_the_cursors(desk: Desk) -> None:
    desk.turn(commands=[MakeToken(TOKEN, actor=ANNA)])
    noted(desk, *["a"] * (SLICES * SLICE + 1))
    wanted: dict[str, Any] = {"actor": "anna", "action": "token.make"}
    first = desk.run(desk.store.acts(AuditFilter(**wanted)))
    assert (first.items, first.next_cursor is None) == ([], False)
    assert along(desk, **wanted) == [1]


@pytest.mark.parametrize("cursor", ["", "-1", "x", "1" * 19, "\N{SUPERSCRIPT TWO}"])
def test_a_foreign_cursor_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(BadParameter):
        acts(desk, cursor=cursor)


def test_old_acts_go_some_at_a_time(desk: Desk) -> None:
    noted(desk, *(f"old-{number}" for number in range(MOST_ACTS_FORGOTTEN + 1)))
    desk.pass_time(364 * DAY_S)
    noted(desk, "young")
    assert len(acts(desk, limit=2_000)) == MOST_ACTS_FORGOTTEN + 2
    desk.pass_time(2 * DAY_S)
    desk.turn()
    assert targets(desk, limit=2_000) == ["young", f"old-{MOST_ACTS_FORGOTTEN}"]


def test_the_oldest_acts_beyond_the_most_that_are_kept_go(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, audit_kept=3)
    noted(desk, "a", "b", "c", "d")
    desk.pass_time(PURGE_EVERY_S)
    noted(desk, "e")
    assert targets(desk) == ["e", "d", "c"]
    desk.pass_time(PURGE_EVERY_S)
    desk.turn()
    assert targets(desk) == ["e", "d", "c"]


def test_who_writes_fast_is_not_ahead_for_ever(open_desk: OpenDesk, kind: Kind) -> None:
    desk = open_desk(kind, audit_kept=3)
    written = [str(number) for number in range(2 * MOST_ACTS_FORGOTTEN)]
    noted(desk, *written, *written, *written)
    desk.pass_time(PURGE_EVERY_S)
    kept = []
    for _ in range(4):
        noted(desk, *written)
        kept.append(len(acts(desk, limit=10 * MOST_ACTS_FORGOTTEN)))
    assert kept == [number * MOST_ACTS_FORGOTTEN for number in (5, 4, 3, 2)]


def test_a_wall_clock_that_was_wrong_for_a_while_makes_no_act_old(desk: Desk) -> None:
    noted(desk, "a")
    desk.now_at += 400 * DAY_S
    noted(desk, "ahead")
    desk.now_at -= 800 * DAY_S
    noted(desk, "behind")
    desk.now_at += 800 * DAY_S
    desk.elapsed_s += 2 * PURGE_EVERY_S
    desk.turn()
    assert targets(desk) == ["behind", "ahead", "a"]


def test_a_turn_asks_for_the_next_until_no_old_act_is_left(desk: Desk) -> None:
    noted(desk, *(f"old-{number}" for number in range(2 * MOST_ACTS_FORGOTTEN)))
    desk.pass_time(366 * DAY_S)
    turns = 1
    while desk.turn().more:
        turns += 1
    assert (turns, targets(desk)) == (3, [])


def test_an_act_that_no_store_can_hold_spoils_nothing_else(desk: Desk) -> None:
    report = desk.turn(
        commands=[AuditNote(Actor("anna"), "backup.begin", "\ud800"), AuditNote(Actor("anna"), "backup.begin", "b")]
    )
    assert [command.done for command in report.commands] == [False, True]
    assert targets(desk) == ["b"]


def test_a_job_remembers_the_orders_for_many_that_have_changed_it(durable: Desk) -> None:
    job, _ = durable.submit(spec(tags=("a",), owner="anna"), spec())
    durable.command(Cancel(job.id, "no", replace(ANNA, operation="op-1")))
    assert not durable.command(Cancel(job.id, "again", replace(ANNA, operation="op-2"))).done
    durable.turn(
        commands=[
            Retry(job.id, replace(ANNA, operation="op-3")),
            Amend(job=job.id, tags=("b",), priority=7, actor=replace(ANNA, operation="op-4")),
        ]
    )
    durable.command(Cancel(job.id, "by hand", ANNA))
    durable.reopen()
    kept = durable.job(job.id)
    assert (kept.about.operations, kept.about.tags, kept.about.owner) == (("op-1", "op-3", "op-4"), ("b",), "anna")
    assert [found.id for found in durable.listed(tags=("b",))] == [job.id]
    assert durable.job("job-2").about.operations == ()
    assert [act.action for act in acts(durable)] == ["job.cancel"]
