"""Data and results: laid out for people, or as sent."""

from __future__ import annotations

import pytest

from handlers.console.values import LONGEST_LAID_OUT, part_of


def laid_out(text: str) -> str:
    part = part_of(text, everything=True, as_sent=False)
    assert not part.cut
    return part.text


def test_each_value_stands_on_a_line_of_its_own_and_numbers_keep_their_digits() -> None:
    assert laid_out('{"a":[1,12345678901234567890.10],"b":{},"c":[ ]}') == (
        '{\n  "a": [\n    1,\n    12345678901234567890.10\n  ],\n  "b": {},\n  "c": []\n}'
    )


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (r'"\u00d6zt\u00fcrk"', '"Öztürk"'),
        (r'"\ud83d\ude00 \/"', '"😀 /"'),
        (r'"\u0022 \u005c \" \\u00d6"', r'"\u0022 \u005c \" \\u00d6"'),
        (r'"\u202e \u0000 \n \ud83d"', r'"\u202e \u0000 \n \ud83d"'),
        (r'"{[,:"', '"{[,:"'),
        ("null", "null"),
    ],
)
def test_texts_are_decoded_where_a_person_can_see_the_character(sent: str, shown: str) -> None:
    assert laid_out(sent) == shown


def test_as_sent_changes_nothing() -> None:
    sent = r'{"a": "\u00d6",  "b":1}'
    assert part_of(sent, everything=False, as_sent=True).text == sent


@pytest.mark.parametrize("as_sent", [True, False])
def test_a_long_text_is_cut_until_all_is_asked_for(as_sent: bool) -> None:
    text = "[" + "1," * 5_000 + "1]"
    part = part_of(text, everything=False, as_sent=as_sent)
    assert (len(part.text), part.cut) == (4_000, True)
    assert len(part_of(text, everything=False, as_sent=as_sent, pictured=True).text) == 300
    assert not part_of(text, everything=True, as_sent=as_sent).cut


def test_a_deep_text_makes_no_huge_page() -> None:
    text = "[" * 900 + "1," * 40_000 + "1" + "]" * 900
    assert len(laid_out(text)) < 45 * len(text)


def test_a_very_long_text_is_shown_whole_only_as_sent() -> None:
    text = "[" + "1," * LONGEST_LAID_OUT + "1]"
    assert part_of(text, everything=True, as_sent=False).text == text
    assert part_of(text, everything=True, as_sent=False).as_sent
