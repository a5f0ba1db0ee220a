"""What a page says of an answer that is none: the server's own words, and all that is known of the trouble."""

from __future__ import annotations

import json

import pytest

from .harness import REGISTERED, Page, job, joined

WORDS = "The request comes from a page of http://localhost:8081 (its Origin), and goes to localhost (its Host)"
REFUSED = json.dumps({"code": 4, "message": WORDS})
STARTING = '{"code":6,"message":"The server is starting, try again in a moment"}'
LOGIN = "<!doctype html>\n<html><head><title>Log\n in</title><style>b {x: y}</style></head><body>Who?</body>"


def detail(page: Page) -> str:
    return str(page.status()["error"]["detail"])


@pytest.mark.parametrize("stage", ["handshake", "register", "poll"])
def test_a_page_that_the_server_refuses_stands_at_not_allowed_and_shows_the_server_s_words(stage: str) -> None:
    page = Page().load() if stage == "handshake" else joined()
    if stage == "register":
        page.push(job())
    page.answer(page.post if stage == "register" else page.poll, 403, REFUSED, "application/json")
    assert (page.state, page.error) == ("not_allowed", "E-ORG-01")
    assert detail(page) == f"status 403: {WORDS}"
    assert page.status()["refusal"] == WORDS


def test_it_stands_there_while_it_tries_again_and_is_let_in_at_last() -> None:
    page = Page().load()
    for _ in range(3):
        page.answer(page.poll, 403, REFUSED, "application/json")
        assert page.state == "not_allowed"
        page.run("worker.reconnect();")
        assert page.state == "not_allowed"
    page.open()
    assert page.state == "not_allowed"
    page.push(REGISTERED)
    assert page.state == "ready"
    assert page.status()["refusal"] is None


def test_other_trouble_after_a_refusal_is_shown_as_what_it_is() -> None:
    page = Page().load()
    page.answer(page.poll, 403, REFUSED, "application/json")
    page.run("worker.reconnect();")
    page.answer(page.poll, 0, "")
    assert (page.state, page.error) == ("reconnecting", "E-NET-01")
    assert page.status()["refusal"] is None


def test_a_wrong_token_stays_one_although_the_network_fails() -> None:
    page = Page().load()
    page.open()
    page.push({"op": "refused", "code": "bad_token", "detail": "no"})
    page.take_all()
    page.run("worker.reconnect();")
    page.answer(page.poll, 0, "")
    assert page.state == "not_allowed"
    assert page.status()["refusal"] is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (403, LOGIN, "text/html", "status 403: Log in"),
        (403, "", "", "status 403"),
        (403, '{"message": 5}', "application/json", 'status 403: {"message": 5}'),
        (403, '{"code": 9, "message": "by the firewall"}', "application/json", "status 403: by the firewall"),
        (407, "<h1>Proxy</h1>\n<p>sign in &amp; go", "text/html", "status 407: Proxy sign in &amp; go"),
        (502, "bad  gateway\r\n", "text/plain", "status 502: bad gateway"),
        (503, STARTING, "application/json", "status 503: The server is starting, try again in a moment"),
        (500, '{"title": "x", "detail": "it broke"}', "application/problem+json", "status 500: it broke"),
        (500, "y" * 10_000, "", "status 500: " + "y" * 200),
    ],
)
def test_an_error_is_shown_with_what_the_other_side_said(status: int, body: str, kind: str, words: str) -> None:
    page = joined()
    page.answer(page.poll, status, body, kind)
    assert (page.state, page.error, detail(page)) == ("reconnecting", "E-NET-06", words)


@pytest.mark.parametrize("of_a_post", [False, True])
def test_an_answer_of_something_else_is_named_by_its_title_and_kind(of_a_post: bool) -> None:
    page = joined()
    if of_a_post:
        page.push(job())
    page.answer(page.post if of_a_post else page.poll, 200, LOGIN, "text/html; charset=utf-8")
    assert (page.error, detail(page)) == ("E-NET-04", "text/html that says: Log in")


def test_an_empty_answer_of_something_else_is_named_too() -> None:
    page = joined()
    page.answer(page.poll, 200, "", "text/plain")
    assert detail(page) == "text/plain that says nothing"


def test_a_session_that_the_server_does_not_know_is_shown_in_its_words() -> None:
    page = joined()
    page.answer(page.poll, 400, '{"code":1,"message":"Session ID unknown"}', "application/json")
    assert (page.error, detail(page)) == ("E-NET-05", "status 400: Session ID unknown")


def test_what_the_browser_threw_is_shown() -> None:
    page = Page(openThrows=True).load()
    page.advance(1)
    assert (page.error, detail(page)) == ("E-NET-10", "Access is denied.")


def test_how_long_was_waited_is_shown() -> None:
    page = Page().load()
    page.advance(15_500)
    assert (page.error, detail(page)) == ("E-NET-02", "no answer within 15 s")
    page = joined()
    page.push(job())
    page.advance(16_500)
    assert (page.error, detail(page)) == ("E-NET-03", "no answer within 16 s")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "no answer from https://desk.example"),
        ("/jobs", "no answer from https://desk.example"),
        ("https://DESK.example:443/jobs", "no answer from https://desk.example"),
        (
            "https://jobs.example:8888/x",
            "no answer from https://jobs.example:8888; or it does not let pages of https://desk.example in "
            "(--allow-origin)",
        ),
        (
            "//jobs.example",
            "no answer from https://jobs.example; or it does not let pages of https://desk.example in (--allow-origin)",
        ),
        (
            "http://jobs.example",
            "no answer from http://jobs.example; or it does not let pages of https://desk.example in (--allow-origin); "
            "or the browser lets no page with https ask a server without it",
        ),
    ],
)
def test_a_server_of_another_origin_may_also_have_let_nobody_in(url: str, words: str) -> None:
    page = Page(options={"url": url})
    page.js.eval("fakeWindow.standAt('https:', 'desk.example');")
    page.load()
    page.answer(page.poll, 0, "")
    assert (page.error, detail(page)) == ("E-NET-01", words)


def test_a_page_from_a_file_has_no_origin_to_name() -> None:
    page = Page(options={"url": "http://jobs.example"})
    page.js.eval("fakeWindow.standAt('file:', '');")
    page.load()
    page.answer(page.poll, 0, "")
    assert detail(page) == ("no answer from http://jobs.example; or it does not let pages of null in (--allow-origin)")


def test_an_absent_network_is_shown_with_its_length() -> None:
    page = joined()
    page.fire("offline")
    page.advance(12_000)
    page.fire("online")
    assert (page.error, detail(page)) == ("E-NET-09", "for 12 s")


def test_a_page_without_tasks_says_which_were_asked_for() -> None:
    page = Page(options={"types": ["print", "scan"]}).load()
    assert (page.error, detail(page)) == ("E-TYP-01", "asked for print, scan; there are: echo")


def test_a_result_that_is_no_json_or_too_large_is_shown_with_why() -> None:
    page = joined("Pagehand.task('echo', function () { var a = []; a[0] = a; return a; }, {quick: true});")
    page.push(job())
    assert page.error == "E-JOB-03"
    assert detail(page).startswith("echo: ")
    page = Page().load()
    page.join(result_limit=10)
    page.push(job(data="x" * 20))
    assert (page.error, detail(page)) == ("E-JOB-02", "echo: 22 bytes, and 10 are taken")
