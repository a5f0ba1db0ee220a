"""The command as a whole: help, exit statuses, pipes, terminals."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from dispatcher.sdk.cli.program import GROUPS, PROGRAMS, make_parser
from dispatcher.sdk.cli.verb import Verb
from tests.sdk.cli.typed import PROGRAM, many, spawned, typed
from tests.sdk.client.scripted import reply, scripted
from tests.support.places import ROOT
from tests.support.server import Live, live, running

VERBS = [verb for group in GROUPS for verb in group.verbs]


def test_the_help_fits_a_screen_and_has_each_command() -> None:
    said = spawned("--help")
    lines = said.out.splitlines()
    assert (said.status, len(lines) < 44, max(map(len, lines)) <= 100) == (0, True, True)
    assert [name for name in [*PROGRAMS, *(verb.name for verb in VERBS)] if f"\n  {name} " not in said.out] == []
    assert spawned("help").out == said.out
    assert spawned("help", "get").out == spawned("get", "--help").out
    nothing = spawned()
    assert (nothing.status, nothing.out, "usage: pagehand" in nothing.err) == (2, "", True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_with_flags_of_its_own_has_its_help(name: str) -> None:
    said = spawned(name, "--help")
    assert (said.status, f"usage: pagehand {name}" in said.out) == (0, True)
    assert f"\n  pagehand {name}" in said.out.partition("xample")[2]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_has_its_help(verb: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        typed(verb.name, "--help")  # type: ignore[attr-defined]
    said = capsys.readouterr().out
    assert (ended.value.code, f"usage: pagehand {verb.name}" in said, "--url" in said) == (0, True, True)  # type: ignore[attr-defined]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_has_examples_that_can_be_typed(verb: Verb) -> None:
    parts = [part for line in verb.examples.splitlines()[1:] for part in _commands(line)]
    assert verb.name in [part[0] for part in parts]
    for part in parts:
        assert make_parser().parse_args(part).run


def _commands(line: str) -> Iterator[list[str]]:
    """What stands behind each ``pagehand`` of a line of a shell."""
    words = shlex.split(line.replace('eval "$(', "").replace(')"', ""))
    while "pagehand" in words:
        words = words[words.index("pagehand") + 1 :]
        yield list(takewhile(lambda word: word not in ("|", ">", "<"), words))


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["sbmit"], "did you mean submit?"),
        (["get"], "Try `pagehand get --help`"),
        (["get", "x", "-o", "tabel"], "did you mean table?"),
        (["wait", "x", "--timeout=soon"], "write 90, 90s"),
        (
            ["list", "--lmit", "4"],
            "pagehand list: --lmit is not known: did you mean --limit?\nTry `pagehand list --help`",
        ),
        (["act", "cancel", "--zzzzzz"], "pagehand act: unrecognized arguments: --zzzzzz\nTry `pagehand act --help`"),
        (["list", "--limit", "0"], "'0' is no number from 1 on"),
        (["events", "--count", "-1"], "'-1' is no number from 1 on"),
        (["list", "--since", "yesterday"], "--since: 'yesterday' is no time: write 1h, 7d, or an instant"),
        (["list", "--until", "1x"], "--until: '1x' is no time"),
    ],
)
def test_a_slip_ends_with_2_and_says_what_to_type(
    words: list[str], advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        typed(*words)
    assert ended.value.code == 2
    assert advice in capsys.readouterr().err


@pytest.mark.parametrize("words", [["get", ""], ["result", ""], ["watch", " "], ["wait", "a", "/"]])
def test_an_id_that_is_empty_is_a_variable_that_is_not_set(words: list[str]) -> None:
    said = typed(*words, "--url=127.0.0.1:1", "--retry-for=0")
    assert (said.status, said.out, said.err.startswith("pagehand: an id is empty")) == (2, "", True)


def test_flags_may_stand_before_the_verb(server: Live) -> None:
    assert typed("--url", server.url, "-q", "list", "--limit=1").status == 0


PROBLEM = {"title": "no", "detail": "no"}


@pytest.mark.parametrize(
    ("answer", "status", "advice"),
    [
        (
            reply(401, {**PROBLEM, "code": "bad_token", "status": 401}),
            5,
            "--token, PAGEHAND_TOKEN, PAGEHAND_TOKEN_FILE,",
        ),
        (reply(403, {**PROBLEM, "code": "forbidden_scope", "status": 403}), 5, "no. Ask whoever runs the server"),
        (reply(403, {**PROBLEM, "code": "forbidden_host", "status": 403}), 5, "no.\n"),
        (
            reply(404, {**PROBLEM, "code": "not_found", "status": 404, "instance": "/api/v1/jobs/x"}),
            1,
            "`pagehand list`",
        ),
        (reply(404, {**PROBLEM, "code": "not_found", "status": 404}), 1, "belongs to another server"),
        (reply(400, {**PROBLEM, "code": "bad_parameter", "status": 400}), 2, "no."),
        (reply(500, {**PROBLEM, "code": "internal", "status": 500}), 1, "no."),
        (reply(503, {**PROBLEM, "code": "draining", "status": 503}), 4, "started again"),
        (reply(502, b"<html>", Content_Type="text/html"), 4, "A proxy answered 502"),
        (reply(302, b"", Location="https://sso.example/?x"), 4, "use https://sso.example/ as url"),
        (reply(200, b"<html>", Content_Type="text/html"), 4, "is not Pagehand's"),
        (reply(200, b"{", Content_Type="application/json"), 4, "is not: "),
        (reply(200, {"message": "Hello"}), 4, "but not Pagehand's"),
        (reply(200, []), 4, "but not Pagehand's"),
    ],
)
def test_the_status_says_what_kind_of_trouble_it_was(answer: tuple[bytes, str], status: int, advice: str) -> None:
    with scripted(answer) as server:
        said = typed("list", "--url", server.url, "--retry-for=0")
    assert (said.status, said.out) == (status, "")
    assert advice in said.err


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["submit", "a"],
            ["get", "a"],
            ["get", "a", "-otable"],
            ["result", "a"],
            ["wait", "a"],
            ["watch", "a"],
            ["top"],
        ),
        *(
            ["cancel", "a"],
            ["set", "a", "--priority=1"],
            ["duplicate", "a"],
            ["workers"],
            ["types"],
            ["types", "defaults", "a"],
            ["stats", "-otable"],
            ["stats", "--type=a", "-otable"],
        ),
        *(["events"], ["backup"], ["backup", "--list"], ["token", "list"], ["token", "create", "a", "--scope=read"]),
        *(["webhook", "list"], ["webhook", "add", "https://shop.example/"], ["webhook", "show", "a"]),
        *(
            ["webhook", "test", "a"],
            ["webhook", "dead", "a"],
            ["webhook", "redeliver", "a", "m"],
        ),
    ],
    ids=" ".join,
)
def test_another_server_that_speaks_json_is_no_fault_of_ours(words: list[str]) -> None:
    with scripted(reply(200, {"message": "Hello"})) as server:
        said = typed(*words, "--url", server.url)
    if words == ["get", "a"]:
        assert said[:2] == (0, '{"message": "Hello"}\n')
    else:
        assert (said.status, said.out, "but not Pagehand's" in said.err) == (4, "", True)


def test_no_server_is_said_after_the_time_for_trying() -> None:
    slept: list[float] = []
    said = typed("list", "--url=127.0.0.1:1", "--retry-for=5", clock=lambda: sum(slept), sleep=slept.append)
    assert (said.status, said.out, 0 < sum(slept) <= 5) == (4, "", True)
    assert said.err.count("trying again for 5 s") == 1
    assert "is the address right? `pagehand doctor` looks for the cause." in said.err
    quiet = typed("list", "--url=127.0.0.1:1", "--retry-for=0", "--quiet")
    assert (quiet.status, "Is the server running" in quiet.err) == (4, True)


def test_a_wrong_token_is_denied_and_the_right_one_comes_from_anywhere(tmp_path: Path) -> None:
    secret = "s3cret-of-the-server"
    with live(tmp_path, "--token", secret) as server:
        assert typed("list", "--url", server.url, "--token=wrong-token").status == 5
        assert typed("list", "--url", server.url).status == 5
        assert typed("list", "--url", server.url, "--token", secret).status == 0
        assert spawned("list", PAGEHAND_URL=server.url, PAGEHAND_TOKEN=secret).status == 0


def test_a_reader_that_leaves_ends_the_command_quietly(at: list[str]) -> None:
    many("piped", 20, at)
    line = f"{' '.join(PROGRAM)} list --all --type=piped -o json {' '.join(at)}"
    done = subprocess.run(["sh", "-c", f"{line} | head -n 1"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_a_reader_that_was_never_there_ends_the_command_quietly(server: Live, at: list[str]) -> None:
    ids = [server.submit("piped", "x" * 100_000)["id"] for _ in range(2)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, "get", *ids, *at], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def on_a_terminal(*words: str, data: int | None = None, **environ: str) -> str:
    """What a real terminal is sent; ``data``: where standard output goes instead."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=ROOT, stdin=theirs, stdout=data or theirs, stderr=theirs, env=os.environ | environ
    ) as process:
        os.close(theirs)
        seen = b""
        while part := _read(ours):
            seen += part
        process.wait(30)
    os.close(ours)
    return seen.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_gets_a_table_with_colours_unless_it_wants_none(server: Live, at: list[str]) -> None:
    job = server.submit("echo")["id"]
    server.job(job, wait_s=20)
    seen = on_a_terminal("get", job, *at, TERM="xterm")
    assert "state     \x1b[32msucceeded\x1b[0m\r\n" in seen
    assert "state     succeeded\r\n" in on_a_terminal("get", job, *at, TERM="xterm", NO_COLOR="1")
    assert "state     succeeded\r\n" in on_a_terminal("get", job, *at, TERM="dumb")


def test_a_terminal_sees_a_bar_while_the_data_go_elsewhere_unless_it_is_to_be_quiet(
    server: Live, at: list[str]
) -> None:
    job = server.submit("echo")["id"]
    assert "1 of 1 jobs" in on_a_terminal("wait", job, *at, data=subprocess.DEVNULL)
    assert "1 of 1 jobs" not in on_a_terminal("wait", job, "--quiet", *at, data=subprocess.DEVNULL)
    assert "1 of 1 jobs" not in on_a_terminal("wait", job, *at)
    assert " KiB" in on_a_terminal("backup", *at)


def test_what_a_job_says_moves_no_cursor(at: list[str]) -> None:
    with running("-m", "dispatcher.sdk", "simulate", "--types=evil", "--workers=1", "--url", at[1]):
        said = typed("submit", "evil", "--text", "\x1b[2J\x9b1m", "--wait", *at, terminal=True)
    assert (said.status, "\x1b" in said.out + said.err, "\x9b" in said.out + said.err) == (0, False, False)


def test_nothing_of_a_terminal_of_unix_is_imported() -> None:
    code = (
        "import sys, dispatcher.sdk.cli.program; print({'termios', 'tty', 'curses', 'fcntl', 'pty'} & set(sys.modules))"
    )
    done = subprocess.run([*PROGRAM[:1], "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
