"""What a page says of its browser, in words."""

from __future__ import annotations

import pytest

from handlers.console.agents import Fact, browser_word, page_facts

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/156.0.0.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "word"),
    [
        (CHROME, "Chrome 156, Linux"),
        (CHROME.replace("X11; Linux", "Windows NT 10.0; Win64") + " Edg/156.0", "Edge 156, Windows 10 or 11"),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11, Windows 7"),
        ("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.3; Trident/7.0)", "Internet Explorer 11, Windows 8.1"),
        ("Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", "Internet Explorer 6, Windows XP"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140, Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) "
            "Version/18.5 Safari/605.1",
            "Safari 18, macOS",
        ),
        (f"Mozilla/5.0 (Unknown; Linux x86_64) {WEBKIT} PhantomJS/2.1.1 Safari/538.1", "PhantomJS 2, Linux"),
        ("till", "till"),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_a_user_agent_is_said_in_words(agent: str, word: str) -> None:
    assert browser_word(agent) == word


def test_a_page_is_described_in_words_with_the_user_agent_as_it_came() -> None:
    page = {"storage": "true", "user_agent": CHROME, "library": "0.1.0"}
    assert page_facts(page) == [
        Fact("Browser", "Chrome 156, Linux", CHROME),
        Fact("Library", "0.1.0"),
        Fact("Storage", "yes"),
    ]


def test_a_document_mode_and_missing_storage_are_named() -> None:
    facts = page_facts({"document_mode": "11", "storage": "false", "other": "x"})
    assert [(fact.title, fact.value) for fact in facts] == [
        ("Browser", "Internet Explorer in document mode 11"),
        ("Storage", "no: it forgets its name and results when it is closed"),
        ("other", "x"),
    ]


def test_what_an_older_version_has_kept_of_a_page_is_read_as_it_was_meant() -> None:
    facts = page_facts({"document_mode": "None", "storage": "True", "user_agent": CHROME})
    assert [(fact.title, fact.value) for fact in facts] == [("Browser", "Chrome 156, Linux"), ("Storage", "yes")]


def test_why_a_page_polls_is_said_while_it_does() -> None:
    page = {"transport": "polling", "transport_reason": "this server refuses WebSocket"}
    assert page_facts(page, "polling") == [Fact("Long-polling because", "this server refuses WebSocket")]
    assert page_facts(page, "websocket") == []


def test_what_a_test_of_the_connection_has_found_has_a_title() -> None:
    found = "2026-11-23 10:30: server OK 23 ms"
    assert page_facts({"connection_test": found}) == [Fact("Connection test", found)]
