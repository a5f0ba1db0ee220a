"""``--allow-origin``: what it may be, and what asks for a token."""

from __future__ import annotations

import pytest

from handlers.guard import Guard
from tests.config.reading import given, refused


@pytest.mark.parametrize("origin", ["null", "app://desk", "file://", "ms-appx-web://a.b-c"])
def test_pages_without_an_origin_or_of_another_scheme_need_a_token(origin: str) -> None:
    """Also on this machine alone, and also with --insecure: any page of the web can be without an origin."""
    for more in ((), ("--insecure",)):
        words = refused("--allow-origin", origin, *more)
        assert f"--allow-origin {origin}" in words
        assert "--token-file" in words
    assert given("--allow-origin", origin, "--token", "abc").allow_origin == (origin,)


def test_an_origin_of_the_web_needs_none() -> None:
    assert given("--allow-origin", "https://a.example").allow_origin == ("https://a.example",)


@pytest.mark.parametrize(
    "origin",
    [
        *("nul", "NULL", "app:desk", "app://desk/x", "*", "https://", "://x", ""),
        *("https://a/b", "https://a?b", "https://u@a", "https://a b", "https://[::g]", "http://a:80:80"),
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert "--allow-origin must be" in refused("--allow-origin", origin, "--token", "abc")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://a.example:443", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("https://a.example:0443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("https://a.example:08443", "https://a.example:8443"),
        ("https://a.example:", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("HTTPS://A.Example", "https://a.example"),
        ("https://b\u00fccher.example", "https://xn--bcher-kva.example"),
        ("https://B\u00dcCHER.example:443", "https://xn--bcher-kva.example"),
        ("https://\u4f8b\u3048.\u30c6\u30b9\u30c8:8443", "https://xn--r8jz45g.xn--zckzah:8443"),
        ("http://[0:0::1]:8888", "http://[::1]:8888"),
        ("http://[2001:DB8::A]", "http://[2001:db8::a]"),
    ],
)
def test_an_origin_is_kept_as_a_browser_sends_it(written: str, sent: str) -> None:
    settings = given("--allow-origin", written)
    assert settings.allow_origin == (sent,)
    headers = {"Host": "127.0.0.1:8888", "Origin": sent}
    assert Guard(settings).admit(headers, "POST") is None


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("https://*.example", "must be one origin in full: no * stands for others. Give the flag once for each origin"),
        ("https://a.example:*", "must be one origin in full"),
        ("app://*", "must be one origin in full"),
        ("https://a.example:0", "must be an origin whose port is from 1 to 65535, not 0"),
        ("https://a.example:70000", "must be an origin whose port is from 1 to 65535, not 70000"),
        # Browsers and the standard library disagree about this letter.
        ("https://stra\u00dfe.example", "must be written as browsers write 'stra\u00dfe.example': in ASCII, with xn--"),
        ("https://\u00fc..example", "must be written as browsers write"),
    ],
)
def test_what_no_browser_sends_is_refused_in_words(written: str, words: str) -> None:
    message = refused("--allow-origin", written, "--token", "abc")
    assert message.startswith(f"--allow-origin {words}")
    assert message.endswith(" (from command line)")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("b\u00fccher.intranet", "xn--bcher-kva.intranet"),
        ("b\u00fccher.intranet:8888", "xn--bcher-kva.intranet:8888"),
        ("a.intranet", "a.intranet"),
        ("[::1]:80", "[::1]:80"),
    ],
)
def test_names_in_other_settings_are_kept_as_a_browser_sends_them_too(written: str, sent: str) -> None:
    assert given("--allow-host", written).allow_host == (sent,)
    public = given("--public-url", f"https://{written}/jobs", "--insecure").public_url
    assert public == f"https://{sent}/jobs"


def test_a_star_is_no_name_of_a_host_either() -> None:
    for flag, written in (("--allow-host", "*.intranet"), ("--public-url", "https://*.intranet")):
        assert f"{flag} must be one name in full: no * stands for others" in refused(flag, written, "--insecure")
