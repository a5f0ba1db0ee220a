"""Each page shows which server this is, if its administrator has said so."""

from __future__ import annotations

import re

import pytest

from dispatcher.config.settings import Settings
from tests.handlers.conftest import Browser

pytestmark = pytest.mark.gen_test


@pytest.mark.parametrize(
    ("settings", "badge"),
    [
        (Settings(env_label="PROD"), '<strong class="env is-live">PROD</strong>'),
        (Settings(env_label="Live (Berlin)"), '<strong class="env is-live">Live (Berlin)</strong>'),
        (Settings(env_label="Test 2"), '<strong class="env is-other">Test 2</strong>'),
    ],
)
async def test_a_badge_and_the_title_say_so(browser: Browser, settings: Settings, badge: str) -> None:
    for path in ("/", "/jobs", "/submit", "/docs", "/nope"):
        page = (await browser.get(path)).body.decode()
        assert badge in page, path
        assert f"<title>{settings.env_label}: " in page, path


async def test_nothing_is_said_otherwise(browser: Browser) -> None:
    page = await browser.page("/")
    assert "env" not in re.findall(r'class="(\w+)', page)
    assert "<title>Overview" in page
