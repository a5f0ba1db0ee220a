"""``token``: an administrator's tokens, made, listed and revoked; and what is said to one that lacks a scope."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.sdk.cli.typed import typed
from tests.support.server import live

ADMIN = "the-secret-of-the-administrator"


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with live(tmp_path_factory.mktemp("tokens"), "--token", ADMIN) as server:
        yield ["--url", server.url, "--token", ADMIN]


def test_a_token_is_shown_once_opens_what_its_scopes_say_and_is_revoked(admin: list[str]) -> None:
    made = typed("token", "create", "scanner", "--scope=submit", "--type=ocr", "--expires-s=1h", *admin)
    own = [*admin[:2], "--token", made.out.strip()]
    assert (made.status, "Nobody can show this token again" in made.err) == (0, True)
    assert typed("submit", "ocr", *own).status == 0
    for words in (["submit", "other"], ["backup"], ["token", "list"]):
        denied = typed(*words, *own)
        assert (denied.status, "Ask whoever runs the server for a token" in denied.err) == (5, True)
    table = typed("token", "list", *admin, terminal=True, environ={"COLUMNS": "200"}).out
    token_id, *row = table.splitlines()[1].split()
    assert row[:4] == ["scanner", "yes", "submit", "ocr"]
    assert typed("token", "revoke", token_id, *admin)[:2] == (0, f"{token_id}\n")
    assert typed("submit", "ocr", *own).status == 5
    assert json.loads(typed("token", "list", "-o", "json", *admin).out)["works"] is False


def test_a_token_that_may_only_submit_is_told_the_job_that_it_may_not_wait_for(admin: list[str]) -> None:
    made = typed("token", "create", "till", "--scope=submit", "--quiet", *admin).out.strip()
    said = typed("submit", "ocr", "--key=till-1", "--wait", "--quiet", *admin[:2], "--token", made)
    job_id = typed("submit", "ocr", "--key=till-1", *admin[:2], "--token", made).out.strip()
    assert (said.status, said.out, said.err.startswith(f"pagehand: {job_id}: ")) == (5, "", True)


def test_what_cannot_be_made_or_ended_is_said(admin: list[str]) -> None:
    wrong = typed("token", "create", "scanner", "--scope=fly", *admin)
    assert (wrong.status, "scopes" in wrong.err) == (2, True)
    assert typed("token", "revoke", "nothing", *admin).status == 1


def test_a_token_for_joining_is_shown_as_the_address_of_its_pages(admin: list[str]) -> None:
    words = ["--scope=worker", "--join", "--uses=30", "--label=site:berlin", "--label=floor:2"]
    made = typed("token", "create", "berlin", *words, *admin)
    assert made.status == 0
    assert re.fullmatch(re.escape(admin[1]) + r"/worker#join=ph_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", made.out)
    assert "Nobody can show this address again" in made.err
    table = typed("token", "list", *admin, terminal=True, environ={"COLUMNS": "200"}).out
    assert "30 of 30" in table.splitlines()[1]
    whole = json.loads(typed("token", "create", "one", "--scope=worker", "--join", "-o", "json", *admin).out)
    assert (whole["join"]["uses"], whole["labels"]) == (1, {})


@pytest.mark.parametrize(
    "words", [["--uses=3"], ["--join", "--label=site"], ["--join", "--label=a:b", "--label=a:c"], ["--label=:x"]]
)
def test_what_cannot_be_meant_makes_no_token_for_joining(admin: list[str], words: list[str]) -> None:
    said = typed("token", "create", "berlin", "--scope=worker", *words, *admin)
    assert (said.status, said.out) == (2, "")
