"""No address overlooks a field of its query: it would show something else than was asked for."""

from __future__ import annotations

from html import unescape

import pytest

from handlers.queryfields import check_query
from tests.handlers.conftest import Ask, Browser, Scene
from tests.handlers.matrix import API, MATRIX
from tests.handlers.rich import rich

#: Addresses that take any query, and why.
ANY_QUERY = {
    "worker": "its script reads it, and says what is wrong with it",
    "worker-script": "v is its version", "static": "v is its version", "task": "v is its version",
    "task-index": "t keeps old browsers from taking it from their caches",
    "livez": "a balancer may add fields", "readyz": "a balancer may add fields",
    "connection-test": "it takes what keeps caches off",
    "api-not-found": "there is nothing", "not-found": "there is nothing",
}  # fmt: skip


@pytest.fixture
def scene() -> Scene:
    return rich


@pytest.mark.gen_test(timeout=60)
async def test_every_address_refuses_a_field_that_it_does_not_know(ask: Ask) -> None:
    for name, (path, methods, kind) in MATRIX.items():
        for method, _, status in (told.partition(":") for told in methods.split()):
            answer = await ask(
                f"{path}{'&' if '?' in path else '?'}nonsense=1",
                method,
                headers={"Content-Type": "application/json"} if kind == API else {},
            )
            said = "onsense is not a field of this address" in answer.body.decode()
            if name in ANY_QUERY:
                assert (answer.code, said) == (int(status or 200), False), (name, method)
            else:
                assert (answer.code, said) == (400, True), (name, method)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/board?site=berlin", "It takes label, type, refresh. A label is written label=site:berlin."),
        ("/board?labels=site:berlin", "labels is not a field of this address; did you mean label?"),
        ("/workers?printer=zebra", "limit, cursor, tick, refresh. A label is written label=printer:zebra."),
        ("/doubts?foo=1", "foo is not a field of this address. It takes refresh."),
        ("/submit?typ=echo", "did you mean type? It takes type, worker, like."),
        ("/help?q=retry", "q is not a field of this address: it takes none."),
    ],
)
async def test_a_page_that_does_not_know_a_field_says_which_it_has_and_what_was_meant(
    browser: Browser, path: str, words: str
) -> None:
    answer = await browser.get(path)
    assert answer.code == 400
    assert words.lower() in unescape(answer.body.decode()).lower(), "a page begins its sentence with a capital"


class Asked:
    """A request with a query."""

    method = "GET"

    def __init__(self, **fields: str) -> None:
        self.query_arguments = {name: [text.encode()] for name, text in fields.items()}


def test_what_is_known_passes() -> None:
    check_query(Asked(label="site:berlin", refresh=""), ("label", "type", "refresh"))
