"""The button "Test connection" in real browsers, straight to a server and through proxies that spoil the way."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.nginx import lines_of, nginx, without_upgrade
from tests.support.server import Live, live
from tests.support.waiting import until

from .browsers import Browser, Chromium, PhantomJS, browsing
from .test_browsers import run, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_READ = "[].map.call(document.querySelectorAll('#test-lines li'), function (e) { return e.textContent; })"
MARKS = {"Server": "\u2714", "Sending": "\u2714", "Waiting": "\u2714", "Clock": "\u2714", "Storage": "\u2714"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("site")) as server:
        yield server


@contextmanager
def all_kinds() -> Iterator[dict[str, Browser]]:
    """One browser of each kind, at the same time: a whole test takes 45 s."""
    with ExitStack() as stack:
        yield {
            "chromium": stack.enter_context(browsing(Chromium())),
            "ie11": stack.enter_context(browsing(Chromium(caged=True))),
            "phantomjs": stack.enter_context(browsing(PhantomJS())),
        }


def title(browser: Browser) -> str:
    return str(browser.run("document.getElementById('test-title').textContent"))


def lines(browser: Browser) -> dict[str, str]:
    """What stands behind each mark, by its first word; the mark comes first."""
    found = (re.fullmatch(r"(.)(\w+): (.*)", line) for line in browser.run(_READ))
    return {line[2]: f"{line[1]} {line[3]}" for line in found if line}


def over(browser: Browser, within_s: float = 20.0) -> dict[str, str]:
    until(lambda: "about a minute" not in title(browser), within_s, "the end of the test")
    return lines(browser)


def told(site: Live, name: str) -> str:
    """What the server has heard of the newest test of this worker."""
    items = site.ask("GET", "/api/v1/workers?limit=100").json()["items"]
    return next((str(item["page"].get("connection_test", "")) for item in items if item["name"] == name), "")


def await_news(site: Live, name: str, words: str) -> None:
    """A page that is being cut has to come back first."""
    until(lambda: words in told(site, name), 20, f"{words!r} of {name} at the server")


def test_a_whole_test_in_each_browser_is_told_to_the_server_and_jobs_go_on(site: Live) -> None:
    with all_kinds() as browsers:
        for name, browser in browsers.items():
            show(browser, f"{site.url}/worker?name={name}")
            browser.run("document.getElementById('test').focus()")
            browser.click("test")
        for number in range(6):
            assert run(site, "echo", number)["result"] == number
        for name, browser in browsers.items():
            assert browser.status()["state"] == "ready"
            assert browser.run("document.activeElement.id") == "test"
            found = over(browser, 60)
            assert {line: found[line][0] for line in MARKS} == MARKS, found
            assert found["Waiting"] == "\u2714 OK. Requests may wait 45 s."
            await_news(site, name, "waiting OK 45 s")
            assert browser.errors() == []
        assert lines(browsers["chromium"])["WebSocket"].startswith("\u2714 OK. It opens")
        assert title(browsers["chromium"]).endswith(": all is OK.")
        assert lines(browsers["ie11"])["WebSocket"].startswith("\u2718 NO. There is none: this browser has none")


def spoilt() -> str:
    """Lines of the documentation, made as bad as those of many proxies: 10 s, 64 kB, no WebSocket."""
    spoiling = [
        ("proxy_read_timeout 75s", "proxy_read_timeout 10s"),
        ("client_max_body_size 4m", "client_max_body_size 64k"),
    ]
    shown = without_upgrade(lines_of("docs/offices.md"))
    for good, bad in spoiling:
        assert good in shown
        shown = shown.replace(good, bad)
    return shown


def test_a_proxy_that_cuts_waits_and_refuses_bodies_is_found_in_each_browser(site: Live, tmp_path: Path) -> None:
    door = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{door.getsockname()[1]}"
    with nginx(tmp_path / "nginx", door, spoilt(), site.port), all_kinds() as browsers:
        for name, browser in browsers.items():
            show(browser, f"{url}/worker?name=behind-{name}")
            browser.click("test")
        for name, browser in browsers.items():
            found = over(browser, 40)
            assert re.fullmatch(
                r"\u2718 NO\. Something on the way cuts waiting requests after about 1[01] s, probably a proxy "
                r"\(E-NET-12\)\. 5 s come through\.",
                found["Waiting"],
            )
            assert found["Sending"] == (
                "\u2718 NO. 64 kB come through, 256 kB do not: status 413: 413 Request Entity Too Large. "
                "Something on the way refuses large messages, probably a proxy."
            )
            assert found["WebSocket"].startswith("\u2718 NO. There is none: ")
            assert found["Server"].startswith("\u2714 OK")
            browser.click("copy")
            report = browser.run("document.getElementById('report').value")
            assert "\u2718 Sending: NO. 64 kB come through" in report
            await_news(site, f"behind-{name}", "sending NO 64 kB")


def test_a_person_can_stop_it_and_the_keyboard_does_all(site: Live) -> None:
    with browsing(Chromium()) as browser:
        show(browser, f"{site.url}/worker?name=keys")
        button = browser.driver.find_element("id", "test")
        button.send_keys(Keys.ENTER)
        assert button.text == "Stop the test"
        until(lambda: "OK" in lines(browser)["Sending"])
        button.send_keys(Keys.SPACE)
        assert button.text == "Test connection"
        assert lines(browser)["Waiting"] == "\u2013 not tested, because the test was stopped."
        assert title(browser).endswith(": not all was tested.")
        assert browser.run("document.activeElement.id") == "test"
        button.send_keys(Keys.ENTER)
        assert lines(browser)["Waiting"] == "\u2026 testing \u2026", "another one begins anew"


def test_a_server_that_is_gone_is_said_so(tmp_path: Path, browser: Browser) -> None:
    with live(tmp_path) as server:
        show(browser, f"{server.url}/worker")
    browser.click("test")
    found = over(browser)
    assert found["Server"] == "\u2718 NO. It does not answer: no answer."
    assert found["Waiting"] == "\u2013 not tested, because the server does not answer."
    assert found["Storage"].startswith("\u2714 OK")
