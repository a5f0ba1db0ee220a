"""The form of a token, what is kept of it, and how long it opens anything."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.access.table import USED_EVERY_S, TokenTable
from dispatcher.access.tokens import Token, digest_of, id_of, principal_of
from dispatcher.ids import new_token

NOW = 1_800_000_000.0
TEXT = b"ph_abcd1234_" + b"s" * 43
TOKEN = Token(
    id="abcd1234",
    digest=digest_of(TEXT),
    name="scanner",
    scopes=(Scope.SUBMIT,),
    made_by="the administrator",
    made_at=1.0,
)


@pytest.fixture
def table() -> TokenTable:
    table = TokenTable()
    table.put([TOKEN])
    return table


def test_a_new_token_has_the_form_that_a_search_finds() -> None:
    text = new_token()
    assert re.fullmatch(r"ph_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", text)
    assert id_of(text.encode()) == text[3:11]
    assert new_token() != text


@pytest.mark.parametrize("text", [b"", b"ph_", TEXT[:-1], TEXT + b"s", b"xx" + TEXT[2:], TEXT + b"\n", TEXT.upper()])
def test_anything_else_is_no_token(text: bytes, table: TokenTable) -> None:
    assert id_of(text) is None
    assert table.find(text, NOW) is None


def test_the_token_is_not_kept() -> None:
    assert TEXT not in repr(TOKEN).encode()
    assert len(TOKEN.digest) == 32


def test_a_token_is_found_by_itself_alone(table: TokenTable) -> None:
    assert table.find(TEXT, NOW) == principal_of(TOKEN)
    assert table.find(TEXT[:-1] + b"t", NOW) is None
    assert table.find(b"ph_other123_" + b"s" * 43, NOW) is None
    assert TokenTable().find(TEXT, NOW) is None


def test_a_token_opens_nothing_from_the_instant_when_it_expires(table: TokenTable) -> None:
    table.put([replace(TOKEN, expires_at=NOW)])
    assert table.find(TEXT, NOW - 0.001) is not None
    assert table.find(TEXT, NOW) is None
    assert table.by_id(TOKEN.id, NOW) is None


def test_a_revoked_token_opens_nothing(table: TokenTable) -> None:
    table.put([replace(TOKEN, revoked_at=NOW)])
    assert table.find(TEXT, NOW - 1) is None
    assert table.by_id(TOKEN.id, NOW) is None


def test_a_session_is_found_by_the_id_of_its_token(table: TokenTable) -> None:
    assert table.by_id(TOKEN.id, NOW) == principal_of(TOKEN)
    assert table.by_id("other123", NOW) is None


def test_a_use_is_noted_once_a_minute(table: TokenTable) -> None:
    instants = [NOW, NOW + 1, NOW + USED_EVERY_S - 0.1]
    for instant in instants:
        table.find(TEXT, instant)
    assert table.used() == {TOKEN.id: NOW}
    assert table.used() == {}
    table.find(TEXT, NOW + USED_EVERY_S)
    assert table.used() == {TOKEN.id: NOW + USED_EVERY_S}
    table.by_id(TOKEN.id, NOW)  # the clock was put back
    assert table.used() == {TOKEN.id: NOW}


def test_a_wrong_secret_is_no_use(table: TokenTable) -> None:
    table.find(TEXT[:-1] + b"t", NOW)
    assert table.used() == {}
    assert table.all() == [TOKEN]


def test_the_newest_token_stands_first(table: TokenTable) -> None:
    newer, same = replace(TOKEN, id="zzzzzzzz", made_at=2.0), replace(TOKEN, id="aaaaaaaa")
    table.put([newer, same])
    assert table.all() == [newer, same, TOKEN]
    table.remove(["zzzzzzzz", "unknown1"])
    assert table.all() == [same, TOKEN]
    assert table.get("zzzzzzzz") is None
    assert table.get("aaaaaaaa") == same
