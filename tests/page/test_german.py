"""The worker page in German, in real browsers on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser, Chromium, browsing
from .test_browsers import SIZES, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SHOWN = """[].map.call(document.querySelectorAll('#facts th, #buttons button'), function (part) {
  return part.textContent; }).join(' ')"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("german")) as server:
        yield server


def test_a_page_whose_address_says_so_is_german_from_the_word_to_the_report(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?name=KASSE-3&lang=de")
    seen = browser.status()
    assert (seen["word"], seen["title"]) == ("BEREIT", "BEREIT - KASSE-3 - Pagehand")
    assert seen["detail"].startswith("Wartet auf Aufträge. Lassen Sie diese Seite offen.")
    assert (seen["job"], seen["error"], seen["labels"]) == ("keiner", "keiner", "keine")
    assert seen["today"].endswith(" erledigt, 0 fehlgeschlagen")
    assert browser.run("document.documentElement.lang") == "de"
    assert browser.run(SHOWN) == (
        "Name Merkmale Server Verbunden Verbindung Auftrag Heute Letzte Aufträge Letzter Fehler "
        "Nach diesem Auftrag anhalten Neu verbinden Verbindung testen Bericht kopieren"
    )
    browser.click("pause")
    until(lambda: browser.status()["word"] == "ANGEHALTEN", 15, "the word for paused")
    assert browser.run("document.getElementById('pause').textContent") == "Fortsetzen"
    browser.click("pause")
    browser.click("copy")
    report = browser.run("document.getElementById('report').value")
    assert "Zustand: " in report
    assert "Im Augenblick ist alles in Ordnung." in report
    browser.click("test")
    until(lambda: browser.run("document.getElementById('test-title').textContent"), 15, "the test's title")
    assert browser.run("document.getElementById('test-title').textContent").startswith("Verbindungstest um ")
    assert browser.errors() == []


def test_a_german_page_without_tasks_says_whose_fault_that_is_and_what_to_tell_the_helpdesk(
    site: Live, browser: Browser
) -> None:
    show(browser, f"{site.url}/worker?types=nonsense&lang=de", "stopped")
    detail = browser.status()["detail"]
    assert detail == (
        "Der Server hat keine solche Aufgabe: nonsense. (E-TYP-02) Der Fehler liegt an der Adresse dieser Seite, "
        "nicht an diesem PC. Wer Ihnen die Adresse gab, kann helfen."
    )
    aloud = browser.run("document.getElementById('aloud').textContent")
    assert aloud.startswith("Sagen Sie dem Helpdesk: eine Seite ohne Namen, E-TYP-02, seit ")


def test_a_language_that_there_is_not_is_named_and_the_page_works(site: Live, browser: Browser) -> None:
    show(browser, f"{site.url}/worker?lang=nl")
    assert "lang is de or en, so the language of the browser is taken" in browser.status()["error"]


def test_a_german_page_fits_at_every_size(site: Live, chromium: Chromium, tmp_path: Path) -> None:
    try:
        for width, height in SIZES:
            chromium.resize(width, height)
            show(chromium, f"{site.url}/worker?name=KASSE-3&lang=de")
            chromium.screenshot(tmp_path / f"german-{width}.png")
            low = chromium.run("document.getElementById('board').getBoundingClientRect().bottom")
            wide = chromium.run("document.documentElement.scrollWidth")
            assert (low <= height, wide <= width) == (True, True), (width, height, low, wide)
    finally:
        chromium.resize(1024, 700)


def test_a_german_browser_has_a_german_page(site: Live) -> None:
    with browsing(Chromium(flags=["--lang=de-DE"], preferences={"intl.accept_languages": "de-DE,de"})) as browser:
        show(browser, f"{site.url}/worker")
        assert browser.status()["word"] == "BEREIT"
