"""``/phone``: what a helpdesk types, and what it is told."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from handlers.phone.catalogue import TROUBLES
from handlers.phone.spoken import Spoken
from tests.handlers.conftest import Browser
from tests.handlers.phone.letters import written

pytestmark = pytest.mark.gen_test(timeout=30)


async def asked(browser: Browser, code: str) -> str:
    return await browser.page(f"/phone?{urlencode({'code': code})}")


async def test_each_code_is_told_with_its_fault_and_what_to_do(browser: Browser) -> None:
    for trouble in TROUBLES:
        page = await asked(browser, written(Spoken(trouble, 10 * 60 + 31, 3)).lower())
        assert f"<h2>{trouble.text}</h2>" in page
        assert "Since 10:31 by the clock of that PC. It has tried 3 times." in page
        assert (trouble.code in page, "Whose fault:" in page, "`" in page) == (True, True, False)


@pytest.mark.parametrize("typed", ["E-NET-12", "e net 12", "enet12"])
async def test_the_code_itself_may_be_typed(browser: Browser, typed: str) -> None:
    page = await asked(browser, typed)
    assert "Something on the way cuts waiting requests" in page
    assert "by the clock of that PC" not in page
    assert "<code>/engine.io/</code>" in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("E-NET-99", "knows no code E-NET-99"),
        ("<b>234", "has no &lt; and no &gt;"),
        ("HELLO WORLD", "these are 10"),
        ("K7F-42A", "wrong"),
    ],
)
async def test_what_is_no_code_is_shown_again_with_what_to_ask_for(browser: Browser, typed: str, words: str) -> None:
    page = await asked(browser, typed)
    assert words in page
    assert "read again, letter by letter" in page
    assert "What to do:" not in page
    assert "<b>" not in page


async def test_each_page_leads_there(browser: Browser) -> None:
    assert '<a href="/phone">' in await browser.page("/workers")
    assert "What to do:" not in await browser.page("/phone")


@pytest.mark.parametrize("typed", ["SERVER MAINTENANCE", "server-maintenance", "Server-Wartung", "serverwartung"])
async def test_the_word_of_a_state_is_taken_for_its_code(browser: Browser, typed: str) -> None:
    page = await asked(browser, typed)
    assert "<h2>The server is being restarted.</h2>" in page
    assert "E-SRV-01" in page
    assert "by the clock of that PC" not in page


@pytest.mark.parametrize(
    ("typed", "head", "words"),
    [
        ("ready", "READY", "Nothing is wrong"),
        ("Angehalten", "PAUSED", "the button Resume there ends that"),
        ("VERBINDET NEU", "RECONNECTING", "ask for the line that begins with &quot;Tell the helpdesk&quot;"),
    ],
)
async def test_a_word_that_says_too_little_is_told_what_to_ask_for(
    browser: Browser, typed: str, head: str, words: str
) -> None:
    page = await asked(browser, typed)
    assert f"<h2>{head} / " in page
    assert words in page
    assert "letter by letter" not in page
