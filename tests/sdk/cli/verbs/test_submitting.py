"""``submit``: one job and files of jobs, each taken once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sdk.cli.typed import spawned, typed
from tests.sdk.client.scripted import cut, reply, scripted
from tests.support.server import Live


def test_a_job_is_submitted_and_its_id_printed(server: Live, at: list[str]) -> None:
    said = typed("submit", "nobody", "--data", '{"n": 1.10}', "--priority", "5", "--requires", "site:berlin", *at)
    job = server.job(said.out.strip())
    assert (said.status, job["type"], job["priority"], job["requires"]) == (0, "nobody", 5, {"site": "berlin"})
    assert f"It is queued (no connected worker offers the type nobody): {server.url}/jobs/{job['id']}" in said.err
    assert b'"data":{"n": 1.10}' in server.ask("GET", f"/api/v1/jobs/{job['id']}").body


def test_each_term_reaches_the_job(server: Live, at: list[str]) -> None:
    terms = ["--delay-s=5m", "--expires-s=1h", "--timeout-s=90s", "--heartbeat-s=2.5", "--max-attempts=7"]
    said = typed(
        "submit", "nobody", *terms, "--max-crashes=0", "--effects=once", "--requires=p:a", "--requires=p:b", *at
    )
    job = server.job(said.out.strip())
    assert [job[name] for name in ("state", "timeout_s", "heartbeat_s", "max_attempts", "max_crashes", "effects")] == [
        *("scheduled", 90.0, 2.5, 7, 0, "once"),
    ]
    assert job["requires"] == {"p": ["a", "b"]}


def test_the_result_is_printed_if_it_is_waited_for(at: list[str]) -> None:
    said = typed("submit", "--wait", "word-count", "--text", 'to "be" or', *at)
    assert (said.status, json.loads(said.out)["words"]) == (0, 3)
    whole = typed("submit", "echo", "--data=-", "--wait=20", "-o", "json", *at, stdin=b"\xef\xbb\xbf[1, 2]")
    assert [json.loads(whole.out)[name] for name in ("state", "result")] == ["succeeded", [1, 2]]


def test_a_job_that_fails_or_takes_too_long_is_said_by_the_status(at: list[str]) -> None:
    failed = typed("submit", "bad", "--max-attempts=1", "--wait", *at)
    assert (failed.status, failed.out) == (1, "")
    assert "failed after 1 try" in failed.err
    late = typed("submit", "nobody", "--wait=0.01", *at)
    assert (late.status, late.out) == (3, "")
    assert "no connected worker offers the type nobody" in late.err
    assert "pagehand wait 01" in late.err


def test_a_key_makes_one_job(at: list[str]) -> None:
    first, again = (typed("submit", "nobody", "--key=order-7", *at) for _ in range(2))
    assert first.out == again.out
    other = typed("submit", "nobody", "--key=order-7", "--data=2", *at)
    assert (other.status, other.out) == (2, "")
    assert "another key" in other.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["submit"], "say which type"),
        (["submit", "echo", "--data", "{a: 1}"], "not JSON"),
        (["submit", "echo", "--data", "[NaN]"], "NaN is no JSON"),
        (["submit", "echo", "--data", "@/nowhere/x.json"], "/nowhere/x.json: No such file"),
        (["submit", "echo", "--data", "[" * 100_000], "nested too deeply"),
        (["submit", "echo", "--requires", "berlin"], "write a label and a value"),
        (["submit", "echo", "--priority", "5000"], "must be a whole number from -1000 to 1000"),
        (["submit", "echo", "--url", "ftp://x"], "address of the server is not like"),
        (["submit", "--ndjson", "x", "--priority", "1"], "leave the terms out"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_used_is_said_with_the_next_step(words: list[str], expected: str, at: list[str]) -> None:
    said = typed(*words, *([] if "--url" in words else at))
    assert (said.status, said.out) == (2, "")
    assert expected in said.err


def test_a_file_makes_a_job_of_each_line_and_again_the_same_jobs(tmp_path: Path, at: list[str]) -> None:
    lines = tmp_path / "data.ndjson"
    lines.write_text("\n".join([*(json.dumps({"n": n, "text": "ü"}, ensure_ascii=False) for n in range(700)), "", ""]))
    first, again = (typed("submit", "filed", "--ndjson", str(lines), "--key=file-1", *at) for _ in range(2))
    assert (first.status, len(set(first.out.split())), again.out) == (0, 700, first.out)
    assert "700 jobs are submitted" in first.err
    assert len(typed("list", "--type=filed", "--all", *at).out.split()) == 700


def test_a_file_of_whole_jobs_needs_no_type_and_may_be_waited_for(tmp_path: Path, at: list[str]) -> None:
    lines = tmp_path / "jobs.ndjson"
    lines.write_bytes('{"type": "echo", "data": 1}\r\n{"type": "bad", "max_attempts": 1}\r\n'.encode("utf-16"))
    said = typed("submit", "--ndjson", str(lines), "--wait=30", "-o", "json", *at)
    assert said.status == 1
    assert {json.loads(line)["state"] for line in said.out.splitlines()} == {"succeeded", "failed"}
    given = typed("submit", "echo", "--ndjson=-", *at, stdin=b"1\n2")
    assert (given.status, len(given.out.split())) == (0, 2)


@pytest.mark.parametrize(("form", "shown"), [("id", "ID\n"), ("table", "ID  echo  succeeded\n")])
def test_a_job_that_is_waited_for_is_shown_as_it_is_wanted(form: str, shown: str, at: list[str]) -> None:
    said = typed("submit", "echo", "--key=shown", "--wait", "-o", form, *at)
    assert said.out == shown.replace("ID", said.out.split()[0])


def test_a_file_that_is_no_text_is_named(tmp_path: Path, at: list[str]) -> None:
    lines = tmp_path / "latin.ndjson"
    lines.write_bytes('"ü"\n'.encode("latin-1"))
    said = typed("submit", "echo", "--ndjson", str(lines), *at)
    assert (said.status, "latin.ndjson is neither UTF-8 nor UTF-16" in said.err) == (2, True)
    lines.write_text("1\n2\n")
    shown = typed("submit", "nobody", "--ndjson", str(lines), "-o", "table", *at).out
    assert [line.split("  ")[1:] for line in shown.splitlines()] == [["nobody", "queued"]] * 2


def test_a_bad_line_is_named_and_the_jobs_before_it_are_told(tmp_path: Path, at: list[str]) -> None:
    lines = tmp_path / "bad.ndjson"
    lines.write_text("1\n" * 600 + "{\n")
    said = typed("submit", "cut", "--ndjson", str(lines), "--key=cut-1", *at)
    assert (said.status, len(said.out.split())) == (2, 500)
    assert "line 601 of" in said.err
    assert "500 jobs are submitted. Run it again with --key cut-1" in said.err


def test_a_submission_without_an_answer_says_its_key(at: list[str]) -> None:
    with scripted(cut("before")) as server:
        said = typed("submit", "echo", "--key=k-1", "--url", server.url, "--retry-for=0")
    assert said.status == 4
    assert "submit it again with --key k-1" in said.err
    with scripted(cut("body"), reply(201)) as server:
        again = typed("submit", "echo", "--url", server.url)
    assert (again.status, again.out) == (0, "j1\n")
    assert "trying again for 60 s" in again.err


def test_ctrl_c_before_the_answer_says_the_key() -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with scripted(cut("before")) as server:
        said = typed("submit", "echo", "--key=k-1", "--url", server.url, sleep=interrupt)
    assert (said.status, said.out, "submit it again with --key k-1" in said.err) == (130, "", True)


def test_letters_of_any_language_reach_the_job_from_a_c_locale(tmp_path: Path, at: list[str]) -> None:
    given = ("submit", "echo", "--data", '{"ü": "日本😀"}', "--wait=20", *at)
    said = spawned(*given, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert (said.status, said.out) == (0, '{"\\u00fc": "\\u65e5\\u672c\\ud83d\\ude00"}\n')
    made = tmp_path / "größe.json"
    made.write_text('"ü"', "utf-8")
    read = spawned(*given[:2], f"--data=@{made}", *given[4:], LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert read.out == '"\\u00fc"\n'
    text = spawned("submit", "echo", "--text", "Müller", "--wait=20", *at, PYTHONUTF8="1")
    assert text.out == '"Müller"\n'


def test_bytes_that_are_no_letters_are_refused_before_anything_is_sent() -> None:
    for words in (["submit", "echo", "--text", "\udcff"], ["list", "--type", "\udcff"], ["get", "\ud800"]):
        said = typed(*words, "--url=127.0.0.1:1")
        assert (said.status, "is not UTF-8" in said.err) == (2, True)
    said = typed("submit", "echo", "--key=ü", "--url=127.0.0.1:1")
    assert (said.status, "255 printable ASCII" in said.err) == (2, True)


def test_what_powershell_writes_into_a_pipe_is_read(at: list[str]) -> None:
    said = typed("submit", "echo", "--data=-", "--wait", *at, stdin='["ü"]'.encode("utf-16"))
    assert json.loads(said.out) == ["ü"]
    wrong = typed("submit", "echo", "--data=-", *at, stdin=b'"\xff"')
    assert (wrong.status, "neither UTF-8 nor UTF-16" in wrong.err) == (2, True)


def test_a_job_that_is_refused_was_not_taken_and_one_without_an_answer_may_have_been() -> None:
    refusal = {"title": "no", "detail": "type: is missing", "code": "invalid", "status": 422}
    with scripted(reply(422, refusal)) as server:
        said = typed("submit", "a", "--url", server.url)
    assert (said.status, said.err) == (2, "pagehand: type: is missing.\n")
    said = typed("submit", "a", "--key=mine", "--url=127.0.0.1:1", "--retry-for=0")
    assert (said.status, "not known whether the job was taken" in said.err, "--key mine" in said.err) == (4, True, True)
