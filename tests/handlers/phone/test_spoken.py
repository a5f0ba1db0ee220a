"""Six letters say what is wrong, since when and how often; a wrong one is noticed."""

from __future__ import annotations

import json

import pytest
import quickjs

from handlers.phone.catalogue import TROUBLES
from handlers.phone.spoken import LETTERS, BadCode, Spoken, read
from handlers.worker.script import join
from tests.handlers.phone.letters import spelled, written
from tests.page.harness import STATIC, bare_engine

BY_CODE = {trouble.code: trouble for trouble in TROUBLES}
SAID = [
    Spoken(BY_CODE["E-NET-12"], 10 * 60 + 31, 3),
    Spoken(TROUBLES[0], 0, 0),
    Spoken(TROUBLES[-1], 23 * 60 + 59, 255),
    *(Spoken(trouble, 61 * place % 1_440, 7 * place % 256) for place, trouble in enumerate(TROUBLES)),
]


@pytest.fixture(scope="module")
def page() -> quickjs.Context:
    engine = bare_engine()
    engine.eval("var window = this;" + join() + (STATIC / "spoken.js").read_text("utf-8"))
    return engine


def on_page(page: quickjs.Context, said: Spoken) -> str:
    at = f"new Date(2026, 10, 30, {said.minute // 60}, {said.minute % 60}, 59).getTime()"
    return str(page.eval(f"pagehandSpoken({json.dumps(said.trouble.code)}, {at}, {said.tries})"))


def test_what_the_page_writes_is_read_back(page: quickjs.Context) -> None:
    letters = [on_page(page, said) for said in SAID]
    assert [read(each) for each in letters] == SAID
    assert letters == [written(said) for said in SAID]


def test_more_tries_than_there_is_room_for_are_the_most(page: quickjs.Context) -> None:
    many = Spoken(TROUBLES[0], 5, 1_000)
    assert on_page(page, many) == written(many)
    assert read(written(many)).tries == 255


@pytest.mark.parametrize("code", ["", "E-NON-01"])
def test_a_trouble_without_a_code_has_no_letters(page: quickjs.Context, code: str) -> None:
    assert page.eval(f"pagehandSpoken('{code}', 0, 0)") == ""


@pytest.mark.parametrize("between", ["-", "", " ", "\u2011", "\u2013"])
def test_case_blanks_hyphens_and_dashes_do_not_matter(between: str) -> None:
    letters = written(SAID[0]).lower()
    assert read(letters.replace("-", between)) == SAID[0]
    assert read(f"  {' '.join(letters)} ") == SAID[0]


def test_each_single_wrong_letter_is_noticed() -> None:
    plain = written(SAID[0]).replace("-", "")
    wrong = [plain[:at] + letter + plain[at + 1 :] for at in range(6) for letter in LETTERS if letter != plain[at]]
    for text in wrong:
        with pytest.raises(BadCode, match=r"One of these letters is wrong|knows no such code"):
            read(text)


def test_neighbours_that_changed_places_are_noticed_unless_they_are_sixteen_apart() -> None:
    missed = set()
    for said in SAID:
        plain = written(said).replace("-", "")
        for at in range(5):
            turned = plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :]
            try:
                if read(turned) != said:
                    missed.add(abs(LETTERS.index(plain[at]) - LETTERS.index(plain[at + 1])))
            except BadCode:
                pass
    assert missed <= {16}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("K7F-42", "has 6 letters and digits, and these are 5"),
        ("K7F-42QQ", "these are 7"),
        ("", "these are 0"),
        ("O7F-1OQ", "has no 1 and no O"),
        ("K7F_42Q", "has no _"),
    ],
)
def test_what_is_no_code_is_said(typed: str, words: str) -> None:
    with pytest.raises(BadCode, match=words):
        read(typed)


@pytest.mark.parametrize("number", [len(TROUBLES) << 19, 63 << 19, 1_440 << 8, 2_047 << 8])
def test_a_place_or_a_minute_that_there_is_not_is_none(number: int) -> None:
    with pytest.raises(BadCode, match="knows no such code"):
        read(spelled(number))
