"""``--hsts-s``: how long browsers reach the server over TLS alone."""

from __future__ import annotations

import pytest

from dispatcher.config.checks import checked_settings
from dispatcher.errors import SettingError


@pytest.mark.parametrize("public_url", ["", "http://jobs.example"])
def test_strict_transport_is_for_servers_that_people_reach_over_tls(public_url: str) -> None:
    values = {"hsts_s": 60, "public_url": public_url, "insecure": True, "store": "memory:"}
    with pytest.raises(SettingError, match=r"--hsts-s .* --public-url https://"):
        checked_settings(values, {}, {})


def test_strict_transport_is_not_said_unless_it_is_asked_for() -> None:
    values = {"public_url": "https://jobs.example", "insecure": True, "store": "memory:"}
    assert checked_settings(values, {}, {}).hsts_s == 0
    assert checked_settings(values | {"hsts_s": 60}, {}, {}).hsts_s == 60
