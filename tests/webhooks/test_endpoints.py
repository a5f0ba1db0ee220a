"""Targets of callbacks."""

from __future__ import annotations

import pytest

from dispatcher.webhooks.endpoints import CALLBACKS, callback_target, endpoint_of


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://shop.example/a", "shop.example:443"),
        ("https://SHOP.example:443/b", "shop.example:443"),
        ("https://shop.example:/c", "shop.example:443"),
        ("https://shop.example:00443/d", "shop.example:443"),
        ("http://shop.example:443/d", "shop.example:443"),
        ("http://shop.example/e", "shop.example:80"),
        ("http://[2001:db8::1]:8080/f", "2001:db8::1:8080"),
    ],
)
def test_a_receiver_is_one_target_however_its_address_is_written(url: str, target: str) -> None:
    """Each target has a bound of its own, so who writes one receiver in many ways would have many bounds."""
    assert callback_target(url) == f"{CALLBACKS} {target}"
    assert endpoint_of(callback_target(url)) == CALLBACKS
