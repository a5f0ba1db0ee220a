"""static/words.js and language.js: each text of the worker page in both languages, and no text outside of them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from .harness import STATIC, Page, bare_engine, speak
from .test_page_words import AT, words_engine

#: The page's own scripts that say something.
SPEAKING = ("check", "address", "task-files", "page-words", "test-words", "test-lines", "question", "page", "spoken")
_LITERAL = r"'(?:[^'\\\n]|\\.)*'"
_SAID = re.compile(rf"(?<![\w.])(?:t|both)\(\s*({_LITERAL}(?:\s*\+\s*{_LITERAL})*)")
_COMMENT = re.compile(rf"({_LITERAL})|/\*.*?\*/|//[^\n]*", re.S)
#: Words with a space between them, or one that begins or ends as a sentence does.
_LOOKS_SAID = re.compile(r"[A-Za-z]{2,}[,.:]? [A-Za-z(]|^[A-Z][a-z]+[.:]?$|^[A-Z]{2,} ?[A-Z]*$|^ ?[a-z]{2,} $|[a-z]\.$")
#: What no person at the page reads: for the language, the browser and the authors of tasks.
NOT_SAID = {
    "use strict", "GET", "Math", " would block the worker page until somebody answers it",
    "23456789ABCDEFGHJKLMNPQRSTUVWXYZ", "TEXTAREA",
}  # fmt: skip


def catalogue() -> list[tuple[str, str]]:
    js = bare_engine()
    speak(js)
    return [(english, german) for english, german in json.loads(js.eval("JSON.stringify(pagehandCatalogue)"))]


def bare(name: str) -> str:
    """A script without its comments."""
    text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
    return _COMMENT.sub(
        lambda found: found[1] or "", re.sub(r"/(?:[^/\\\n*]|\\.)+/[gi]*\.|(?<=replace\()/[^\n]*?/", "", text)
    )


def value(literals: str) -> str:
    js = bare_engine()
    return str(js.eval(literals))


def said(script: str) -> list[str]:
    """The texts that a script takes from the catalogue."""
    return [value(found[1]) for found in _SAID.finditer(script)]


def outside(script: str) -> list[str]:
    """The texts that a script has beside the catalogue."""
    texts = [value(found) for found in re.findall(_LITERAL, _SAID.sub("t(", script))]
    return [text for text in texts if _LOOKS_SAID.search(text) and text not in NOT_SAID]


def in_the_page() -> tuple[list[str], list[str]]:
    """(texts that the page's HTML has translated, those that stand in it as they are)"""
    html = (STATIC / "worker.html").read_text(encoding="utf-8")
    body = re.sub(r"<noscript>.*?</noscript>|<title>.*?</title>", "", html, flags=re.S)
    marked = re.findall(r"<[^>]* data-text[^>]*>([^<]*)<", body) + re.findall(r'aria-label="([^"]*)"', body)
    rest = re.sub(r"<[^>]* data-text[^>]*>[^<]*<", "<", body)
    return marked, re.findall(r">\s*([^<>]*[A-Za-z][^<>]*?)\s*<", rest)


def of_the_library() -> list[str]:
    """The sentences of codes and of whose fault it is, and the reasons for polling."""
    codes = json.loads(Page().load().js.eval("JSON.stringify(Pagehand.CODES)"))
    blame = Page().load().run("return Object.keys(Pagehand.CODES).map(Pagehand.blame);")
    choice = (STATIC / "worker" / "choice.js").read_text(encoding="utf-8")
    reasons = re.findall(rf"({_LITERAL})", choice[choice.index("Choice.prototype._reason") :])
    words = [text for text in map(value, reasons) if " " in text.strip()]
    assert len(words) == 6
    status = (STATIC / "worker" / "status.js").read_text(encoding="utf-8")
    over = re.findall(r"isOverdue\(attempt\.cancelled\) \? '([^']*)' : '([^']*)'", status)[0]
    return [*codes.values(), *blame, *(text.removesuffix(" (") for text in words), *over]


def used() -> set[str]:
    """All texts that the page says."""
    texts = {text for name in SPEAKING for text in said(bare(name))}
    assert len(texts) > 150
    return texts | set(in_the_page()[0]) | set(of_the_library())


def test_each_text_of_the_page_stands_in_the_catalogue_once_and_each_of_the_catalogue_on_the_page() -> None:
    known = Counter(english for english, _ in catalogue())
    assert [text for text, count in known.items() if count > 1] == []
    assert sorted(used() - set(known)) == []
    assert sorted(set(known) - used()) == []


def test_both_languages_have_each_text_with_the_same_values() -> None:
    for english, german in catalogue():
        assert (bool(english.strip()), bool(german.strip())) == (True, True), english
        assert Counter(re.findall(r"\{\w+\}", english)) == Counter(re.findall(r"\{\w+\}", german)), english
        assert set(re.findall(r"#\w+=|%\d+|E-[A-Z]+-\d+", english)) == set(
            re.findall(r"#\w+=|%\d+|E-[A-Z]+-\d+", german)
        ), english
        assert (english[-1] in ".:") == (german[-1] in ".:"), english


def test_no_text_of_the_page_stands_outside_of_the_catalogue() -> None:
    assert {name: found for name in SPEAKING if (found := outside(bare(name)))} == {}
    assert in_the_page()[1] == []


@pytest.mark.parametrize(
    "script", ["show('word', 'Ready.');", "x = 'since ' + y;", "x = t('Job') + ' is over';", "x = 'STOPPED';"]
)
def test_a_text_that_somebody_forgets_is_found(script: str) -> None:
    assert len(outside(script)) == 1


@pytest.mark.parametrize(
    ("search", "navigator", "language"),
    [
        ("", "{language: 'de-AT'}", "de"),
        ("", "{userLanguage: 'de'}", "de"),
        ("", "{language: 'en-GB'}", "en"),
        ("", "{language: 'fr'}", "en"),
        ("", "{language: 'den'}", "en"),
        ("", "{}", "en"),
        ("?lang=en", "{language: 'de'}", "en"),
        ("?name=A&lang=de", "{language: 'en'}", "de"),
        ("?lang=nl", "{language: 'de'}", "de"),
        ("?xlang=de", "{language: 'en'}", "en"),
    ],
)
def test_the_address_says_the_language_or_else_the_browser(search: str, navigator: str, language: str) -> None:
    js = bare_engine()
    js.eval(f"var window = this; window.location = {{search: '{search}'}}; window.navigator = {navigator};")
    js.eval("window.document = {documentElement: {}};")
    for name in ("words.js", "language.js"):
        js.eval((STATIC / name).read_text(encoding="utf-8"))
    assert js.eval("pagehandLanguage + document.documentElement.lang") == language * 2


def german(function: str, *values: Any) -> str:
    js = words_engine("de")
    arguments = ", ".join(json.dumps(value).replace(json.dumps(AT), AT) for value in values)
    return str(js.eval(f"(pagehandWords.{function} || pagehandTestWords.{function})({arguments})"))


STATUS: dict[str, Any] = {
    "otherWindow": None, "jobs": [], "retryMs": 4_000, "failures": 2, "hold": None, "paused": False, "refusal": None,
    "standing": {"code": "E-NET-01", "since": AT, "text": "The server cannot be reached.", "whose": ""},
    "error": {
        "code": "E-NET-06", "text": "The server answered with an error.", "detail": "status 500 | {why}", "at": AT,
        "whose": "The fault lies with the server, not with this PC. Leave this page open.",
    },
}  # fmt: skip


def test_a_german_page_says_what_is_wrong_in_german_and_a_detail_as_it_came() -> None:
    assert german("detailText", STATUS | {"state": "reconnecting"}) == (
        "Der Server hat seit 10:30 nicht geantwortet. Nächster Versuch in 4 s, Versuch 2. Der Server hat mit einem "
        "Fehler geantwortet. Der Fehler liegt am Server, nicht an diesem PC. Lassen Sie diese Seite offen."
    )
    said = german("errorText", STATUS["error"])
    assert said == "Der Server hat mit einem Fehler geantwortet: status 500 | {why} (E-NET-06, 10:30:05)"
    hold = {"by": "anna", "reason": "printer | broken {time}", "leave": False}
    told = german("detailText", STATUS | {"state": "paused", "hold": hold, "standing": None})
    assert told.startswith("Nimmt keine Aufträge an: angehalten von anna: printer | broken {time}. Nur wer")


def test_a_german_page_reads_aloud_the_same_code_and_the_same_letters() -> None:
    aloud = german("aloudText", STATUS, "FRONT-DESK-07", "BEENDET")
    assert re.fullmatch(
        r"Sagen Sie dem Helpdesk: FRONT-DESK-07, E-NET-01, seit 10:30\. Oder nur: [2-9A-Z]{3}-[2-9A-Z]{3}\.", aloud
    )


def test_a_reason_for_polling_is_german_and_its_detail_as_it_came() -> None:
    connection = {"transport": "polling", "reason": "sockets failed twice (E-NET-07, after 3 s)", "until": None}
    assert german("connectionText", connection) == (
        "Long-Polling, weil zweimal ein WebSocket versagt hat (E-NET-07, after 3 s)"
    )


def test_what_a_test_of_the_connection_tells_the_server_is_english_on_each_page() -> None:
    line = {"name": "server", "state": "fine", "ms": 23}
    assert german("testLine", line) == "Server: OK. Er antwortet in 23 ms."
    short = german("testShort", [line, {"name": "clock", "state": "untested", "skipped": "stopped"}], AT)
    assert short == "2026-11-23 10:30: server OK 23 ms, clock not tested"


@pytest.mark.parametrize(
    ("question", "shown"),
    [
        ("Was this done: order 7?", "Wurde das erledigt: order 7?"),
        ("Kam das Etikett heraus? {name}", "Kam das Etikett heraus? {name}"),
    ],
)
def test_a_question_is_the_task_s_or_else_german_on_a_german_page(question: str, shown: str) -> None:
    assert german("questionText", {"question": question}) == shown
