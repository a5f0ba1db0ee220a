"""docs/offices.md: what can be run here is run; of the rest, the request that it makes is sent to a real server."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.page.browsers import Chromium
from tests.support.http import exchange
from tests.support.places import ROOT
from tests.support.server import Live, live, running
from tests.support.waiting import until

from .blocks import blocks, indented_of, only

PAGE = "docs/offices.md"
NAME = "pagehand.example"
#: The objects that a program gives to its page, as the two tasks call them.
STAND_INS = """window.chrome = window.chrome || {};
chrome.webview = {hostObjects: {printer: {PrintLabel: function (text) { return Promise.resolve('W ' + text); }}}};
var CefSharp = {BindObjectAsync: function (name) {
  window[name] = {printLabel: function (text) { return Promise.resolve('C ' + text); }};
  return Promise.resolve({Success: true});
}};
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One that goes by the names of the page and has its secret; tasks are those of the page and the shipped ones."""
    place = tmp_path_factory.mktemp("offices")
    tasks = place / "tasks"
    tasks.mkdir()
    for shipped in (ROOT / "static/tasks").glob("*.js"):
        (tasks / shipped.name).write_bytes(shipped.read_bytes())
    for block in blocks(PAGE):
        if block.language == "js" and (named := re.search(r"Pagehand\.task\('([\w-]+)'", block.body)):
            (tasks / f"{named[1]}.js").write_text(STAND_INS + block.body)
    flags = ("--token", "SECRET", "--allow-host", NAME, "--public-url", "https://jobs.example", "--tasks", str(tasks))
    with live(place, *flags) as started:
        yield started


def windows_arguments(line: str) -> list[str]:
    """A command line taken apart as programs on Windows do it; ``subprocess.list2cmdline`` is the other way."""
    found, current, quoted, begun = [], "", False, False
    for slashes, character in re.findall(r"(\\*)([^\\]|$)", line):
        literal = len(slashes) // 2 if character == '"' else len(slashes)
        current += "\\" * literal
        begun = begun or bool(slashes)
        if character == '"' and len(slashes) % 2 == 0:
            quoted, begun = not quoted, True
        elif character in {" ", ""} and not quoted:
            found += [current] if begun else []
            current, begun = "", False
        else:
            current, begun = current + character, True
    return found


@pytest.mark.parametrize(
    "arguments", [["a", "b c", 'say "hi"'], ["C:\\dir\\", 'a\\"b', "", "c\\\\ d"], ['{"a": "b \\u00fc"}']]
)
def test_windows_arguments_are_taken_apart_as_they_were_put_together(arguments: list[str]) -> None:
    assert windows_arguments(subprocess.list2cmdline(arguments)) == arguments


def curls() -> list[str]:
    return [block.body.strip() for block in blocks(PAGE) if block.body.startswith("curl.exe ")]


@pytest.mark.parametrize("line", curls(), ids=["with the JSON in the line", "with a file", "as a form"])
def test_the_lines_for_curl_on_windows_work(line: str, server: Live, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text('{"type": "word-count", "data": "Müller & Söhne"}', "utf-8")
    _, *arguments = windows_arguments(line)
    here = ["--connect-to", f"{NAME}:8888:127.0.0.1:{server.port}", "--max-time", "20"]
    pages = ("simulate", "--types=word-count", "--workers=1", "--token=SECRET", "--url", server.url)
    with running("-m", "dispatcher.sdk", *pages):
        done = subprocess.run(["curl", *here, *arguments], cwd=tmp_path, capture_output=True, timeout=30)
    job = json.loads(done.stdout)
    assert job["type"] == "word-count"
    if "wait=10" in line:
        assert (job["state"], job["result"]["words"]) == ("succeeded", 2)
    else:
        assert job["data"] == ("a b" if "urlencode" in line else "Müller & Söhne")


def test_there_are_three_lines_for_curl() -> None:
    assert len(curls()) == 3


def requests() -> list[tuple[str, str]]:
    """Each request that the page shows, with the example above it."""
    shown = blocks(PAGE)
    return [(shown[place - 1].body, block.body) for place, block in enumerate(shown) if block.language == "http"]


def as_sent(shown: str) -> bytes:
    """Byte for byte, with the length of the body."""
    head, _, body = shown.strip().partition("\n\n")
    sent = body.encode()
    lines = [*head.splitlines(), f"Content-Length: {len(sent)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("ascii") + sent


@pytest.mark.parametrize("shown", [request for _, request in requests()], ids=["PowerShell", "VBA", "IIS"])
def test_the_request_of_an_example_is_taken(shown: str, server: Live) -> None:
    request = as_sent(shown)
    answer = exchange(server.port, request.replace(b"wait=10", b"wait=0"))
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert re.match(r"HTTP/1.1 20[01] ", head), answer
    assert json.loads(body)["data"] == json.loads(shown.partition("\n\n")[2])["data"]
    foreign = request.replace(b"Origin: https://jobs.example", b"Origin: https://evil.example")
    for wrong in {request.replace(b"SECRET", b"GUESS"), foreign} - {request}:
        assert re.match(r"HTTP/1.1 40[13] ", exchange(server.port, wrong).decode())


@pytest.mark.parametrize(("example", "shown"), requests()[:2], ids=["PowerShell", "VBA"])
def test_the_request_of_an_example_is_the_one_that_it_makes(example: str, shown: str) -> None:
    """Its address, the values of its headers, and its body stand in the example."""
    said = example.replace('""', '"')
    head, _, body = shown.strip().partition("\n\n")
    first, *lines = head.splitlines()
    method, path, _ = first.split(" ")
    values = dict(line.split(": ", 1) for line in lines)
    assert f"http://{values.pop('Host')}{path}" in said
    assert method.lower() in said.lower()
    assert body in said
    assert [value for value in values.values() if value not in said] == []
    assert set(values) >= {"Authorization", "Content-Type", "Idempotency-Key"}


def test_a_text_in_latin_1_is_refused_as_the_page_says(server: Live) -> None:
    sent = {"Authorization": "Bearer SECRET", "Content-Type": "application/json"}
    body = '{"type": "word-count", "data": "Müller"}'
    assert server.ask("POST", "/api/v1/jobs", body.encode("latin-1"), sent).status == 400
    assert server.ask("POST", "/api/v1/jobs", body.encode(), sent).status == 201


def test_the_rule_for_iis_leads_every_path_to_the_server() -> None:
    rule = ET.fromstring(only(PAGE, "xml").encode()).find("./system.webServer/rewrite/rules/rule")
    assert rule is not None
    match, action = rule.find("match"), rule.find("action")
    assert match is not None
    assert action is not None
    led = re.sub(match.attrib["url"], action.attrib["url"].replace("{R:1}", r"\1"), "api/v1/jobs", count=1)
    assert led == "http://127.0.0.1:8888/api/v1/jobs"
    assert "/preserveHostHeader:true" in only(PAGE, "bat", "appcmd")


def addresses() -> list[str]:
    """Those of worker pages: one in the text, one in each program."""
    shown = [indented_of(PAGE, "/worker?")]
    for block in blocks(PAGE):
        if block.language == "csharp":
            shown += re.findall(r'"(http://[^"]+)"', block.body)
    return shown


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "result"),
    list(zip(addresses(), [{"words": 1}, "W FRAGILE", "C FRAGILE"], strict=True)),
    ids=["in the text", "WebView2", "CefSharp"],
)
def test_the_addresses_of_worker_pages_open_and_their_tasks_run(address: str, result: object, server: Live) -> None:
    browser = Chromium(flags=[f"--host-resolver-rules=MAP {NAME}:8888 127.0.0.1:{server.port}"])
    try:
        browser.open(address)
        until(lambda: browser.status()["state"] == "ready", 20, "ready")
        assert (browser.status()["name"], browser.status()["error"]) == ("FRONT-DESK-07", "none")
        assert "SECRET" not in browser.run("location.href")
        name = dict(pair.split("=") for pair in urlsplit(address).query.split("&"))["types"]
        sent = {"Authorization": "Bearer SECRET", "Content-Type": "application/json", "Prefer": "wait=10"}
        body = json.dumps({"type": name, "data": {"text": "FRAGILE"}, "requires": {"name": "FRONT-DESK-07"}})
        job = server.ask("POST", "/api/v1/jobs", body, sent).json()
        assert job["state"] == "succeeded", job
        found = {"words": job["result"]["words"]} if name == "word-count" else job["result"]
        assert found == result
    finally:
        browser.kill()
