"""``--public-url``: what it may be, and what it asks for."""

from __future__ import annotations

import pytest

from tests.config.reading import given, refused


def test_a_public_address_beyond_loopback_needs_a_token_or_insecure() -> None:
    public = ("--public-url", "https://jobs.example")
    message = refused(*public)
    assert "--token-file" in message
    assert "--insecure" in message
    assert given(*public, "--token", "abc").public_url == "https://jobs.example"
    assert given(*public, "--insecure").public_url
    assert given("--public-url", "http://localhost:9000/").public_url


@pytest.mark.parametrize(
    "url",
    [
        "jobs.example",
        "ftp://jobs.example",
        "https://jobs.example/x?y",
        "https://jobs.example/x y",
        "https://jobs.example//x",
        "https://jobs.example/x//",
        "https://jobs.example/..",
        "https://jobs.example/x/./y",
        "https://jobs.example/%2e",
        "https://a@b",
        "https://",
        "HTTPS://a",
        "https://a:99999",
    ],
)
def test_a_public_address_is_a_scheme_and_a_name_and_perhaps_a_port_and_a_plain_path(url: str) -> None:
    assert "--public-url" in refused("--public-url", url, "--insecure")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://jobs.example", ""),
        ("https://jobs.example/", ""),
        ("https://jobs.example:8443/jobs", "/jobs"),
        ("https://jobs.example/jobs/", "/jobs"),
        ("https://[::1]:9/a/b.c-d_~/", "/a/b.c-d_~"),
    ],
)
def test_the_path_of_a_public_address_is_the_same_with_a_slash_and_without(url: str, path: str) -> None:
    assert given("--public-url", url, "--insecure").public_path == path
