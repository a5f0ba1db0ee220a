"""``--allow-origin``: what it may be, and what asks for a token."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize("origin", ["nul", "NULL", "app:desk", "app://desk/x", "*", "https://", "://x", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    assert "--allow-origin must be" in refused("--allow-origin", origin, "--token", "abc")
