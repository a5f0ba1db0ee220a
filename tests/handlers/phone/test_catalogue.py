"""The catalogue has the page's codes and words, in an order that stays: it is a part of what people read aloud."""

from __future__ import annotations

from handlers.phone.catalogue import BLAME, TROUBLES

#: As they were when the six letters came. New codes stand behind them.
FIRST = [
    *(f"E-NET-{number:02}" for number in range(1, 14)),
    "E-ORG-01",
    *(f"E-TOK-{number:02}" for number in range(1, 7)),
    *("E-BLK-01", "E-ADR-01", "E-OPT-01", "E-VER-01", "E-MSG-01", "E-MSG-02"),
    *(f"E-JOB-{number:02}" for number in range(1, 6)),
    *("E-LBL-01", "E-JS-01", "E-TSK-01", "E-TYP-01", "E-TYP-02", "E-OLD-01"),
]


def test_a_code_keeps_its_place() -> None:
    assert [trouble.code for trouble in TROUBLES[: len(FIRST)]] == FIRST


def test_there_are_no_more_than_six_bits_can_say() -> None:
    assert len(TROUBLES) <= 64


def test_each_blames_somebody() -> None:
    assert {trouble.whose for trouble in TROUBLES} == set(BLAME)


def test_what_the_page_ends_with_a_full_stop_has_no_mark_of_its_own() -> None:
    texts = [text for trouble in TROUBLES for text in (trouble.cause, trouble.help)] + list(BLAME.values())
    assert [text for text in texts if text[-1] in ".?!:;,"] == []
