"""The page that a stranger opens first: it misses no call and no key, and names no page that is not there."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from dispatcher.config.settings import Settings
from handlers.api.openapi.document import described
from handlers.api.openapi.operations import FOR_PEOPLE
from handlers.guide.help import IN_THE_CONSOLE, KEYS, WORDS
from handlers.routes import TaskDirectory, routes
from handlers.site import STATIC
from tests.handlers.conftest import Browser
from tests.support.house import House


@pytest.fixture
def document(house: House, tasks: TaskDirectory) -> dict[str, Any]:
    return described(routes(house.dispatcher, Settings(), tasks))


@pytest.mark.gen_test
async def test_every_call_has_its_line_which_leads_to_its_place_in_the_guide(
    browser: Browser, document: dict[str, Any]
) -> None:
    page, guide = await browser.page("/help"), await browser.page("/docs")
    for path, calls in document["paths"].items():
        for method, told in calls.items():
            line = f'<td data-label="Method">{method.upper()}</td><td data-label="Address"><code>{path}</code></td>'
            assert f'{line}<td data-label="What it does"><a href="/docs#{told["operationId"]}">' in page
            assert f'id="{told["operationId"]}"' in guide


def test_what_the_console_does_too_is_a_call_and_a_page_for_people(
    document: dict[str, Any], house: House, tasks: TaskDirectory
) -> None:
    told = [told for calls in document["paths"].values() for told in calls.values()]
    assert set(IN_THE_CONSOLE) <= {one["operationId"] for one in told}
    people = [spec for spec in routes(house.dispatcher, Settings(), tasks) if spec.name in FOR_PEOPLE - {"not-found"}]
    for address in IN_THE_CONSOLE.values():
        assert any(spec.regex.match(re.sub("<.*?>", "x", address)) for spec in people), address


@pytest.mark.gen_test
async def test_it_has_the_keys_of_the_script_and_six_words(browser: Browser) -> None:
    page = unescape(await browser.page("/help"))
    script = (STATIC / "keys.js").read_text(encoding="utf-8").partition("var LIST")[2].partition("];\n")[0]
    assert list(KEYS) == re.findall(r"\['(.*?)', '(.*?)'\]", script)
    assert [word for word, meaning in WORDS if meaning in page] == [word for word, _ in WORDS]
    assert len(WORDS) == 6


@pytest.mark.gen_test
@pytest.mark.parametrize("settings", [Settings(token="s3cret")])
async def test_it_needs_no_token_and_every_page_leads_to_it(browser: Browser) -> None:
    assert 'aria-current="page" class="here">Help</a>' in await browser.page("/help")
    assert '<a href="/help">Help</a>' in await browser.page("/login")
