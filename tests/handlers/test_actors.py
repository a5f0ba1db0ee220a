"""The API and the console say who they are when they ask for a change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handlers.conftest import Ask, Browser
from tests.support.house import House
from tests.support.scenes import asked_for, three_for_commands

pytestmark = pytest.mark.gen_test

STATES = ("cancelled", "queued", "failed", "in_doubt", "succeeded")


async def test_what_a_program_asks_for_is_the_apis(ask: Ask, house: House) -> None:
    await three_for_commands(house)
    actions: list[tuple[str, Any]] = [
        ("waiting/cancel", {}), ("waiting/retry", {}), ("doubt/decide", {"outcome": "failed"}),
        ("doubt/decide", {"outcome": "in_doubt"}), ("late/adopt", {}),
    ]  # fmt: skip
    for path, body in actions:
        assert (await ask(f"/api/v1/jobs/{path}", "POST", json=body)).code == 200
    assert asked_for(house) == [(state, "api") for state in STATES]


async def test_what_a_person_asks_for_is_the_consoles(browser: Browser, house: House) -> None:
    await three_for_commands(house)
    for path in ("waiting/cancel", "waiting/retry", "doubt/failed", "doubt/reopen", "late/adopt"):
        assert (await browser.post(f"/jobs/{path}", {}, f"/jobs/{path.split('/')[0]}")).code == 303
    assert asked_for(house) == [(state, "console") for state in STATES]
