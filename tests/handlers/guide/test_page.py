"""The page of the API: every call, every link leads somewhere, no secret, and no way to put something into it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from dispatcher.config.settings import Settings
from handlers.api.openapi.document import described
from handlers.guide import wording
from handlers.guide.examples import EXAMPLES
from handlers.guide.languages import LANGUAGES
from handlers.routes import TaskDirectory, routes
from tests.handlers.conftest import Ask
from tests.support.house import House

PAGE = {"Accept": "text/html"}


@pytest.fixture
def document(house: House, tasks: TaskDirectory) -> dict[str, Any]:
    return described(routes(house.dispatcher, Settings(), tasks))


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for calls in document["paths"].values() for operation in calls.values()]


async def page_of(ask: Ask, **given: Any) -> str:
    response = await ask("/docs", headers={**PAGE, **given})
    assert response.code == 200
    text: str = response.body.decode()
    return text


@pytest.mark.gen_test
async def test_each_call_is_there_with_its_purpose_problems_and_four_examples(
    ask: Ask, document: dict[str, Any]
) -> None:
    page = await page_of(ask)
    parts = dict(re.findall(r'<div class="call" id="(\w+)">(.*?)(?=<div class="call"|<h2 id="schemas")', page, re.S))
    assert parts.keys() == {operation["operationId"] for operation in operations(document)}
    for operation in operations(document):
        part = unescape(parts[operation["operationId"]])
        assert operation["summary"] in part
        assert re.findall(r"<summary>(\w+)</summary>", part) == list(LANGUAGES)
        for parameter in operation.get("parameters", ()):
            assert f"<code>{parameter['name']}</code>" in part
        for status in operation["responses"]:
            assert f"<strong>{status}</strong>" in part


@pytest.mark.gen_test
async def test_each_link_of_the_page_leads_to_something_on_it(ask: Ask, document: dict[str, Any]) -> None:
    page = await page_of(ask)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links - set(ids) == set()
    assert {f"type-{name}" for name in document["components"]["schemas"]} <= set(ids)


@pytest.mark.gen_test
async def test_it_loads_nothing_from_elsewhere(ask: Ask) -> None:
    page = await page_of(ask)
    loaded = re.findall(r'(?:src|href)="((?:https?:)?//[^"]+)"', page)
    assert loaded == []
    assert re.findall(r"<script(?! src=)", page) == []


@pytest.mark.gen_test
async def test_the_console_leads_to_it(ask: Ask) -> None:
    assert b'<a href="/docs">' in (await ask("/", headers=PAGE)).body


@pytest.mark.gen_test
async def test_the_examples_name_the_address_at_which_the_page_was_read(ask: Ask) -> None:
    page = await page_of(ask, Host="localhost:4711")
    assert "http://localhost:4711/api/v1/jobs" in page
    assert "127.0.0.1" not in page
    assert "Bearer TOKEN" not in page


@pytest.mark.gen_test
async def test_the_page_is_made_once_for_all_addresses_of_the_server(ask: Ask, app: Any) -> None:
    """Who asks may choose the Host, and making the page costs much."""
    [kept] = [rule.target_kwargs["kept"] for rule in app.default_router.rules[0].target.rules if rule.name == "docs"]
    for number in range(3):
        assert f"http://localhost:{number + 1}/livez" in await page_of(ask, Host=f"localhost:{number + 1}")
    assert [text.count(b"localhost") for text in kept.values()] == [0]


class TestBehindAPath:
    """A server with a token, at an address of its own."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(token="0b6f1c0e-s3cret", public_url="https://jobs.example/pagehand/", allow_host=("127.0.0.1",))

    @pytest.mark.gen_test
    async def test_the_examples_name_the_public_address_and_a_token_where_it_is_needed(self, ask: Ask) -> None:
        page = await page_of(ask)
        assert "https://jobs.example/pagehand/api/v1/jobs" in page
        assert "127.0.0.1" not in page
        assert "0b6f1c0e-s3cret" not in page
        [alive] = re.findall(r'id="isAlive">.*?(?=<div class="call")', page, re.S)
        assert "TOKEN" not in alive
        assert page.count("Bearer TOKEN") > 50
        assert 'href="/pagehand/openapi.json"' in page


def test_each_call_has_an_example_of_itself(document: dict[str, Any]) -> None:
    assert EXAMPLES.keys() == {operation["operationId"] for operation in operations(document)}
    for path, calls in document["paths"].items():
        for method, operation in calls.items():
            example = EXAMPLES[operation["operationId"]]
            target = example.target.partition("?")[0]
            assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), target)
            assert example.method == method.upper()
            assert bool(example.body) == ("requestBody" in operation), target
            named = {field.partition("=")[0] for field in example.target.partition("?")[2].split("&") if field}
            assert named <= {parameter["name"] for parameter in operation.get("parameters", ())}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, "any JSON"),
        ({"type": "integer", "minimum": -1000, "maximum": 1000}, "whole number from -1,000 to 1,000"),
        ({"type": "integer", "minimum": 0}, "whole number from 0"),
        ({"anyOf": [{"type": "number", "minimum": 0.1, "maximum": 86400}, {"type": "null"}]},
         "number from 0.1 to 86,400 or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, "list of Job"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "object of text"),
        ({"enum": ["", "json"]}, "nothing, json"),
        ({"type": "string", "maxLength": 500}, "text of at most 500 characters"),
    ],
)  # fmt: skip
def test_a_schema_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert "".join(text for text, _ in wording.type_parts(schema)) == words


def test_code_is_marked_and_everything_else_escaped() -> None:
    assert wording.marked("a `<b>` & <i>") == "a <code>&lt;b&gt;</code> &amp; &lt;i&gt;"
