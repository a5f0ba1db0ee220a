"""The contract of a store: what operators have said of workers and types."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.jobs.acts.kept import Hold, KeepType, KeepWorker, KeptType, KeptWorker
from dispatcher.core.jobs.terms import NO_DEFAULTS, TypeDefaults
from tests.store.contract import NOW, Desk

ANN = Actor("ann", "abcd1234", "10.0.0.9")
FULL = KeptWorker(
    id="w2", called="page", name="Empfang \N{SNOWMAN}", labels=(("printer", "zebra"), ("site", "berlin")),
    note="beside the door", paused=Hold(NOW, "ann", "lunch", True), blocked=Hold(NOW + 0.5, "ben", ""),
)  # fmt: skip
PAUSED = KeptWorker(id="w1", called="desk", paused=Hold(NOW, "ann", "lunch"))


def keep(one: KeptWorker) -> KeepWorker:
    return KeepWorker(one, "worker.pause", "lunch", ANN)


def kept(desk: Desk) -> list[KeptWorker]:
    return desk.run(desk.store.kept.workers())


def test_a_new_store_keeps_nothing(desk: Desk) -> None:
    assert kept(desk) == []


def test_what_was_said_is_kept_as_it_was_said_the_last_time(desk: Desk) -> None:
    desk.turn(commands=[keep(replace(FULL, note="old")), keep(PAUSED), keep(FULL)])
    assert kept(desk) == [PAUSED, FULL]


def test_it_survives_a_restart(durable: Desk) -> None:
    durable.turn(commands=[keep(PAUSED), keep(FULL)])
    durable.reopen()
    assert kept(durable) == [PAUSED, FULL]


def test_nothing_is_kept_of_a_worker_when_all_was_taken_back(desk: Desk) -> None:
    desk.command(keep(PAUSED))
    assert desk.command(keep(replace(PAUSED, paused=None))).done
    assert kept(desk) == []


def test_it_is_read_in_pieces(desk: Desk) -> None:
    workers = [replace(PAUSED, id=f"w{number}") for number in range(5)]
    desk.turn(commands=list(map(keep, reversed(workers))))
    assert desk.run(desk.store.kept.workers("", 2)) == workers[:2]
    assert desk.run(desk.store.kept.workers("w1", 2)) == workers[2:4]
    assert desk.run(desk.store.kept.workers("w4", 2)) == []


def test_each_order_is_an_act(desk: Desk) -> None:
    desk.command(keep(PAUSED))
    [act] = desk.run(desk.store.acts(AuditFilter())).items
    assert (act.actor, act.action, act.target, act.detail) == (ANN, "worker.pause", "w1", "lunch")


def test_what_cannot_be_stored_is_refused_alone(desk: Desk) -> None:
    good, bad = desk.turn(commands=[keep(PAUSED), keep(replace(FULL, note="\ud800"))]).commands
    assert (good.done, bad.done) == (True, False)
    assert kept(desk) == [PAUSED]


ECHO = KeptType(type="echo", paused=Hold(NOW, "ann", "no paper"))


def keep_type(one: KeptType) -> KeepType:
    return KeepType(one, "type.pause", "no paper", ANN)


def types(desk: Desk, after: str = "", most: int = 9) -> list[KeptType]:
    return desk.run(desk.store.kept.types(after, most))


def test_paused_types_are_kept_by_name_and_read_in_pieces(desk: Desk) -> None:
    assert types(desk) == []
    fax = replace(ECHO, type="fax")
    desk.turn(commands=[keep_type(fax), keep_type(replace(ECHO, paused=Hold(1.0, "", ""))), keep_type(ECHO)])
    assert (types(desk), types(desk, "echo"), types(desk, "", 1)) == ([ECHO, fax], [fax], [ECHO])
    assert desk.command(keep_type(KeptType(type="echo"))).done
    assert types(desk) == [fax]
    assert kept(desk) == [], "workers are kept apart"


def test_a_paused_type_survives_a_restart(durable: Desk) -> None:
    durable.command(keep_type(ECHO))
    durable.reopen()
    assert types(durable) == [ECHO]


def test_the_defaults_of_a_type_are_kept_with_its_pause_or_without(durable: Desk) -> None:
    defaults = TypeDefaults(
        priority=-5, timeout_s=0.1 + 30, max_attempts=7, max_crashes=0, heartbeat_s=2, effects="once"
    )
    both, alone = replace(ECHO, defaults=defaults), KeptType(type="fax", defaults=TypeDefaults(priority=0))
    durable.turn(commands=[keep_type(both), keep_type(alone)])
    durable.reopen()
    assert types(durable) == [both, alone]
    durable.command(keep_type(replace(alone, defaults=NO_DEFAULTS)))
    assert types(durable) == [both]


def test_a_reason_that_is_no_text_keeps_nothing(desk: Desk) -> None:
    broken = KeptType(type="echo", paused=Hold(NOW, "ann", "\ud800"))
    assert not desk.command(keep_type(broken)).done
    assert types(desk) == []


def test_a_pause_of_a_type_is_an_act(desk: Desk) -> None:
    desk.command(keep_type(ECHO))
    [act] = desk.run(desk.store.acts(AuditFilter())).items
    assert (act.action, act.target, act.detail) == ("type.pause", "echo", "no paper")
