"""Where a message may go: addresses that lead to what only the server can reach are refused (SSRF)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from dispatcher.webhooks.targets import LONGEST_URL, allowed_targets, refused_address, target_of

NOTHING = allowed_targets([])

#: URLs that are refused by themselves, and a word of the reason.
REFUSED_URLS = [
    ("http://127.0.0.1/", "own machine"),
    ("http://127.1.2.3/", "own machine"),
    ("http://[::1]/", "own machine"),
    ("http://[::ffff:127.0.0.1]/", "own machine"),
    ("http://[::ffff:7f00:1]/", "own machine"),
    ("http://[::127.0.0.1]/", "own machine"),
    ("http://[::ffff:0:127.0.0.1]/", "own machine"),
    ("http://[64:ff9b::7f00:1]/", "own machine"),
    ("http://[2002:7f00:1::]/", "own machine"),
    ("http://169.254.169.254/latest/meta-data/", "own machine or link"),
    ("http://[::ffff:169.254.169.254]/", "own machine or link"),
    ("http://[64:ff9b::a9fe:a9fe]/", "own machine or link"),
    ("http://[fd00:ec2::254]/", "own machine or link"),
    ("http://[fe80::1]/", "own machine or link"),
    ("http://10.0.0.1/", "private network"),
    ("http://172.16.0.1/", "private network"),
    ("http://172.31.255.255/", "private network"),
    ("http://192.168.1.1/", "private network"),
    ("http://100.64.0.1/", "private network"),
    ("http://198.18.0.1/", "private network"),
    ("http://[fc00::1]/", "private network"),
    ("http://[fd12:3456::1]/", "private network"),
    ("http://[::ffff:10.0.0.1]/", "private network"),
    ("http://0.0.0.0/", "nobody"),
    ("http://0.1.2.3/", "nobody"),
    ("http://[::]/", "nobody"),
    ("http://224.0.0.1/", "nobody"),
    ("http://[ff02::1]/", "nobody"),
    ("http://255.255.255.255/", "nobody"),
    ("http://2130706433/", "plain"),
    ("http://0x7f000001/", "plain"),
    ("http://0x7f.1/", "plain"),
    ("http://127.1/", "plain"),
    ("http://0177.0.0.1/", "plain"),
    ("http://10.0.0.1./", "plain"),
    ("http://host.example./", "plain"),
    ("http://[fe80::1%25eth0]/", "plain"),
    ("http://\u2460\u2461\u2466.0.0.1/", "ASCII"),
    ("http://127.0.0.1@host.example/", "user"),
    ("http://user:secret@host.example/", "user"),
    ("http://host.example\\@127.0.0.1/", "ASCII"),
    ("http://host.example/a b", "ASCII"),
    ("http://host.example/\r\nHost: x", "ASCII"),
    ("http://host.example/#part", "fragment"),
    ("http://host.example:22/", "port 80 or 443"),
    ("https://host.example:8443/", "port 80 or 443"),
    ("http://host.example:0/", "port 80 or 443"),
    ("http://host.example:99999/", "like https://"),
    ("http://host_.-/", "plain"),
    ("http:///path", "plain"),
    ("ftp://host.example/", "plain"),
    ("file:///etc/passwd", "plain"),
    ("gopher://host.example/", "plain"),
    ("host.example", "plain"),
    ("", "ASCII"),
    (f"https://host.example/{'x' * LONGEST_URL}", "at most"),
]


@pytest.mark.parametrize(("url", "word"), REFUSED_URLS)
def test_an_address_that_only_the_server_can_reach_is_refused(url: str, word: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as refused:
        target_of(url, NOTHING)
    assert word in str(refused.value)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://host.example", ("https", "host.example", 443, "/")),
        ("HTTPS://Host.Example/A?b=c", ("https", "host.example", 443, "/A?b=c")),
        ("http://host.example:443/", ("http", "host.example", 443, "/")),
        ("http://93.184.216.34/x", ("http", "93.184.216.34", 80, "/x")),
        ("http://[2606:2800:220:1::1]/", ("http", "2606:2800:220:1::1", 80, "/")),
        ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443, "/")),
        ("https://my_host/", ("https", "my_host", 443, "/")),
    ],
)
def test_an_address_of_the_internet_is_taken(url: str, target: tuple[str, str, int, str]) -> None:
    assert target_of(url, NOTHING) == target


@pytest.mark.parametrize(
    ("host", "address", "entries", "passes"),
    [
        ("host.example", "93.184.216.34", [], True),
        ("host.example", "10.0.0.7", [], False),
        ("host.example", "10.0.0.7", ["host.example"], True),
        ("host.example", "10.0.0.7", ["host.example:8080"], True),
        ("host.example", "10.0.0.7", ["10.0.0.0/8"], True),
        ("host.example", "10.0.0.7", ["10.0.0.7"], True),
        ("host.example", "10.0.0.7", ["other.example", "192.168.0.0/16"], False),
        ("host.example", "fd00::7", ["host.example"], True),
        ("host.example", "::ffff:10.0.0.7", ["10.0.0.0/8"], True),
        # A name does not open what is near to the server: whoever rules the name could lead it there.
        ("host.example", "127.0.0.1", ["host.example"], False),
        ("host.example", "169.254.169.254", ["host.example"], False),
        ("host.example", "169.254.169.254", ["10.0.0.0/8"], False),
        ("host.example", "::ffff:127.0.0.1", ["host.example"], False),
        ("host.example", "64:ff9b::a9fe:a9fe", ["host.example"], False),
        ("host.example", "2001:0:4136:e378:8000:63bf:80ff:fffe", ["host.example"], False),
        ("host.example", "127.0.0.1", ["127.0.0.0/8"], True),
        ("localhost", "127.0.0.1", [], False),
        ("localhost", "127.0.0.1", ["localhost"], True),
        ("localhost", "::1", ["localhost:9000"], True),
        ("localhost", "169.254.169.254", ["localhost"], False),
        # Nobody is there, whatever is allowed.
        ("host.example", "0.0.0.0", ["0.0.0.0/0", "host.example"], False),
        ("host.example", "224.0.0.1", ["0.0.0.0/0"], False),
        ("host.example", "255.255.255.255", ["0.0.0.0/0"], False),
    ],
)
def test_each_address_of_a_name_is_judged(host: str, address: str, entries: list[str], passes: bool) -> None:
    allowed = allowed_targets(entries)
    target = target_of(f"http://{host}/", allowed)
    reason = refused_address(target, ip_address(address), allowed)
    assert (reason is None) is passes
    assert reason is None or reason.startswith("must not lead to ")


@pytest.mark.parametrize("url", ["http://[::ffff:127.0.0.1]/", "http://[2002:7f00:1::]/", "http://[64:ff9b::7f00:1]/"])
def test_what_a_refusal_says_to_allow_is_enough(url: str) -> None:
    with pytest.raises(ValueError, match=r"--webhook-allow 127\.0\.0\.1 if"):
        target_of(url, allowed_targets([]))
    assert target_of(url, allowed_targets(["127.0.0.1"]))


def test_an_entry_with_a_port_opens_that_port_of_that_host_alone() -> None:
    allowed = allowed_targets(["intra.example:8080", "[fd00::7]:9000", "192.168.0.7:81"])
    assert target_of("http://intra.example:8080/x", allowed).address == "intra.example:8080"
    assert target_of("http://[fd00::7]:9000/", allowed).host_header == "[fd00::7]:9000"
    assert target_of("http://192.168.0.7:81/", allowed).port == 81
    for url in ("http://intra.example:8081/", "http://192.168.0.7:8080/", "http://other.example:8080/"):
        with pytest.raises(ValueError, match="--webhook-allow"):
            target_of(url, allowed)


@pytest.mark.parametrize(
    "entry", ["", "http://host", "host/path", "10.0.0.0/33", "host:0", "host:x", "user@host", "0x7f.1"]
)
def test_an_entry_that_is_none_is_refused_in_words(entry: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a host, host:port or a network"):
        allowed_targets([entry])
