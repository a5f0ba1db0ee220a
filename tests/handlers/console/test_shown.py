"""Names, ids and marks as pages write them."""

from __future__ import annotations

import pytest

from handlers.console import shown
from tests.handlers.conftest import Browser, Scene, nothing
from tests.support.house import House

TURNED = "FRONT\u202eKSED\u2066"


@pytest.fixture
def scene() -> Scene:
    return nothing


@pytest.mark.parametrize("mark", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_a_direction_mark_is_spelled_out(mark: int) -> None:
    assert shown.shown_text(f"a{chr(mark)}<b>") == f"a[U+{mark:04X}]&lt;b&gt;"


def test_text_from_right_to_left_stays_as_it_is() -> None:
    assert shown.shown_text("\u05e9\u05dc\u200f") == "\u05e9\u05dc\u200f"


@pytest.mark.parametrize(
    ("whole", "short"),
    [("job-1", "job-1"), ("x" * 16, "x" * 16), ("0199c3a1-7d52-7c3e-9a41-5be0c0ffee03", "…c0ffee03")],
)
def test_a_long_id_is_shown_by_its_end(whole: str, short: str) -> None:
    assert shown.short_id(whole) == short


@pytest.mark.parametrize(
    ("names", "count"),
    [([], 0), (["x" * 200], 1), (["x" * 60] * 9, 2), (["x"] * 10, 10), (["x"] * 11, 10), (["x", "y" * 119, "z"], 2)],
)
def test_a_cell_shows_as_many_names_as_fit_a_few_lines(names: list[str], count: int) -> None:
    assert shown.listed(iter(names)) == (names[:count], len(names) - count)


@pytest.mark.gen_test
async def test_a_name_is_spelled_out_on_a_page_and_goes_back_from_a_field_as_it_was(
    browser: Browser, house: House
) -> None:
    await house.register("s", "echo", name=TURNED)
    every = (await browser.get("/workers")).body.decode()
    assert "<strong>FRONT[U+202E]KSED[U+2066]</strong>" in every
    assert "\u202e" not in every
    listed = (await browser.get("/workers?name=FRONT%E2%80%AE")).body.decode()
    assert "<strong>FRONT[U+202E]KSED[U+2066]</strong>" in listed
    assert 'name="name" value="FRONT\u202e"' in listed
