"""The table of codes in docs/codes.md, and the catalogue of the telephone, say what the page says."""

from __future__ import annotations

import json
import re

from handlers.phone.catalogue import TROUBLES
from handlers.worker.script import join
from tests.support.places import ROOT

from .harness import STATIC, bare_engine

_ROW = re.compile(r"^\| (E-[A-Z]+-\d\d) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.M)


def known() -> dict[str, tuple[str, str]]:
    """What a code says, and the sentence about its fault."""
    engine = bare_engine()
    engine.eval(join())
    codes = json.loads(engine.eval("JSON.stringify(Pagehand.CODES)"))
    return {code: (text, str(engine.eval(f"Pagehand.blame('{code}')"))) for code, text in codes.items()}


def test_the_table_has_each_code_of_the_page_once_and_in_its_words() -> None:
    rows = _ROW.findall((ROOT / "docs" / "codes.md").read_text(encoding="utf-8"))
    assert [(code, text) for code, text, *_ in rows] == [(code, text) for code, (text, _) in known().items()]


def test_the_table_names_whose_fault_it_is_as_the_page_does() -> None:
    source = (STATIC / "worker" / "codes.js").read_text(encoding="utf-8")
    named = dict(re.findall(r"^    '(E-[A-Z]+-\d\d)': '([a-z]+)',?$", source, re.M))
    rows = _ROW.findall((ROOT / "docs" / "codes.md").read_text(encoding="utf-8"))
    assert {code: fault for code, _, _, fault, _ in rows} == {code: named.get(code, "network") for code in known()}


def test_the_telephone_says_what_the_table_says() -> None:
    rows = _ROW.findall((ROOT / "docs" / "codes.md").read_text(encoding="utf-8"))
    assert [(one.code, one.text, one.cause, one.whose, one.help) for one in TROUBLES] == rows


def test_each_code_blames_somebody_in_a_sentence() -> None:
    assert [code for code, (_, blame) in known().items() if not blame.startswith("The fault lies ")] == []


def test_scripts_use_no_code_that_has_no_words() -> None:
    used = {code for path in STATIC.rglob("*.js") for code in re.findall(r"E-[A-Z]+-\d\d", path.read_text("utf-8"))}
    assert used == set(known())
