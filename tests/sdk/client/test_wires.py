"""Both clients against a server that breaks connections at each instant: the same request comes again, with its key."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from dispatcher.sdk.client.client import Client, Job
from dispatcher.sdk.client.errors import Invalid, JobTimeout, NotPagehand, Unauthorized, Unavailable, Unreachable
from tests.sdk.client.scripted import JOB, ManualTime, cut, either, reply, scripted
from tests.support.certificate import self_signed
from tests.support.ports import free_port

TWINS = pytest.mark.parametrize("twin", [False, True], ids=["client", "twin"])


@TWINS
@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("where", ["before", "head", "body"])
def test_a_submission_whose_answer_is_lost_comes_again_with_the_same_key(twin: bool, where: str, how: str) -> None:
    with scripted(cut(where, how), cut(where, how), reply(201)) as server:
        job = either(twin, server.url, "submit", "echo", {"n": 10**30})
    assert (job.id, job.state) == ("j1", "succeeded")
    first, second, third = server.asked
    assert (first.line, first.headers, first.body) == (second.line, second.headers, second.body)
    assert (first.line, first.headers, first.body) == (third.line, third.headers, third.body)
    assert first.line == "POST /api/v1/jobs HTTP/1.1"
    assert first.body == b'{"type":"echo","data":{"n":%d}}' % 10**30
    assert len(first.headers["idempotency-key"]) > 30


@TWINS
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_answer_that_may_pass_is_asked_for_again_when_the_server_wants_it(twin: bool, status: int) -> None:
    time = ManualTime()
    busy = reply(status, {"code": "queue_full", "status": status}, Retry_After="7")
    with scripted(busy, reply(status, b"<html>", Content_Type="text/html"), reply(201)) as server:
        assert either(twin, server.url, "submit", "echo", time=time).id == "j1"
    assert 7.0 <= time.slept[0] <= 7.1
    assert time.slept[1] <= 0.2
    assert len({asked.headers["idempotency-key"] for asked in server.asked}) == 1


@TWINS
def test_a_fault_of_the_server_is_not_asked_for_again(twin: bool) -> None:
    wrong = {"code": "invalid", "status": 422, "detail": "priority: no", "errors": [{"pointer": "#/priority"}]}
    with scripted(reply(422, wrong), reply(500, b"<html>", Content_Type="text/html")) as server:
        with pytest.raises(Invalid, match="priority: no") as refused:
            either(twin, server.url, "submit", "echo")
        assert refused.value.errors == [{"pointer": "#/priority"}]
        with pytest.raises(NotPagehand, match=r"answer 500 \(text/html\)"):
            either(twin, server.url, "submit", "echo")


@TWINS
def test_a_proxy_that_never_reaches_the_server_is_named(twin: bool) -> None:
    gateway = reply(502, b"<html>", Content_Type="text/html")
    with scripted(gateway) as server, pytest.raises(Unavailable, match="proxy answered 502"):
        either(twin, server.url, "submit", "echo", retry_for=0)


@TWINS
def test_a_sign_in_before_the_server_is_named_and_not_taken_for_an_answer(twin: bool) -> None:
    page, moved = reply(200, b"<html>", Content_Type="text/html"), reply(302, b"", Location="https://sso.example/?u=1")
    with scripted(page, moved) as server:
        with pytest.raises(NotPagehand, match="has a proxy a sign-in"):
            either(twin, server.url, "job", "j1")
        with pytest.raises(NotPagehand, match=r"use https://sso\.example/ as url"):
            either(twin, server.url, "job", "j1")


@TWINS
def test_nobody_there_is_said_with_the_key_after_the_time_for_retries(twin: bool) -> None:
    time = ManualTime()
    with pytest.raises(Unreachable, match=r"Connection refused.*send it again with the key 'order-7'") as error:
        either(twin, f"http://127.0.0.1:{free_port()}", "submit", "echo", key="order-7", retry_for=30, time=time)
    assert error.value.key == "order-7"
    assert 15 < sum(time.slept) <= 30


def test_a_kept_connection_that_was_closed_costs_no_pause_and_no_try() -> None:
    time = ManualTime()
    with scripted(reply(200, after="close"), reply(), reply()) as server:
        client = Client(server.url, sleep=time.sleep, clock=time.clock)
        assert [client.job("j1").id, client.job("j1").id, client.job("j1").id] == ["j1", "j1", "j1"]
        client.close()
    assert time.slept == []
    assert [asked.connection for asked in server.asked] == [1, 2, 2]


def test_a_kept_connection_that_dies_under_a_request_costs_no_pause_either() -> None:
    """The server closed it in the very moment in which the request left."""
    time = ManualTime()
    with scripted(reply(), cut("before"), reply()) as server:
        client = Client(server.url, sleep=time.sleep, clock=time.clock)
        client.job("j1")
        client.job("j1")
        client.close()
    assert time.slept == []
    assert [asked.connection for asked in server.asked] == [1, 1, 2]


def test_a_server_that_says_nothing_is_given_up_at_the_callers_deadline_and_the_job_goes_on() -> None:
    """The clock of the caller stands still; the socket's own limit ends the read."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"http://127.0.0.1:{silent.getsockname()[1]}", retry_for=0)
        job = Job(client, JOB | {"state": "queued"})
        assert job.wait(0.05) is False
        with pytest.raises(JobTimeout, match="It goes on") as error:
            job.result(0.05)
        assert isinstance(error.value, TimeoutError)
        assert error.value.job is job
        client.close()


def test_threads_share_a_client_and_never_a_connection() -> None:
    with scripted(*[reply(200, JOB | {"result": n}) for n in range(40)]) as server:
        client = Client(server.url)
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda: found.extend(client.job("j1").result() for _ in range(10)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()
    assert sorted(found) == list(range(40))
    assert len({asked.connection for asked in server.asked}) <= 4


@TWINS
def test_the_base_path_and_the_token_go_with_each_request_and_the_token_is_in_no_words(twin: bool) -> None:
    refused = reply(401, {"code": "bad_token", "status": 401, "detail": "the token is wrong"})
    with scripted(refused) as server, pytest.raises(Unauthorized, match="PAGEHAND_TOKEN") as error:
        either(twin, server.url + "/pagehand/", "job", "a/b", token="hush")
    assert server.asked[0].line == "GET /pagehand/api/v1/jobs/a%2Fb HTTP/1.1"
    assert server.asked[0].headers["authorization"] == "Bearer hush"
    assert "hush" not in repr(error.value) + repr(Client(server.url, "hush"))


@TWINS
def test_a_certificate_that_nobody_trusts_is_refused_at_once(twin: bool, tmp_path: Path) -> None:
    both = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    time = ManualTime()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    context.wrap_socket(connection, server_side=True)
                except OSError:
                    return

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(Unreachable, match="certificate"):
            either(twin, f"https://127.0.0.1:{listener.getsockname()[1]}", "job", "j1", time=time)
        thread.join()
    assert time.slept == []


@TWINS
def test_an_answer_in_chunks_is_read(twin: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with scripted((head + b'9\r\n{"jobs":1\r\n1\r\n}\r\n0\r\n\r\n', "keep")) as server:
        assert either(twin, server.url, "stats") == {"jobs": 1}


@TWINS
def test_what_is_no_http_is_said(twin: bool) -> None:
    with scripted((b"SSH-2.0-OpenSSH\r\n\r\n", "close")) as server, pytest.raises(Unreachable, match="was not HTTP"):
        either(twin, server.url, "stats", retry_for=0)


@TWINS
def test_an_answer_that_the_end_of_the_connection_ends_is_taken_if_it_is_whole(twin: bool) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    with scripted((head + b'{"jobs":', "close"), (head, "close"), (head + b'{"jobs":1}', "close")) as server:
        assert either(twin, server.url, "stats") == {"jobs": 1}
