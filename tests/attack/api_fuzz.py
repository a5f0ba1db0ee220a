"""Schemathesis against a running server: good and bad cases made from ``/openapi.json``, with all its checks.

    python -m tests.attack.api_fuzz           about 2,000 cases, a minute and a half
    python -m tests.attack.api_fuzz --long    20,000 cases

First a control: with a description that is wrong in one place the run must fail. The stream of events is left out,
for it does not end; its page by page twin has the same fields.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from handlers.api.openapi.__main__ import snapshot
from tests.support.places import ROOT, environment
from tests.support.server import Live, live, running
from tests.support.waiting import until

#: Form -> at least so many cases, and the cases of one round for each call.
FORMS = {"short": (1_000, 5), "long": (20_000, 20)}
TOKEN = "0123456789abcdef-first"
#: Of webhooks and callbacks. There is no host of this name.
RECEIVER = "receiver.example"
_PAGES = (
    "-m",
    "dispatcher.sdk",
    "simulate",
    "--types=echo",
    "--workers=4",
    "--fail=0.2",
    "--never-answer=0.3",
    "--token",
    TOKEN,
    "--url",
)
_LONGEST_S = 1_800
#: A token that was revoked can be read for ever: it opens nothing.
_SETTINGS = """
[[operations]]
include-path = "/api/v1/tokens/{id}"
[operations.checks]
use_after_free.enabled = false
"""


class _Tool(msgspec.Struct, frozen=True):
    """Where Schemathesis asks, and as whom."""

    url: str
    directory: Path
    token: str
    #: The beginning of a path -> an id that there is.
    there: dict[str, str]


class Round(msgspec.Struct, frozen=True):
    """What Schemathesis has told of one round."""

    cases: int
    findings: list[Any]
    text: str


def main(arguments: list[str] | None = None) -> int:
    """1 if anything was found, or the control was not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--long", action="store_true", help="20,000 cases")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    wanted, size = FORMS["long" if given.long else "short"]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "backups").mkdir()
        flags = (
            "--token", TOKEN, "--wrong-tokens=100000", "--backup-dir", str(directory / "backups"),
            "--callback-host", RECEIVER, "--callback-secret", "whsec_" + "ab12" * 11,
        )  # fmt: skip
        with live(directory, *flags) as server, running(*_PAGES, server.url):
            (directory / "schemathesis.toml").write_text(_SETTINGS, "utf-8")
            tool = _Tool(server.url, directory, _token(server), _there(server))
            control = _control(tool)
            print(f"control: {'noticed' if control.findings else 'NOT NOTICED'} in {control.cases:,} cases", flush=True)
            return int(not control.findings) or _rounds(tool, wanted, size, given.seed)


def _rounds(tool: _Tool, wanted: int, size: int, seed: int) -> int:
    """Rounds with other seeds, until there are enough cases or one has found something."""
    cases = 0
    while cases < wanted:
        found = _round(tool, f"{tool.url}/openapi.json", f"--max-examples={size}", f"--seed={seed}")
        cases += found.cases
        print(f"seed {seed}: {found.cases:,} cases, {len(found.findings)} findings", flush=True)
        if found.findings or not found.cases:
            print(found.text)
            return 1
        seed += 1
    print(f"{cases:,} cases with all checks, nothing found")
    return 0


def _control(tool: _Tool) -> Round:
    """A round with a description that says that a switch is a text."""
    document = json.loads(snapshot())
    document["components"]["schemas"]["Stats"]["properties"]["draining"] = {"type": "string"}
    path = tool.directory / "wrong.json"
    path.write_text(json.dumps(document), "utf-8")
    return _round(tool, str(path), "--url", tool.url, "--include-operation-id=readStats", "--max-examples=5")


def _round(tool: _Tool, description: str, *options: str) -> Round:
    report = tool.directory / "report.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("st")), "run", description, *options, "--continue-on-failure",
            "--exclude-operation-id=followEvents", "--checks=all", "--request-timeout=30", "--report=json",
            f"--report-json-path={report}", "--header", f"Authorization: Bearer {tool.token}",
        ],
        cwd=tool.directory, env=environment() | {"PYTHONPATH": str(ROOT)} | _hooks(tool),
        capture_output=True, text=True, timeout=_LONGEST_S, check=False,
    )  # fmt: skip
    if not report.is_file():
        return Round(0, [], done.stdout + done.stderr)
    told = json.loads(report.read_text("utf-8"))
    return Round(told["test_cases"]["generated"], told["failures"] + told["errors"], done.stdout)


def _hooks(tool: _Tool) -> dict[str, str]:
    """They are told which token no case may revoke, and what there is."""
    return {
        "SCHEMATHESIS_HOOKS": "tests.attack.api_hooks",
        "PAGEHAND_FUZZ_TOKEN_ID": tool.token.split("_")[1],
        "PAGEHAND_FUZZ_RECEIVER": RECEIVER,
        "PAGEHAND_FUZZ_IDS": json.dumps(tool.there),
    }


def _token(server: Live) -> str:
    """An administrator's token of the store: who guesses slows down the first one, and some cases are guesses."""
    token: str = _posted(server, "tokens", {"name": "fuzz", "scopes": ["admin"]})["token"]
    return token


def _there(server: Live) -> dict[str, str]:
    """One of each kind that no case could find by itself."""
    job = {"type": "echo"}
    order = {"action": "set_priority", "filter": {"type": "echo"}, "priority": 1}
    return {
        "/api/v1/batches/": _posted(server, "jobs/batch", [job, job])["batch"],
        "/api/v1/operations/": _posted(server, "jobs/actions", order)["operation"]["id"],
        "/api/v1/types/": "echo",
        "/api/v1/webhooks/": _posted(server, "webhooks", {"url": f"https://{RECEIVER}/fuzz"})["id"],
        "/api/v1/workers/": until(lambda: _asked(server, "workers")["items"])[0]["id"],
    }


def _posted(server: Live, path: str, body: Any) -> Any:
    return _asked(server, path, "-H", "Content-Type: application/json", "-d", json.dumps(body))


def _asked(server: Live, path: str, *options: str) -> Any:
    done = subprocess.run(
        ["curl", "-sf", f"{server.url}/api/v1/{path}", "-H", f"Authorization: Bearer {TOKEN}", *options],
        capture_output=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


if __name__ == "__main__":
    raise SystemExit(main())
