"""``get`` and ``list``: on a terminal for people, in a pipe for programs."""

from __future__ import annotations

import json

import pytest

from tests.sdk.cli.typed import many, typed
from tests.support.http import Page
from tests.support.server import Live


def test_a_job_is_shown_as_a_program_or_a_person_wants_it(server: Live, at: list[str]) -> None:
    job = server.submit("unoffered", {"n": [], "m": {}, "text": 'a: "b"'})
    compact = typed("get", job["id"], *at)
    assert compact.out == server.ask("GET", f"/api/v1/jobs/{job['id']}").body.decode().strip() + "\n"
    pretty = typed("get", job["id"], "-o", "json", *at, terminal=True).out
    assert json.loads(pretty) == json.loads(compact.out)
    assert '\n  "data": {\n    "n": [],\n    "m": {},\n    "text": "a: \\"b\\""\n  },\n' in pretty
    shown = typed("get", job["id"], *at, terminal=True).out
    assert "state     queued\n" in shown
    assert "waits     no connected worker offers the type unoffered\nplace     1 of 1\n" in shown
    assert typed("get", job["id"], job["id"].upper(), "-o", "id", *at).out == f"{job['id']}\n" * 2


def test_the_lines_of_a_job_are_shown_those_that_hold_a_text_alone(server: Live, at: list[str]) -> None:
    job = server.submit("talks")["id"]
    page = Page(server)
    page.register("talks")
    attempt = page.hear("job")["attempt"]
    page.say("accept", attempt=attempt)
    for line in ("No paper", "paper\nis back"):
        page.say("log", attempt=attempt, line=line)
    page.say("result", attempt=attempt, value=1)
    page.hear("recorded")
    page.leave()
    shown = typed("get", job, "--log", *at).out.splitlines()
    assert [line.split(" ", 2)[::2] for line in shown] == [["1", "No paper"], ["2", "paper\\nis back"]]
    [only] = typed("get", job, "--log", "--search=no P", "-o", "json", *at).out.splitlines()
    assert json.loads(only).items() >= {"line_no": 1, "line": "No paper", "number": 1}.items()
    assert "goes with --log" in typed("get", job, "--search=x", *at).err


def test_one_id_that_is_not_there_does_not_hide_the_others(server: Live, at: list[str]) -> None:
    job = server.submit("nobody")["id"]
    said = typed("get", "nothing", job, "-o", "id", *at)
    assert (said.status, said.out) == (1, f"{job}\n")
    assert said.err.startswith("pagehand: nothing: ")


def test_a_list_is_a_table_for_people_and_ids_for_programs(server: Live, at: list[str]) -> None:
    ids = [server.submit("listed", n)["id"] for n in range(3)][::-1]
    assert typed("list", "--type=listed", *at).out.split() == ids
    table = typed(
        "list", "--type=listed", *at, terminal=True, environ={"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "120"}
    ).out
    head, *rows = table.splitlines()
    assert head.split()[:3] == ["ID", "STATE", "TYPE"]
    assert (head.endswith("WORKER  WHY"), max(map(len, rows))) == (True, 120)
    assert [row.split()[0] for row in rows] == ids
    lines = typed("list", "--type=listed", "-o", "json", *at).out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids


def test_jobs_are_found_and_shown_by_what_was_said_of_them(at: list[str]) -> None:
    said = ["--tag=urgent", "--tag=customer: 7", "--summary=order 4711", "--key=order-4711"]
    job = typed("submit", "tagged", *said, *at).out.strip()
    other = typed("submit", "tagged", "--tag=urgent", *at).out.strip()
    assert typed("list", "--tag=urgent", *at).out.split() == [other, job]
    assert typed("list", "--tag=urgent", "--tag=customer: 7", *at).out.split() == [job]
    assert typed("list", "--key=order-4711", *at).out.split() == [job]
    assert typed("list", "--batch=nope", *at).out == ""
    assert typed("list", "--search=nothing like it", *at).out == ""
    shown = typed("get", job, *at, terminal=True).out
    assert "summary   order 4711\ntags      urgent, customer: 7\n" in shown


def test_a_list_says_that_there_is_more(at: list[str]) -> None:
    ids = many("shown-many", 105, at)[::-1]
    some = typed("list", "--type=shown-many", "--limit=2", *at)
    assert (some.out.split(), "There are more than these 2" in some.err) == (ids[:2], True)
    whole = typed("list", "--type=shown-many", "--limit=105", *at)
    assert (whole.out.split(), whole.err) == (ids, "")
    assert typed("list", "--type=shown-many", "--all", *at).out.split() == ids


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (["--state=queued"], True),
        (["--state=failed", "--state=queued"], True),
        (["--state=failed"], False),
        (["--since=1h"], True),
        (["--until=1h"], False),
        (["--since=2020-01-01T00:00:00Z"], True),
        (["--ended-since=1h"], False),
        (["--requires=site:rome"], True),
        (["--requires=site:oslo"], False),
        (["--worker=nobody"], False),
        (["--error=bad"], False),
    ],
    ids=lambda value: "".join(value) if isinstance(value, list) else "",
)
def test_a_list_is_filtered_as_the_api_filters(flags: list[str], found: bool, at: list[str]) -> None:
    job = typed("submit", "filtered", "--key=filtered", "--requires=site:rome", *at).out
    assert typed("list", "--type=filtered", *flags, *at)[:2] == (0, job if found else "")


def test_a_filter_that_is_none_is_refused_in_words(at: list[str]) -> None:
    said = typed("list", "--state=broken", *at)
    assert (said.status, said.out) == (2, "")
    assert "state must be one of scheduled" in said.err
