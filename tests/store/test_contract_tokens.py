"""The contract of a store: tokens."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.access.commands import EndCredentials, JoinWorker, MakeToken, RevokeToken, UsedTokens
from dispatcher.access.credentials import Credential
from dispatcher.access.scopes import Scope
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.acts.kept import Hold, KeepWorker, KeptWorker
from tests.store.contract import NOW, Desk

TOKEN = Token(
    id="abcd1234", digest=bytes(range(32)), name="Etikettendrucker \N{SNOWMAN}", scopes=(Scope.SUBMIT, Scope.READ),
    types=("label", "note"), made_by="the administrator", made_at=NOW, expires_at=NOW + 60.5,
    jobs_per_minute=60,
)  # fmt: skip
PLAIN = Token(id="zzzz9999", digest=b"\0" * 32, name="x", scopes=(Scope.ADMIN,), made_by="abcd1234", made_at=NOW + 1.0)


def tokens(desk: Desk) -> dict[str, Token]:
    return {token.id: token for token in desk.run(desk.store.tokens())}


def test_a_new_store_has_no_token(desk: Desk) -> None:
    assert tokens(desk) == {}


def test_a_token_is_kept_as_it_was_made(desk: Desk) -> None:
    assert desk.command(MakeToken(TOKEN)).done
    assert desk.command(MakeToken(PLAIN)).done
    assert tokens(desk) == {TOKEN.id: TOKEN, PLAIN.id: PLAIN}


def test_a_token_survives_a_restart(durable: Desk) -> None:
    durable.command(MakeToken(TOKEN))
    durable.command(RevokeToken(TOKEN.id, NOW + 5.0))
    durable.command(UsedTokens({TOKEN.id: NOW + 4.0}))
    durable.reopen()
    assert tokens(durable) == {TOKEN.id: replace(TOKEN, revoked_at=NOW + 5.0, last_used_at=NOW + 4.0)}


def test_a_token_is_revoked_once(desk: Desk) -> None:
    desk.turn(commands=[MakeToken(TOKEN), MakeToken(PLAIN)])
    assert desk.command(RevokeToken(TOKEN.id, NOW + 5.0)).done
    desk.command(RevokeToken(TOKEN.id, NOW + 9.0))
    assert tokens(desk) == {TOKEN.id: replace(TOKEN, revoked_at=NOW + 5.0), PLAIN.id: PLAIN}


def test_a_use_that_is_told_late_revives_no_token(desk: Desk) -> None:
    desk.turn(
        commands=[MakeToken(TOKEN), RevokeToken(TOKEN.id, NOW + 5.0), UsedTokens({TOKEN.id: NOW, "unknown1": NOW})]
    )
    assert tokens(desk) == {TOKEN.id: replace(TOKEN, revoked_at=NOW + 5.0, last_used_at=NOW)}


def test_old_tokens_make_room(desk: Desk) -> None:
    desk.command(MakeToken(TOKEN))
    desk.command(MakeToken(PLAIN, forget=(TOKEN.id, "unknown1")))
    assert tokens(desk) == {PLAIN.id: PLAIN}


def test_a_token_that_cannot_be_kept_fails_nothing_else(desk: Desk) -> None:
    bad = [replace(TOKEN, name="\ud800"), replace(TOKEN, types=("\ud800",))]
    report = desk.turn(commands=[*map(MakeToken, bad), MakeToken(PLAIN)])
    assert [told.done for told in report.commands] == [False, False, True]
    assert tokens(desk) == {PLAIN.id: PLAIN}


JOINS = replace(
    PLAIN, scopes=(Scope.WORKER,), labels=(("printer", "zebra"), ("site", "b\xe4r")), uses=3, jobs_per_minute=60
)
GIVEN = Credential(worker="w1", token_id=JOINS.id, digests=(b"\1" * 32, b"\2" * 32), at=NOW)


def credentials(desk: Desk) -> list[Credential]:
    return desk.run(desk.store.kept.credentials())


def test_a_token_for_joining_survives_a_restart_with_its_uses_and_the_credentials(durable: Desk) -> None:
    durable.turn(commands=[MakeToken(JOINS), JoinWorker(GIVEN, spends=True)])
    durable.command(JoinWorker(replace(GIVEN, worker="w2"), spends=True))
    durable.reopen()
    assert tokens(durable) == {JOINS.id: replace(JOINS, used=2, last_used_at=NOW)}
    assert credentials(durable) == [GIVEN, replace(GIVEN, worker="w2")]


def test_a_worker_that_joins_again_spends_nothing_and_has_another_credential(desk: Desk) -> None:
    desk.turn(commands=[MakeToken(JOINS), JoinWorker(GIVEN, spends=True)])
    again = replace(GIVEN, digests=(b"\3" * 32, *GIVEN.digests))
    assert desk.command(JoinWorker(again, spends=False)).done
    assert (tokens(desk)[JOINS.id].used, credentials(desk)) == (1, [again])


def test_what_the_store_cannot_hold_spends_no_use(desk: Desk) -> None:
    desk.command(MakeToken(JOINS))
    assert not desk.command(JoinWorker(replace(GIVEN, worker="\ud800"), spends=True)).done
    assert (tokens(desk)[JOINS.id].used, credentials(desk)) == (0, [])


def test_credentials_are_ended_one_by_one(desk: Desk) -> None:
    joined = [JoinWorker(replace(GIVEN, worker=f"w{n}"), spends=True) for n in range(4)]
    desk.turn(commands=[MakeToken(replace(JOINS, uses=4)), *joined])
    assert desk.command(EndCredentials(("w0", "w2", "nobody"))).done
    assert [one.worker for one in credentials(desk)] == ["w1", "w3"]
    assert [one.worker for one in desk.run(desk.store.kept.credentials("w1", 5))] == ["w3"]
    assert tokens(desk)[JOINS.id].used == 4, "a use is not given back"


def test_a_worker_that_is_blocked_has_no_credential_any_more(desk: Desk) -> None:
    desk.turn(commands=[MakeToken(JOINS), JoinWorker(GIVEN, spends=True)])
    paused = KeptWorker(id="w1", paused=Hold(NOW, "ann"))
    desk.command(KeepWorker(paused, "worker.pause"))
    assert credentials(desk) == [GIVEN]
    desk.command(KeepWorker(replace(paused, blocked=Hold(NOW, "ann")), "worker.block"))
    assert credentials(desk) == []
