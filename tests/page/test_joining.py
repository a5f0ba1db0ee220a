"""A page joins: what it keeps, what it shows, and what it forgets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import REGISTERED, Message, Page

JOIN = "ph_abcd1234_" + "A" * 43
IDENTITY: Message = {"op": "identity", "worker": "w7", "secret": "x7"}
CREDENTIAL: Message = {"op": "credential", "credential": "phw_kept"}
TAKEN = {**REGISTERED, "worker": "w7", "secret": "x7"}


def opened(hash_: str = f"#join={JOIN}", **config: Any) -> Page:
    """A page that was opened at this address."""
    page = Page(**config)
    page.js.eval(f"fakeWindow.address('', {json.dumps(hash_)}); null;")
    return page.load()


def joined(**config: Any) -> Page:
    page = opened(**config)
    assert page.open()["join"] == JOIN
    page.push(IDENTITY)
    (register,) = page.take()
    assert (register["join"], register["worker"], register["secret"]) == (JOIN, "w7", "x7")
    page.push(CREDENTIAL, TAKEN)
    return page


def shown(register: Message) -> tuple[object, object, object]:
    return register.get("token"), register.get("join"), register.get("worker")


def test_a_page_joins_by_its_address_and_shows_its_credential_from_then_on() -> None:
    page = joined()
    assert page.state == "ready"
    assert page.run("return fakeWindow.shownAddress();") == "/worker"
    page.js.eval("fakeWindow.address('', ''); null;")
    page.load()
    assert shown(page.open()) == ("phw_kept", None, "w7")
    assert JOIN not in json.dumps(page.world())


def test_a_page_that_is_loaded_before_it_hears_of_its_credential_joins_as_the_same_worker() -> None:
    page = opened()
    page.open()
    page.push(IDENTITY)
    page.take()  # it has asked, and is loaded anew before the answer comes
    page.js.eval("fakeWindow.address('', ''); null;")
    page.load()
    assert shown(page.open()) == (None, JOIN, "w7")


def test_a_kiosk_that_opens_the_same_address_every_day_shows_both() -> None:
    page = joined()
    page.js.eval(f"fakeWindow.address('', '#join={JOIN}'); null;")
    page.load()
    assert shown(page.open()) == ("phw_kept", JOIN, "w7")


def test_the_credential_is_there_when_the_browser_was_closed_and_opened_again() -> None:
    page = joined()
    page.js.eval("fakeWindow.address('', ''); fakeWindow.otherWindow(); fakeWindow.stepDate(60000); null;")
    page.load()
    assert shown(page.open()) == ("phw_kept", None, "w7")


def test_what_the_address_brings_takes_the_place_of_what_was_kept() -> None:
    page = joined()
    page.js.eval("fakeWindow.address('', '#token=plain'); null;")
    page.load()
    assert shown(page.open()) == ("plain", None, "w7")
    page.js.eval(f"fakeWindow.address('', '#join={JOIN}'); null;")
    page.load()
    assert shown(page.open()) == ("phw_kept", JOIN, "w7")


def test_an_application_may_give_the_token_for_joining_itself() -> None:
    page = Page(options={"join": JOIN}).load()
    assert shown(page.open()) == (None, JOIN, None)


def test_a_token_for_joining_is_not_looked_for_in_the_query() -> None:
    page = Page()
    page.js.eval(f"fakeWindow.address('?join={JOIN}', ''); null;")
    page.load()
    assert shown(page.open()) == (None, None, None)


def test_a_page_without_any_storage_has_joined_for_its_own_life_and_says_so() -> None:
    page = Page(blockSession=True, blockLocal=True)
    page.js.eval(f"fakeWindow.setName('host'); fakeWindow.address('', '#join={JOIN}'); null;")
    page.load()
    assert page.open()["join"] == JOIN
    page.push(IDENTITY)
    page.take()
    page.push(CREDENTIAL, TAKEN)
    assert any("the browser keeps nothing for it" in event["text"] for event in page.status()["events"])
    assert page.run("return fakeWindow.shownAddress();") == "", "the next load needs it"
    assert shown(page.reconnect()) == ("phw_kept", None, "w7")


@pytest.mark.parametrize(
    ("code", "shows"), [("join_used_up", "E-TOK-05"), ("other_window", "E-TOK-06"), ("token_ended", "E-TOK-03")]
)
def test_a_page_that_may_not_join_says_why_and_comes_back_slowly(code: str, shows: str) -> None:
    page = opened()
    page.open()
    page.push({"op": "refused", "code": code, "detail": "no"})
    assert (page.state, page.error) == ("not_allowed", shows)


def test_an_identity_that_comes_late_changes_nothing() -> None:
    page = joined()
    page.push({"op": "identity", "worker": "w8", "secret": "x8"})
    assert page.status()["worker"] == "w7"
