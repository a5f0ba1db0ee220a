"""The address where people see whether a job in doubt was done: what it may be, and how the job's data fills it."""

from __future__ import annotations

import msgspec
import pytest

from dispatcher.core.jobs.doubturl import DoubtUrl, filled

ORDER = "https://erp.example/orders/{order}"


GOOD = [
    ORDER, "http://erp", "https://erp.example:8443/?q={order}&w={site}#{line-2}", "https://[::1]:80/a%20b",
    "https://erp.example/" + "x" * 480, "https://10.0.0.9/a@b",
]  # fmt: skip
#: The worker page refuses them, too (page/test_doubts.py).
BAD = [
    "", "javascript:alert(1)", "data:text/html,x", "//erp.example/", "ftp://erp.example/", "HTTPS://erp.example/",
    "https://", "https:///orders", "https://{host}/", "https://{order}.example/", "https://erp.example{order}",
    "https://erp.example@evil.example/", "https://erp.example:80@evil.example/", "https://a:b@evil.example/",
    "https://erp.example\\evil.example/", "https://-erp.example/", "https://erp.example:123456/",
    "https://erp.example/a b", "https://erp.example/\n", "https://erp.example\n", "https://erp.example/ü",
    "https://erp.example/{}", "https://erp.example/{a.b}", "https://erp.example/{order", "https://erp.example/}",
    'https://erp.example/"><script>', "https://erp.example/" + "x" * 481,
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_it_is_the_address_of_a_web_page_with_names_of_fields_behind_the_host(url: str) -> None:
    assert msgspec.convert(url, DoubtUrl) == url


@pytest.mark.parametrize("url", BAD)
def test_nothing_else_is_one(url: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(url, DoubtUrl)


@pytest.mark.parametrize(
    ("url", "data", "whole"),
    [
        (ORDER, '{"order": 4711, "more": [1]}', "https://erp.example/orders/4711"),
        (ORDER, '{"order": 12345678901234567890}', "https://erp.example/orders/12345678901234567890"),
        (ORDER, '{"order": -1.50}', "https://erp.example/orders/-1.50"),
        (ORDER, '{"order": "A/7 ü?#&@:\\\\"}', "https://erp.example/orders/A%2F7%20%C3%BC%3F%23%26%40%3A%5C"),
        (ORDER, '{"order": "{site}", "site": "x"}', "https://erp.example/orders/%7Bsite%7D"),
        ("https://e/{a}?b={b}&a={a}", '{"a": "1", "b": 2}', "https://e/1?b=2&a=1"),
        ("https://erp.example/today", "[no JSON", "https://erp.example/today"),
    ],
)
def test_a_field_fills_its_place_and_no_other(url: str, data: str, whole: str) -> None:
    assert filled(url, data) == whole


@pytest.mark.parametrize(
    "data",
    [
        "{}", "[4711]", "4711", "null", '{"order": null}', '{"order": true}', '{"order": {"id": 1}}', '{"order": [1]}',
        '{"order": ""}', '{"order": ".."}', '{"order": "."}', '{"order": "\\ud800"}', '{"Order": 4711}', "no JSON",
        '{"order": "%s"}' % ("x" * 2_000),
    ],
)  # fmt: skip
def test_without_a_text_or_a_number_for_each_field_there_is_no_address(data: str) -> None:
    assert filled(ORDER, data) is None
