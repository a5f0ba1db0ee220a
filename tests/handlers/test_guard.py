"""Who may ask: tables of hosts, origins and tokens."""

from __future__ import annotations

import base64

import pytest

from dispatcher.access.principal import ADMINISTRATOR
from dispatcher.config.settings import Settings
from handlers.guard import Guard, Shown

HERE = "127.0.0.1:8888"
REMOTE = "192.0.2.7"


def seen(who: Shown) -> bool | None:
    """True: the administrator's token was shown; False: a wrong one; None: none."""
    return True if who is ADMINISTRATOR else who  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("localhost", True),
        ("localhost:8888", True),
        ("LOCALHOST.:1", True),
        ("127.0.0.1:9", True),
        ("127.8.9.10", True),
        ("[::1]:8888", True),
        (None, True),
        ("", False),
        ("evil.example", False),
        ("evil.example:8888", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("192.168.1.7", False),
        ("localhost@evil.example", False),
        ("localhost,evil.example", False),
        ("localhost:8888, evil.example", False),
        ("localhost:notaport", False),
        ("[::1", False),
        ("lo calhost", False),
        ("2130706433", False),
    ],
)
def test_only_loopback_names_are_served_by_default(host: str | None, fine: bool) -> None:
    headers = {} if host is None else {"Host": host}
    assert (Guard(Settings()).admit(headers, "GET") is None) is fine


@pytest.mark.parametrize(
    ("bind", "allow", "host", "fine"),
    [
        ("192.168.1.7", (), "192.168.1.7:8888", True),
        ("192.168.1.7", (), "192.168.1.8", False),
        ("jobs.intranet", (), "jobs.intranet", True),
        ("127.0.0.1", ("jobs.intranet",), "Jobs.Intranet:80", True),
        ("127.0.0.1", ("jobs.intranet:8888",), "jobs.intranet:8888", True),
        ("127.0.0.1", ("jobs.intranet",), "other.intranet", False),
        # Every address of the machine, but no name: DNS rebinding needs a name.
        ("0.0.0.0", (), "10.1.2.3", True),
        ("::", (), "[fe80::1]:8888", True),
        ("", (), "10.1.2.3", True),
        ("0.0.0.0", (), "evil.example", False),
    ],
)
def test_the_bound_address_and_allowed_names_are_served(
    bind: str, allow: tuple[str, ...], host: str, fine: bool
) -> None:
    guard = Guard(Settings(bind=bind, allow_host=allow))
    assert (guard.admit({"Host": host}, "GET") is None) is fine


def test_a_refused_host_is_told_which_flag_to_set() -> None:
    refusal = Guard(Settings()).admit({"Host": "evil.example"}, "GET")
    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "forbidden_host")
    assert "--allow-host" in refusal.detail
    assert refusal.detail.isascii()


@pytest.mark.parametrize(
    ("origin", "host", "method", "fine"),
    [
        (None, HERE, "POST", True),
        ("http://127.0.0.1:8888", HERE, "POST", True),
        # A proxy speaks TLS for us.
        ("https://localhost", "localhost", "POST", True),
        ("https://localhost:443", "localhost", "POST", True),
        # IE leaves the port out.
        ("http://127.0.0.1", HERE, "POST", True),
        ("http://[::1]:8888", "[::1]:8888", "POST", True),
        ("http://127.0.0.1:9999", HERE, "POST", False),
        ("http://127.0.0.1:8888", "127.0.0.1", "POST", False),
        ("http://evil.example", HERE, "POST", False),
        ("http://evil.example", HERE, "GET", False),
        ("http://127.0.0.1.evil.example", HERE, "POST", False),
        ("http://127.0.0.1:8888@evil.example", HERE, "POST", False),
        ("ftp://127.0.0.1:8888", HERE, "POST", False),
        ("http://127.0.0.1:port", HERE, "POST", False),
        ("null", HERE, "POST", False),
        ("null", HERE, "GET", True),
        ("", HERE, "POST", False),
        ("https://intranet.example", HERE, "POST", True),
        ("https://INTRANET.example", HERE, "POST", True),
        ("http://intranet.example", HERE, "POST", False),
    ],
)
def test_an_origin_that_is_sent_must_be_ours_or_an_allowed_one(
    origin: str | None, host: str, method: str, fine: bool
) -> None:
    guard = Guard(Settings(allow_origin=("https://intranet.example/",)))
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    assert (guard.admit(headers, method) is None) is fine


@pytest.mark.parametrize(
    ("allowed", "origin", "method", "joining", "fine"),
    [
        ((), "null", "GET", True, False),
        ((), "null", "POST", True, False),
        ((), "app://desk", "GET", True, False),
        (("null",), "null", "GET", True, True),
        (("null",), "null", "POST", True, True),
        # Any page can have no origin: it stands in a frame in a sandbox. It may join, with the token, and no more.
        (("null",), "null", "POST", False, False),
        (("null",), "null", "DELETE", False, False),
        (("null",), "null", "GET", False, True),
        (("null",), "http://evil.example", "POST", True, False),
        (("null",), "app://desk", "POST", True, False),
        (("app://desk",), "app://desk", "POST", True, True),
        (("app://desk",), "APP://Desk", "GET", True, True),
        (("app://desk",), "app://other", "POST", True, False),
        (("app://desk",), "null", "POST", True, False),
        (("file://",), "file://", "POST", True, True),
    ],
)
def test_a_page_without_an_origin_or_of_another_scheme_joins_only_where_that_is_said(
    allowed: tuple[str, ...], origin: str, method: str, joining: bool, fine: bool
) -> None:
    guard = Guard(Settings(allow_origin=allowed, token="s3cret"))
    assert (guard.admit({"Host": HERE, "Origin": origin}, method, joining=joining) is None) is fine


def test_the_verdict_on_one_request_is_not_that_on_another_with_the_same_names() -> None:
    guard = Guard(Settings(allow_origin=("null",), token="s3cret"))
    asked = [("GET", True), ("POST", False), ("GET", False), ("POST", True), ("DELETE", False)]
    for _ in range(2):
        fine = [
            guard.admit({"Host": HERE, "Origin": "null"}, method, joining=joining) is None for method, joining in asked
        ]
        assert fine == [True, False, True, True, False]
    assert guard.admit({"Host": "evil.example", "Origin": "null"}, "GET", joining=True) is not None
    assert guard.admit({"Host": HERE, "Origin": "http://evil.example"}, "GET", joining=True) is not None
    assert guard.admit({"Origin": "null"}, "POST", joining=True) is None


PUBLIC = "jobs.example"


@pytest.mark.parametrize(
    ("public_url", "origin", "host", "fine"),
    [
        ("https://jobs.example", "https://jobs.example", PUBLIC, True),
        ("https://jobs.example/", "https://jobs.example:443", PUBLIC, True),
        ("https://JOBS.example", "https://jobs.example.", PUBLIC, True),
        # The proxy names us as it knows us.
        ("https://jobs.example", "https://jobs.example", HERE, True),
        ("https://jobs.example", "https://jobs.example", "localhost", True),
        # Anybody between the two may have made this page.
        ("https://jobs.example", "http://jobs.example", PUBLIC, False),
        ("https://jobs.example", "http://jobs.example", HERE, False),
        ("https://jobs.example", "https://jobs.example:8443", PUBLIC, False),
        ("https://jobs.example", "https://evil.example", PUBLIC, False),
        ("https://jobs.example", "https://evil.example", "evil.example", False),
        ("https://jobs.example", "https://jobs.example.evil", HERE, False),
        ("https://jobs.example:8443", "https://jobs.example:8443", PUBLIC, True),
        ("https://jobs.example:8443", "https://jobs.example:443", PUBLIC, False),
        # IE leaves the port out.
        ("https://jobs.example:8443", "https://jobs.example", PUBLIC, True),
        ("http://jobs.example", "http://jobs.example:80", HERE, True),
        ("http://jobs.example", "https://jobs.example", PUBLIC, False),
        # On the machine itself, past the proxy.
        ("https://jobs.example", "http://127.0.0.1:8888", HERE, True),
        ("https://[fe80::1]", "https://[fe80::1]", "[fe80::1]", True),
    ],
)
def test_our_own_origin_is_the_public_one(public_url: str, origin: str, host: str, fine: bool) -> None:
    guard = Guard(Settings(public_url=public_url, token="s3cret"))
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    assert (guard.admit({"Host": host, "Origin": origin} | forged, "POST") is None) is fine


@pytest.mark.parametrize(
    ("public_url", "secure"), [("", False), ("http://jobs.example", False), ("https://jobs.example", True)]
)
def test_cookies_are_secure_where_people_come_over_tls(public_url: str, secure: bool) -> None:
    assert Guard(Settings(public_url=public_url)).secure is secure


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        (None, None),
        ("Bearer s3cret", True),
        ("bearer  s3cret ", True),
        ("Bearer wrong", False),
        ("Bearer ", False),
        ("Basic s3cret", None),
        ("s3cret", False),
        ("Bearer s3cret2", False),
    ],
)
def test_the_token_is_shown_as_a_bearer(header: str | None, answer: bool | None) -> None:
    guard = Guard(Settings(token="s3cret"))
    assert seen(guard.bearer({} if header is None else {"Authorization": header}, REMOTE)) is answer


BASIC = "Basic " + base64.b64encode(b"anna:s3cret").decode()


@pytest.mark.parametrize(
    ("headers", "shown", "as_bearer"),
    [
        ({"X-Pagehand-Token": "s3cret"}, True, True),
        ({"X-Pagehand-Token": "wrong"}, False, False),
        ({"X-Pagehand-Token": ""}, False, False),
        # Authorization is then for a proxy before us.
        ({"X-Pagehand-Token": "s3cret", "Authorization": "Bearer of the proxy"}, True, True),
        ({"X-Pagehand-Token": "s3cret", "Authorization": "Basic YTpi"}, True, True),
        ({"X-Pagehand-Token": "wrong", "Authorization": "Bearer s3cret"}, False, False),
        ({"X-Pagehand-Token": "wrong", "Authorization": BASIC}, False, False),
        # A browser sends it by itself, so it does not count where a form of a foreign page could come.
        ({"Authorization": BASIC}, True, None),
        ({"Authorization": BASIC.replace("Basic", "basic")}, True, None),
        # The password of somebody else's sign-in is no wrong token.
        ({"Authorization": "Basic " + base64.b64encode(b"s3cret:wrong").decode()}, None, None),
        ({"Authorization": "Basic " + base64.b64encode(b"s3cret").decode()}, None, None),
        ({"Authorization": "Basic !"}, None, None),
        ({"Authorization": "Basic"}, None, None),
        ({"Authorization": "Negotiate s3cret"}, False, False),
    ],
)
def test_where_a_proxy_needs_authorization_the_token_has_another_way(
    headers: dict[str, str], shown: bool | None, as_bearer: bool | None
) -> None:
    guard = Guard(Settings(token="s3cret"))
    assert (seen(guard.shown(headers, REMOTE)), seen(guard.bearer(headers, REMOTE))) == (shown, as_bearer)


def test_a_password_of_nothing_is_no_token_of_nothing() -> None:
    guard = Guard(Settings())
    assert not guard.shown({"Authorization": "Basic " + base64.b64encode(b"anna:").decode()}, REMOTE)
    assert not guard.shown({"X-Pagehand-Token": ""}, REMOTE)


def test_a_token_beyond_ascii_matches_as_the_bytes_that_are_sent() -> None:
    guard = Guard(Settings(token="schlüssel"))
    assert guard.bearer({"Authorization": "Bearer " + "schlüssel".encode().decode("latin-1")}, REMOTE)


def test_without_a_token_nothing_matches_it() -> None:
    guard = Guard(Settings())
    assert guard.open
    assert guard.whose(b"", REMOTE) is None


def test_another_token_is_counted_and_the_same_one_is_not() -> None:
    guard = Guard(Settings(token="a"))
    for token in ("b", "b", "a"):
        guard.renew(token)
    assert guard.own_tokens == 3


def test_another_token_means_another_session_key() -> None:
    assert Guard(Settings(token="a")).cookie_key() != Guard(Settings(token="b")).cookie_key()
